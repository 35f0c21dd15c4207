import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'

/**
 * Reads a protobuf message from JSON: both `snake_case` and `camelCase` names are valid, and null means absent.
 * Works on one level only, so that keys inside arguments, responses and schemas are never touched.
 * @throws KorProxyError KP-SYS-515 when a field is given in both spellings
 * @see https://protobuf.dev/programming-guides/json/
 */
function camelKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const fields = new Map<string, unknown>()
  for (const [key, field] of Object.entries(value)) {
    if (field === null) continue
    const name = camelName(key)
    if (fields.has(name)) throw new KorProxyError('KP-SYS-515', { key: name })
    fields.set(name, field)
  }
  return Object.fromEntries(fields)
}

/** A leading underscore stays: `_responseJsonSchema` is another field than `responseJsonSchema`. */
function camelName(key: string): string {
  return key.replaceAll(/(?<=[a-zA-Z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** A protobuf message; fields that the shape does not name stay in the result. */
export function protoMessage<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(camelKeys, z.looseObject(shape))
}

/** Google's parser takes a single value where a list is expected; its own examples use that. */
export function oneOrMany<Item extends z.ZodType>(item: Item) {
  return z.preprocess((value) => (value === undefined || Array.isArray(value) ? value : [value]), z.array(item))
}

/** Protobuf JSON writes 64-bit integers as strings and takes strings for every number. */
export const protoNumber = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/)
    .transform(Number),
])
