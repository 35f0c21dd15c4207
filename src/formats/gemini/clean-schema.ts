import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'
import { cleanNumbers, cleanTexts } from './clean-keywords.ts'
import { expandSchema, mergeSchemas, type SchemaPlace } from './expand-schema.ts'

type SchemaType = 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object'
const TYPES: ReadonlySet<string> = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object'])

interface Walk extends SchemaPlace {
  /** Shared by the whole walk: references may multiply a small schema without end. */
  readonly budget: { nodes: number }
}
const MAX_NODES = 5_000
const MAX_DEPTH = 40

/**
 * Reduces JSON Schema to the subset of OpenAPI that Gemini's `parameters` and `responseSchema` know. Only for schemas, never for
 * arguments. What the subset cannot say is left out, which only widens what is valid; a schema that contains itself ends in a
 * plain object, and so does one of more than 5,000 parts or 40 levels: `onCut` tells of it. Never throws.
 * @see https://ai.google.dev/api/caching#Schema
 */
export function cleanSchema(schema: JsonObject, onCut: () => void): JsonObject {
  return cleanNode(schema, { root: schema, references: new Set(), depth: 0, onCut, budget: { nodes: MAX_NODES } })
}

function cleanNode(value: JsonValue, walk: Walk): JsonObject {
  walk.budget.nodes -= 1
  if (walk.budget.nodes < 0 || walk.depth > MAX_DEPTH) {
    walk.onCut()
    return { type: 'object' }
  }
  if (!isJsonObject(value)) return { type: 'string' }
  const { node, place } = expandSchema(value, walk)
  const inner: Walk = { ...place, budget: walk.budget }
  const { const: constant, ...rest } = node
  const single = constant === undefined ? rest : { ...rest, enum: [constant] }
  const { types, nullable } = readTypes(single)
  const branches = readBranches(single)
  if (branches.length > 0) return cleanUnion(single, { branches, nullable }, inner)
  if (types.length > 1) return cleanUnion(single, { branches: types.map((type) => ({ type })), nullable }, inner)
  return cleanPlain(single, { type: types[0] ?? inferType(single), nullable }, inner)
}

function readTypes(node: JsonObject): { types: SchemaType[]; nullable: boolean } {
  const declared = [node['type'] ?? []]
    .flat()
    .filter((type) => typeof type === 'string')
    .map((type) => type.toLowerCase())
  const values = Array.isArray(node['enum']) ? node['enum'] : []
  return {
    types: declared.filter(isSchemaType),
    nullable: node['nullable'] === true || declared.includes('null') || values.includes(null),
  }
}

function isSchemaType(type: string): type is SchemaType {
  return TYPES.has(type)
}

function inferType(node: JsonObject): SchemaType {
  if (isJsonObject(node['properties']) || node['additionalProperties'] !== undefined) return 'object'
  if (node['items'] !== undefined || node['prefixItems'] !== undefined) return 'array'
  if (Array.isArray(node['enum'])) return inferEnumType(node['enum'].filter((value) => value !== null))
  return typeof node['minimum'] === 'number' || typeof node['maximum'] === 'number' ? 'number' : 'string'
}

function inferEnumType(values: readonly JsonValue[]): SchemaType {
  if (values.length === 0) return 'string'
  if (values.every((value) => typeof value === 'number')) return values.every(Number.isInteger) ? 'integer' : 'number'
  return values.every((value) => typeof value === 'boolean') ? 'boolean' : 'string'
}

function readBranches(node: JsonObject): readonly JsonValue[] {
  for (const key of ['anyOf', 'oneOf']) {
    const branches = node[key]
    if (Array.isArray(branches) && branches.length > 0) return branches
  }
  return []
}

interface Union {
  readonly branches: readonly JsonValue[]
  readonly nullable: boolean
}

/** A node with `anyOf` may have nothing else, so what it says besides goes into each branch. */
function cleanUnion(node: JsonObject, union: Union, walk: Walk): JsonObject {
  const { anyOf: _, oneOf: __, nullable: ___, type, ...rest } = node
  const base = Array.isArray(type) || type === undefined ? rest : { ...rest, type }
  const branches = union.branches.filter((branch) => !isNull(branch))
  const nullable = union.nullable || branches.length < union.branches.length
  if (!branches.some(describesValue)) {
    return cleanPlain(base, { type: readTypes(base).types[0] ?? inferType(base), nullable }, walk)
  }
  const cleaned = branches
    .map((branch) => cleanNode(isJsonObject(branch) ? mergeSchemas(branch, base) : branch, walk))
    .flatMap((branch) => (Array.isArray(branch['anyOf']) ? branch['anyOf'].filter(isJsonObject) : [branch]))
    .map((branch) => (nullable ? { ...branch, nullable } : branch))
  const [only] = cleaned
  return cleaned.length === 1 && only !== undefined ? only : { anyOf: cleaned }
}

function isNull(branch: JsonValue): boolean {
  if (!isJsonObject(branch)) return false
  const values = branch['enum']
  if (branch['type'] === 'null' || branch['const'] === null) return true
  return Array.isArray(values) && values.length > 0 && values.every((value) => value === null)
}

const DESCRIBING = ['type', 'properties', 'items', 'enum', 'const', '$ref', 'anyOf', 'oneOf', 'allOf']

/** `anyOf: [{required: [a]}, {required: [b]}]` only narrows what stands beside it, which the subset cannot say. */
function describesValue(branch: JsonValue): boolean {
  return isJsonObject(branch) && DESCRIBING.some((key) => branch[key] !== undefined)
}

interface PlainType {
  readonly type: SchemaType
  readonly nullable: boolean
}

function cleanPlain(node: JsonObject, { type, nullable }: PlainType, walk: Walk): JsonObject {
  return {
    type,
    ...cleanTexts(node, type),
    ...(nullable ? { nullable } : {}),
    ...cleanNumbers(node, type),
    ...(type === 'array' ? { items: cleanItems(node, walk) } : {}),
    ...(type === 'object' ? cleanProperties(node, walk) : {}),
  }
}

/** An array must say what it holds; a tuple becomes a list of any of its members. */
function cleanItems(node: JsonObject, walk: Walk): JsonObject {
  const prefix = Array.isArray(node['prefixItems']) ? node['prefixItems'] : []
  const items = node['items']
  const members = Array.isArray(items) ? items : [...prefix, ...(isJsonObject(items) ? [items] : [])]
  if (members.length <= 1) return cleanNode(members[0] ?? true, walk)
  return cleanNode({ anyOf: members }, walk)
}

function cleanProperties(node: JsonObject, walk: Walk): JsonObject {
  const properties = isJsonObject(node['properties']) ? node['properties'] : {}
  const possible = Object.entries(properties).filter(([, schema]) => schema !== false)
  if (possible.length === 0) return {}
  const names = new Set(possible.map(([name]) => name))
  const required = namesAmong(node['required'], names)
  const ordering = namesAmong(node['propertyOrdering'], names)
  return {
    properties: Object.fromEntries(possible.map(([name, schema]) => [name, cleanNode(schema, walk)])),
    ...(required.length > 0 ? { required } : {}),
    ...(ordering.length > 0 ? { propertyOrdering: ordering } : {}),
  }
}

function namesAmong(value: JsonValue | undefined, names: ReadonlySet<string>): string[] {
  const listed = Array.isArray(value) ? value : []
  return [...new Set(listed.filter((name) => typeof name === 'string'))].filter((name) => names.has(name))
}
