import { z } from 'zod'

/** A JSON schema, or a part of one. */
export type SchemaNode = Readonly<Record<string, unknown>>

const LOOKAROUND = /\(\?[=!<]/
const INT32_MAX = 2 ** 31 - 1
/** What a structural schema has no place for. */
const FORBIDDEN = ['$ref', 'allOf', 'anyOf', 'oneOf', 'not', 'prefixItems', 'const']
/** `propertyNames` has no counterpart; the schemas constrain no names of maps. `title` is for the docs. */
const DROPPED = ['$schema', 'propertyNames', 'title']

/**
 * The schema as a CustomResourceDefinition wants it. Unknown fields are pruned by the API server instead of refused.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 * @throws Error for what such a schema cannot say; the zod schema must then be written another way.
 */
export function structuralSchema(schema: z.ZodType): SchemaNode {
  return structuralNode(asNode(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' })), '')
}

function structuralNode(node: SchemaNode, path: string): SchemaNode {
  const forbidden = FORBIDDEN.find((keyword) => keyword in node)
  if (forbidden !== undefined) throw new Error(`a CRD cannot say ${forbidden} at ${path || 'the root'}`)
  if (typeof node['type'] !== 'string') throw new Error(`no single type at ${path || 'the root'}`)
  const { properties, items, additionalProperties, pattern, ...plain } = omit(node, DROPPED)
  return {
    ...plain,
    ...(plain['type'] === 'integer' && integerFormat(plain)),
    ...(plain['format'] !== 'date-time' && typeof pattern === 'string' && { pattern: goPattern(pattern, path) }),
    ...(isNode(properties) && {
      properties: mapValues(properties, (child, name) => structuralNode(child, `${path}.${name}`)),
    }),
    ...(isNode(items) && { items: structuralNode(items, `${path}[]`) }),
    ...(isNode(additionalProperties) && { additionalProperties: structuralNode(additionalProperties, `${path}{}`) }),
  }
}

function integerFormat(node: SchemaNode): SchemaNode {
  return { format: Number(node['maximum']) <= INT32_MAX ? 'int32' : 'int64' }
}

/** Go's regular expressions know no lookaround and need no escape for a slash. */
function goPattern(pattern: string, path: string): string {
  if (LOOKAROUND.test(pattern)) throw new Error(`a CRD cannot say the lookaround pattern at ${path}`)
  return pattern.replaceAll('\\/', '/')
}

export function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws Error when it is no object. */
export function asNode(value: unknown): SchemaNode {
  if (!isNode(value)) throw new Error('not a schema')
  return value
}

export function omit(node: SchemaNode, keywords: readonly string[]): SchemaNode {
  return Object.fromEntries(Object.entries(node).filter(([keyword]) => !keywords.includes(keyword)))
}

function mapValues(node: SchemaNode, change: (child: SchemaNode, name: string) => unknown): SchemaNode {
  return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, change(asNode(child), name)]))
}
