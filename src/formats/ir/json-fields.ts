import { z } from 'zod'
import type { JsonObject, JsonValue } from './chat-request.ts'

/** A JSON object that is carried as it is: tool parameters, schemas, metadata. */
export const jsonObject = z.custom<JsonObject>(isJsonObject, 'Invalid input: expected object')

/** Tells a JSON object from the other JSON values; `value` must come from `JSON.parse`. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A JSON value in words: a string as it is, else its JSON. `String` throws for an object with a member `toString`. */
export function jsonText(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** Builds a JSON object and leaves out what is undefined. */
export function jsonFields(fields: { readonly [key: string]: JsonValue | undefined }): JsonObject {
  const object: Record<string, JsonValue> = {}
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) object[key] = value
  }
  return object
}
