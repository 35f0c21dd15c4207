import type { JsonObject, JsonValue } from './chat-request.ts'
import { isJsonObject } from './json-fields.ts'

/** A list with each of its objects changed, those for which `change` gives undefined left out. What is no list, or no object in it, stays. */
export function changeObjects(
  value: JsonValue | undefined,
  change: (entry: JsonObject, index: number) => JsonObject | undefined,
): JsonValue | undefined {
  if (!Array.isArray(value)) return value
  return value.flatMap((entry: JsonValue, index): JsonValue[] => {
    if (!isJsonObject(entry)) return [entry]
    const changed = change(entry, index)
    return changed === undefined ? [] : [changed]
  })
}

/** The objects of a list; none where the value is no list. */
export function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/** A copy without some members. */
export function withoutMembers(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}
