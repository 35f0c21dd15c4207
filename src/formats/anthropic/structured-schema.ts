import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/** @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations */
const UNSUPPORTED = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'maxItems',
  'uniqueItems',
  'contains',
  'minContains',
  'maxContains',
  'minProperties',
  'maxProperties',
  'propertyNames',
  'patternProperties',
  'dependentRequired',
  'dependentSchemas',
  'unevaluatedProperties',
  'unevaluatedItems',
  'if',
  'then',
  'else',
  'not',
  'examples',
  '$schema',
  '$id',
])
const MAPS = new Set(['properties', '$defs', 'definitions'])
const LISTS = new Set(['anyOf', 'allOf', 'prefixItems'])

/**
 * The schema in the subset that `output_config.format` takes. Keywords outside of it are moved into the description, so that
 * the model still reads them. Undefined when the answer needs free-form objects, which the subset cannot describe.
 */
export function structuredSchema(schema: JsonObject): JsonObject | undefined {
  return hasFreeFormObject(schema) ? undefined : filterSchema(schema)
}

function filterSchema(schema: JsonObject): JsonObject {
  const entries = Object.entries(schema)
  const kept = entries.filter((entry) => !isUnsupported(entry)).map(filterEntry)
  return {
    ...Object.fromEntries(kept),
    ...(isObjectSchema(schema) && { additionalProperties: false }),
    ...describeHints(schema['description'], entries.filter(isUnsupported)),
  }
}

function isUnsupported([key, value]: [string, JsonValue]): boolean {
  return UNSUPPORTED.has(key) || (key === 'minItems' && typeof value === 'number' && value > 1)
}

function filterEntry([key, value]: [string, JsonValue]): [string, JsonValue] {
  const name = key === 'oneOf' ? 'anyOf' : key
  return [name, filterMember(name, value)]
}

function describeHints(description: JsonValue | undefined, removed: readonly [string, JsonValue][]): JsonObject {
  const hints = removed.filter(([key, value]) => !key.startsWith('$') && typeof value !== 'object')
  if (hints.length === 0) return {}
  const text = hints.map(([key, value]) => `${key}: ${String(value)}`).join(', ')
  return { description: typeof description === 'string' ? `${description} (${text})` : `(${text})` }
}

/** Only places that hold schemas are walked: a property may well be named `pattern`, and an `enum` may hold anything. */
function filterMember(key: string, value: JsonValue): JsonValue {
  if (MAPS.has(key) && isJsonObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, filterMember('items', member)]))
  }
  if (LISTS.has(key) && Array.isArray(value)) return value.map((member) => filterMember('items', member))
  return key === 'items' && isJsonObject(value) ? filterSchema(value) : value
}

function hasFreeFormObject(schema: JsonObject): boolean {
  const { additionalProperties: extra, properties } = schema
  const isOpen = extra === true || (extra !== false && isObjectSchema(schema))
  if (isJsonObject(extra) || (isOpen && properties === undefined)) return true
  return Object.entries(schema).some(([key, value]) => {
    if (MAPS.has(key) && isJsonObject(value)) return Object.values(value).some(isFreeForm)
    if ((LISTS.has(key) || key === 'oneOf') && Array.isArray(value)) return value.some(isFreeForm)
    return key === 'items' && isFreeForm(value)
  })
}

function isFreeForm(value: JsonValue): boolean {
  return isJsonObject(value) && hasFreeFormObject(value)
}

function isObjectSchema(schema: JsonObject): boolean {
  const { type } = schema
  return type === 'object' || (Array.isArray(type) && type.includes('object')) || schema['properties'] !== undefined
}
