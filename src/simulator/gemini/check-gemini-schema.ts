import { firstRefusal, type Refusal, refusalOfEach } from '../call-context.ts'
import { isMap, type JsonMap, listOf, memberOf, textOf } from '../json-value.ts'
import { toCamel } from './proto-json.ts'

const FIELDS =
  `type format title description nullable enum maxItems minItems properties required minProperties maxProperties minLength maxLength
  pattern example anyOf propertyOrdering default items minimum maximum`.split(/\s+/)
const TYPES = ['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT', 'NULL']
const FORMATS: Record<string, readonly string[]> = {
  STRING: ['enum', 'date-time'],
  INTEGER: ['int32', 'int64'],
  NUMBER: ['float', 'double'],
}

export function unknownName(name: string, at: string): Refusal {
  const place = at === '' ? '' : ` at '${at}'`
  return { message: `Invalid JSON payload received. Unknown name "${name}"${place}: Cannot find field.` }
}

/** `Schema` is a subset of OpenAPI 3.0, parsed as a protobuf message: https://ai.google.dev/api/caching#Schema */
export function checkGeminiSchema(schema: unknown, at: string): Refusal | undefined {
  if (!isMap(schema))
    return { message: `Invalid value at '${at}' (type.googleapis.com/google.ai.generativelanguage.v1beta.Schema)` }
  const unknown = Object.keys(schema).find((name) => !FIELDS.includes(toCamel(name)))
  if (unknown !== undefined) return unknownName(unknown, at)
  return firstRefusal(
    () => checkType(schema, at),
    () => checkEnum(schema, at),
    () => checkObject(schema, at),
    () => checkChildren(schema, at),
  )
}

function checkType(schema: JsonMap, at: string): Refusal | undefined {
  const type = schema['type']
  if (type === undefined) return undefined
  if (Array.isArray(type))
    return {
      message: `Invalid JSON payload received. Unknown name "type" at '${at}': Proto field is not repeating, cannot start list.`,
    }
  const upper = String(type).toUpperCase()
  if (!TYPES.includes(upper))
    return {
      message: `Invalid value at '${at}.type' (type.googleapis.com/google.ai.generativelanguage.v1beta.Type), "${String(type)}"`,
    }
  const format = textOf(schema, 'format')
  const formats = FORMATS[upper]
  if (format !== undefined && formats !== undefined && !formats.includes(format)) {
    const list = formats.map((name) => `'${name}'`).join(' and ')
    return { message: `* GenerateContentRequest.${at}.format: only ${list} are supported for ${upper} type\n` }
  }
  return upper === 'ARRAY' && schema['items'] === undefined
    ? { message: `* GenerateContentRequest.${at}.items: missing field.\n` }
    : undefined
}

function checkEnum(schema: JsonMap, at: string): Refusal | undefined {
  return refusalOfEach(listOf(schema, 'enum'), (value, index) => {
    if (typeof value !== 'string')
      return { message: `Invalid value at '${at}.enum[${index}]' (TYPE_STRING), ${JSON.stringify(value)}` }
    return value === '' ? { message: `* GenerateContentRequest.${at}.enum[${index}]: cannot be empty\n` } : undefined
  })
}

function checkObject(schema: JsonMap, at: string): Refusal | undefined {
  const properties = memberOf(schema, 'properties')
  const names = isMap(properties) ? Object.keys(properties) : []
  if (String(schema['type']).toUpperCase() === 'OBJECT' && names.length === 0 && properties !== undefined) {
    return { message: `* GenerateContentRequest.${at}.properties: should be non-empty for OBJECT type\n` }
  }
  const index = listOf(schema, 'required').findIndex((name) => typeof name !== 'string' || !names.includes(name))
  return index === -1
    ? undefined
    : { message: `* GenerateContentRequest.${at}.required[${index}]: property is not defined\n` }
}

function checkChildren(schema: JsonMap, at: string): Refusal | undefined {
  const properties = memberOf(schema, 'properties')
  const items = memberOf(schema, 'items')
  return firstRefusal(
    () =>
      refusalOfEach(Object.entries(isMap(properties) ? properties : {}), ([name, child]) =>
        checkGeminiSchema(child, `${at}.properties[${name}]`),
      ),
    () => (items === undefined ? undefined : checkGeminiSchema(items, `${at}.items`)),
    () => refusalOfEach(listOf(schema, 'anyOf'), (child, index) => checkGeminiSchema(child, `${at}.any_of[${index}]`)),
  )
}
