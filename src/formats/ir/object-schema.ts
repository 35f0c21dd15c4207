import type { JsonObject, JsonValue } from './chat-request.ts'
import { isJsonObject } from './json-fields.ts'

const UNIONS = ['anyOf', 'oneOf', 'allOf'] as const

/** Where a walk through the unions and references at the root of a schema stands. */
interface Walk {
  readonly root: JsonObject
  /** References being resolved on the way here. */
  readonly references: ReadonlySet<string>
  readonly depth: number
  /** Shared by the whole walk: references may multiply a small schema without end. */
  readonly budget: { characters: number }
  /** Told of what is left out because it is too deep or too long. */
  readonly onCut: () => void
}
const MAX_DEPTH = 40
const MAX_REFERENCED_CHARACTERS = 200_000

/**
 * A schema whose root is a plain object, which is all that Anthropic and OpenAI take for a tool's input; undefined when the root is
 * another type. `onCut` is called when branches or references are left out because they lead too deep or are too long.
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
 * @see https://platform.openai.com/docs/guides/structured-outputs#root-objects-must-not-be-anyof-and-must-be-an-object
 */
export function objectSchema(schema: JsonObject | undefined, onCut: () => void): JsonObject | undefined {
  if (schema === undefined) return { type: 'object', properties: {} }
  const budget = { characters: MAX_REFERENCED_CHARACTERS }
  const flat = flatten(schema, { root: schema, references: new Set(['#']), depth: 0, budget, onCut })
  if (flat === undefined) return undefined
  return { ...flat, type: 'object', ...(flat['properties'] === undefined && { properties: {} }) }
}

/** The schema without a reference or union at its root. Undefined when no object fits it, or when it only leads back to itself. */
function flatten(schema: JsonObject, walk: Walk): JsonObject | undefined {
  if (walk.depth > MAX_DEPTH) return cut(walk)
  const inner = { ...walk, depth: walk.depth + 1 }
  const resolved = resolveReference(schema, inner)
  if (resolved === undefined || !mayBeObject(resolved)) return undefined
  return UNIONS.reduce<JsonObject | undefined>(
    (flat, keyword) => (flat === undefined ? undefined : flattenUnion(flat, keyword, inner)),
    resolved,
  )
}

function cut({ onCut }: Walk): undefined {
  onCut()
}

/** `{"$ref": "#/$defs/Input", "$defs": …}`, as schema generators write it. A reference to somewhere else stays. */
function resolveReference(schema: JsonObject, walk: Walk): JsonObject | undefined {
  const { $ref: reference, ...rest } = schema
  if (typeof reference !== 'string') return schema
  if (walk.references.has(reference)) return undefined
  const definition = findDefinition(walk.root, reference)
  if (definition === undefined) return schema
  walk.budget.characters -= JSON.stringify(definition).length
  if (walk.budget.characters < 0) return cut(walk)
  const flat = flatten(definition, { ...walk, references: new Set([...walk.references, reference]) })
  return flat && { ...rest, ...flat, ...allHold([rest, flat]) }
}

function findDefinition(root: JsonObject, reference: string): JsonObject | undefined {
  const [, group = '', name = ''] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(reference) ?? []
  const definitions = root[group]
  const definition = isJsonObject(definitions) ? definitions[name] : undefined
  return isJsonObject(definition) ? definition : undefined
}

function mayBeObject({ type }: JsonObject): boolean {
  return type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object'))
}

/** Branches become one object, which takes what any of them takes (of `allOf`: all). Branches of another type cannot be meant. */
function flattenUnion(schema: JsonObject, keyword: (typeof UNIONS)[number], walk: Walk): JsonObject | undefined {
  const { [keyword]: list, ...rest } = schema
  const union = Array.isArray(list) ? list.filter(isJsonObject) : []
  if (union.length === 0) return schema
  const branches = union.map((branch) => flatten(branch, walk)).filter((branch) => branch !== undefined)
  if (branches.length === 0) return undefined
  return { ...rest, ...allHold([rest, keyword === 'allOf' ? allHold(branches) : anyHolds(branches)]) }
}

/** The members of an object that fits all schemas. */
function allHold(schemas: readonly JsonObject[]): JsonObject {
  const required = [...new Set(schemas.flatMap(requiredNames))]
  return {
    properties: mergeProperties(schemas, allOf),
    ...(required.length > 0 && { required }),
    ...(schemas.some(isClosed) && { additionalProperties: false }),
  }
}

/** The members of an object that fits one of the schemas: only what each of them requires is required. */
function anyHolds(schemas: readonly JsonObject[]): JsonObject {
  const lists = schemas.map((schema) => new Set(requiredNames(schema)))
  return {
    properties: mergeProperties(schemas, anyOf),
    required: [...(lists[0] ?? [])].filter((name) => lists.every((list) => list.has(name))),
    ...(schemas.every(isClosed) && { additionalProperties: false }),
  }
}

/** A property that is described in several ways becomes what `join` makes of them. */
function mergeProperties(
  schemas: readonly JsonObject[],
  join: (descriptions: readonly JsonValue[]) => JsonValue,
): JsonObject {
  const merged = new Map<string, Map<string, JsonValue>>()
  for (const { properties } of schemas) {
    for (const [name, description] of Object.entries(isJsonObject(properties) ? properties : {})) {
      const descriptions = merged.get(name) ?? new Map<string, JsonValue>()
      merged.set(name, descriptions.set(JSON.stringify(description), description))
    }
  }
  return Object.fromEntries(
    [...merged].map(([name, byText]) => {
      const [first, ...others] = byText.values()
      return [name, first === undefined || others.length > 0 ? join([...byText.values()]) : first]
    }),
  )
}

/** Constants of one type become one list: `{"const": "create"}` and `{"const": "delete"}` tell the branches apart. */
function anyOf(descriptions: readonly JsonValue[]): JsonObject {
  const lists = descriptions.map(constants)
  const values = lists.flatMap((list) => list ?? [])
  const isOneType = new Set(values.map((value) => typeof value)).size === 1
  if (lists.includes(undefined) || !isOneType) return { anyOf: descriptions }
  const { const: _, enum: __, ...shared } = sharedKeywords(descriptions.filter(isJsonObject))
  return { ...shared, enum: [...new Set(values)] }
}

function constants(description: JsonValue): readonly JsonValue[] | undefined {
  if (!isJsonObject(description)) return undefined
  const { const: constant, enum: list } = description
  if (constant !== undefined) return [constant]
  return Array.isArray(list) ? list : undefined
}

function sharedKeywords([first = {}, ...others]: readonly JsonObject[]): JsonObject {
  const isShared = ([keyword, value]: [string, JsonValue]): boolean =>
    others.every((other) => JSON.stringify(other[keyword]) === JSON.stringify(value))
  return Object.fromEntries(Object.entries(first).filter(isShared))
}

/** One description where no keyword contradicts another. */
function allOf(descriptions: readonly JsonValue[]): JsonObject {
  const objects = descriptions.filter(isJsonObject)
  const joined = Object.fromEntries(objects.flatMap((object) => Object.entries(object)))
  const isKept = (object: JsonObject): boolean =>
    Object.entries(object).every(([keyword, value]) => JSON.stringify(joined[keyword]) === JSON.stringify(value))
  return objects.length === descriptions.length && objects.every(isKept) ? joined : { allOf: descriptions }
}

function requiredNames({ required }: JsonObject): string[] {
  return Array.isArray(required) ? required.filter((entry) => typeof entry === 'string') : []
}

function isClosed(schema: JsonObject): boolean {
  return schema['additionalProperties'] === false
}
