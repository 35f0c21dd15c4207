import type { JsonObject, JsonValue } from './chat-request.ts'
import { isJsonObject } from './json-fields.ts'

const UNIONS = ['anyOf', 'oneOf', 'allOf'] as const

/**
 * A schema whose root is a plain object, which is all that Anthropic and OpenAI take for a tool's input; undefined when the root is
 * another type.
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
 * @see https://platform.openai.com/docs/guides/structured-outputs#root-objects-must-not-be-anyof-and-must-be-an-object
 */
export function objectSchema(schema: JsonObject | undefined): JsonObject | undefined {
  if (schema === undefined) return { type: 'object', properties: {} }
  const flat = flattenUnions(resolveRoot(schema))
  const { type } = flat
  const isObjectType = type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object'))
  if (!isObjectType) return undefined
  return { ...flat, type: 'object', ...(flat['properties'] === undefined && { properties: {} }) }
}

/** `{"$ref": "#/$defs/Input", "$defs": …}`, as schema generators write it. */
function resolveRoot(schema: JsonObject): JsonObject {
  const { $ref: reference, ...rest } = schema
  const [, group = '', name = ''] =
    /^#\/(\$defs|definitions)\/([^/]+)$/.exec(typeof reference === 'string' ? reference : '') ?? []
  const definitions = schema[group]
  const definition = isJsonObject(definitions) ? definitions[name] : undefined
  return isJsonObject(definition) ? { ...rest, ...definition } : schema
}

/** Branches become one object: every property may occur, and only what all branches require (of `allOf`: any) is required. */
function flattenUnions(schema: JsonObject): JsonObject {
  return UNIONS.reduce((flat, keyword) => {
    const { [keyword]: list, ...rest } = flat
    const branches = Array.isArray(list) ? list.filter(isJsonObject) : []
    if (branches.length === 0) return flat
    const lists = branches.map((branch) => new Set(stringList(branch['required'])))
    const names = keyword === 'allOf' ? lists.flatMap((all) => [...all]) : [...(lists[0] ?? [])]
    const common = keyword === 'allOf' ? names : names.filter((name) => lists.every((all) => all.has(name)))
    const required = [...new Set([...stringList(rest['required']), ...common])]
    return {
      ...rest,
      properties: mergedProperties([rest, ...branches]),
      ...(required.length > 0 && { required }),
    }
  }, schema)
}

function mergedProperties(schemas: readonly JsonObject[]): JsonObject {
  return Object.fromEntries(
    schemas.flatMap(({ properties }) => (isJsonObject(properties) ? Object.entries(properties) : [])),
  )
}

function stringList(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
}
