import { z } from 'zod'

/**
 * Lists as Kubernetes knows them: the list type decides how server-side apply merges, and the API server refuses duplicates in sets and maps.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
 */
const LIST_TYPE = 'x-kubernetes-list-type'

/** Different scalars; the order means nothing. */
export function setOf<Item extends z.ZodType<string>>(item: Item, maximum: number) {
  return z
    .array(item)
    .max(maximum)
    .superRefine((values, context) => {
      if (values.length > 1) refuseDuplicates(values, context)
    })
    .meta({ [LIST_TYPE]: 'set' })
}

/** Objects told apart by one of their fields. */
export function mapOf<Item extends z.ZodType<Record<string, unknown>>>(
  item: Item,
  key: keyof z.output<Item> & string,
  maximum: number,
) {
  return z
    .array(item)
    .max(maximum)
    .superRefine((values, context) => {
      if (values.length > 1)
        refuseDuplicates(
          values.map((value) => value[key]),
          context,
        )
    })
    .meta({ [LIST_TYPE]: 'map', 'x-kubernetes-list-map-keys': [key] })
}

function refuseDuplicates(keys: readonly unknown[], context: z.RefinementCtx): void {
  const seen = new Set<unknown>()
  for (const [index, key] of keys.entries()) {
    if (seen.has(key))
      context.addIssue({ code: 'custom', message: `is a duplicate of ${JSON.stringify(key)}`, path: [index] })
    seen.add(key)
  }
}

/** The order means something, so the list changes as a whole. */
export function orderedOf<Item extends z.ZodType>(item: Item, maximum: number) {
  return z
    .array(item)
    .max(maximum)
    .meta({ [LIST_TYPE]: 'atomic' })
}

/** Text by text, at most `maximum` entries. */
export function textMap<Value extends z.ZodType<string>>(value: Value, maximum: number) {
  return z
    .record(z.string(), value)
    .refine((entries) => Object.keys(entries).length <= maximum, `must not have more than ${maximum} entries`)
    .meta({ maxProperties: maximum })
}
