import type { Refusal } from '../call-context.ts'
import { isMap, type JsonMap, listOf, memberOf } from '../json-value.ts'

/** The subset for `strict: true`: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas */
export function checkStrictSchema(
  schema: JsonMap,
  subject: string,
  param: string,
  path: readonly string[] = [],
): Refusal | undefined {
  const refuse = (message: string): Refusal => ({
    message: `Invalid schema for ${subject}: In context=(${path.map((part) => `'${part}'`).join(', ')}), ${message}`,
    param,
    code: 'invalid_json_schema',
  })
  const properties = memberOf(schema, 'properties')
  if (schema['type'] === 'object' || isMap(properties)) {
    if (schema['additionalProperties'] !== false)
      return refuse("'additionalProperties' is required to be supplied and to be false.")
    const required = listOf(schema, 'required')
    const absent = Object.keys(isMap(properties) ? properties : {}).find((name) => !required.includes(name))
    if (absent !== undefined) {
      return refuse(
        `'required' is required to be supplied and to be an array including every key in properties. Missing '${absent}'.`,
      )
    }
  }
  for (const [name, child] of childrenOf(schema)) {
    const refusal = isMap(child) ? checkStrictSchema(child, subject, param, [...path, ...name]) : undefined
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function childrenOf(schema: JsonMap): readonly (readonly [readonly string[], unknown])[] {
  const properties = memberOf(schema, 'properties')
  const definitions = memberOf(schema, '$defs')
  return [
    ...Object.entries(isMap(properties) ? properties : {}).map(
      ([name, child]) => [['properties', name], child] as const,
    ),
    ...Object.entries(isMap(definitions) ? definitions : {}).map(([name, child]) => [['$defs', name], child] as const),
    ...listOf(schema, 'anyOf').map((child, index) => [['anyOf', String(index)], child] as const),
    [['items'], memberOf(schema, 'items')] as const,
  ]
}
