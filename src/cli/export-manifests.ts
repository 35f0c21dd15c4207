import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '#resources/finding.ts'
import { KINDS } from '#resources/kinds.ts'
import type { ObjectMetadata, Resource, ResourceSet, SecretObject } from '#resources/resource.ts'

export interface ExportOptions {
  /** Objects of this namespace name none. */
  readonly namespace: string
  readonly defaults: 'LeaveOut' | 'WriteOut'
  readonly secrets: 'LeaveOut' | 'WriteOut'
}

/** An object as it stands in a manifest. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** The objects of a configuration in one form, whatever files said: by kind, namespace and name, fields in the order of the reference. */
export function exportManifests({ resources, secrets }: ResourceSet, options: ExportOptions): Manifest[] {
  const order = Object.keys(KINDS)
  const sorted = resources.toSorted(
    (left, right) =>
      order.indexOf(left.kind) - order.indexOf(right.kind) ||
      compareText(nameOf(left.metadata), nameOf(right.metadata)),
  )
  const written = options.secrets === 'WriteOut' ? secrets : []
  return [
    ...written
      .toSorted((left, right) => compareText(nameOf(left), nameOf(right)))
      .map((it) => secretManifest(it, options)),
    ...sorted.map((resource) => resourceManifest(resource, options)),
  ]
}

function resourceManifest(resource: Resource, options: ExportOptions): Manifest & { readonly spec: unknown } {
  const { apiVersion, kind, metadata, spec } = resource
  return {
    apiVersion,
    kind,
    metadata: metadataOf(metadata, options),
    spec: options.defaults === 'WriteOut' ? spec : withoutDefaults(resource),
  }
}

function secretManifest(secret: SecretObject, options: ExportOptions): Manifest & { readonly stringData: unknown } {
  const data = Object.entries(secret.data).toSorted(([left], [right]) => compareText(left, right))
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadataOf({ ...secret, annotations: {} }, options),
    stringData: Object.fromEntries(data),
  }
}

function metadataOf(
  { name, namespace, labels, annotations }: Pick<ObjectMetadata, 'name' | 'namespace' | 'labels' | 'annotations'>,
  options: ExportOptions,
): Record<string, unknown> {
  return {
    name,
    ...(namespace === options.namespace ? {} : { namespace }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  }
}

/** A field is a default when the object means the same without it: the schema itself decides. */
function withoutDefaults({ kind, spec }: Resource): unknown {
  const means = (candidate: unknown): boolean => {
    const parsed = KINDS[kind].spec.safeParse(candidate)
    return parsed.success && isDeepStrictEqual(parsed.data, spec)
  }
  const root: unknown = structuredClone(spec)
  pruneDefaults(root, () => means(root))
  return root
}

/** Takes out every field that `isSame` does not miss, whole objects before their parts. Lists keep their items. */
function pruneDefaults(node: unknown, isSame: () => boolean): void {
  if (Array.isArray(node)) {
    for (const item of node) pruneDefaults(item, isSame)
    return
  }
  if (!isRecord(node)) return
  for (const [name, value] of Object.entries(node)) {
    delete node[name]
    if (isSame()) continue
    // Every field that stays is put back in turn, so their order stays too.
    node[name] = value
    pruneDefaults(value, isSame)
  }
}

function nameOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`
}

function compareText(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}
