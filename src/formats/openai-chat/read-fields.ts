import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

const EMPTY_OBJECT: JsonObject = Object.freeze({})
const EMPTY_LIST: readonly JsonObject[] = Object.freeze([])

/** Replies are read by hand, field by field: a schema would cost more than the rest of the way of a chunk. */
export function readText(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

export function readObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : EMPTY_OBJECT
}

/** The objects of a list; anything else in it is none of ours. */
export function readObjects(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => isJsonObject(item)) : EMPTY_LIST
}

/** A count of tokens or an index. */
export function readCount(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined
}
