import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/** Whether every object of the schema is closed and requires all that it lists. @see https://platform.openai.com/docs/guides/structured-outputs#supported-schemas */
export function fitsStrictMode(schema: JsonObject): boolean {
  return isClosed(schema) && children(schema).filter(isJsonObject).every(fitsStrictMode)
}

function isClosed({ type, properties, required, additionalProperties }: JsonObject): boolean {
  if (type !== 'object' && !isJsonObject(properties)) return true
  const names = isJsonObject(properties) ? Object.keys(properties) : []
  const listed = new Set<JsonValue>(Array.isArray(required) ? required : [])
  return additionalProperties === false && names.every((name) => listed.has(name))
}

function children({ properties, $defs, definitions, anyOf, items }: JsonObject): JsonValue[] {
  const groups = [properties, $defs, definitions].flatMap((group) => (isJsonObject(group) ? Object.values(group) : []))
  return [...groups, ...(Array.isArray(anyOf) ? anyOf : []), ...(items === undefined ? [] : [items])]
}
