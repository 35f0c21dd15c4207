import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/** Keywords whose value is a schema, a list of schemas, or a map of names to schemas. */
const SCHEMA_KEYS = new Set(['items', 'additionalProperties', 'not', 'contains', 'if', 'then', 'else', 'propertyNames'])
const SCHEMA_LIST_KEYS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])
const SCHEMA_MAP_KEYS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
const INTEGER_KEYS = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'])
const PROTO_TYPES = new Set(['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT', 'NULL'])

/**
 * Reads Google's `Schema` message as JSON Schema: type names in capitals, `snake_case` keywords, integers as strings, `nullable`.
 * A schema that is JSON Schema already comes out as it was. Names of properties and values of `enum` or `default` stay untouched.
 * @see https://ai.google.dev/api/caching#Schema
 */
export function readSchema(schema: JsonObject): JsonObject {
  const read: [string, JsonValue][] = []
  for (const [key, value] of Object.entries(schema)) {
    const keyword = PROTO_KEYWORDS.get(key) ?? key
    if (keyword === 'propertyOrdering' || keyword === 'nullable') continue
    read.push([keyword, readKeyword(keyword, value)])
  }
  const result = Object.fromEntries(read)
  return schema['nullable'] === true ? withNull(result) : result
}

/** The `snake_case` names of the fields of `Schema` that are made of two words. */
const PROTO_KEYWORDS = new Map([
  ['any_of', 'anyOf'],
  ['min_items', 'minItems'],
  ['max_items', 'maxItems'],
  ['min_length', 'minLength'],
  ['max_length', 'maxLength'],
  ['min_properties', 'minProperties'],
  ['max_properties', 'maxProperties'],
  ['property_ordering', 'propertyOrdering'],
])

function readKeyword(keyword: string, value: JsonValue): JsonValue {
  if (keyword === 'type') return readType(value)
  if (INTEGER_KEYS.has(keyword) && typeof value === 'string' && /^-?\d+$/.test(value)) return Number(value)
  if (SCHEMA_KEYS.has(keyword)) return readNested(value)
  if (SCHEMA_LIST_KEYS.has(keyword) && Array.isArray(value)) return value.map(readNested)
  if (SCHEMA_MAP_KEYS.has(keyword) && isJsonObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, nested]) => [name, readNested(nested)]))
  }
  return value
}

function readNested(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(readNested)
  return isJsonObject(value) ? readSchema(value) : value
}

function readType(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(readType)
  return typeof value === 'string' && PROTO_TYPES.has(value) ? value.toLowerCase() : value
}

function withNull(schema: JsonObject): JsonObject {
  const type = schema['type']
  if (typeof type === 'string' && type !== 'null') return { ...schema, type: [type, 'null'] }
  const branches = schema['anyOf']
  return Array.isArray(branches) ? { ...schema, anyOf: [...branches, { type: 'null' }] } : schema
}
