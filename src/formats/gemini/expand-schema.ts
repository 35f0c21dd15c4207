import { appendAll } from '../ir/append-all.ts'
import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/** Where a walk through a schema stands. */
export interface SchemaPlace {
  readonly root: JsonObject
  /** References being resolved on the way here. */
  readonly references: ReadonlySet<string>
  readonly depth: number
  /** Called where a part is left out: the schema contains itself, or is too deep. */
  readonly onCut: () => void
}

/** What stands for a schema that contains itself: Google's subset cannot say it. */
const ENDLESS: JsonObject = { type: 'object' }

/** A node without `$ref` and `allOf`: both are merged into it. The place it gives back is the one of the node's children. */
export function expandSchema(node: JsonObject, place: SchemaPlace): { node: JsonObject; place: SchemaPlace } {
  const { $ref: reference, allOf, ...own } = node
  const inner = { ...place, depth: place.depth + 1 }
  const layers: JsonValue[] = [own]
  let references = place.references
  if (typeof reference === 'string') {
    if (references.has(reference)) layers.push(cut(place))
    else layers.push(resolvePointer(place.root, reference))
    references = new Set([...references, reference])
  }
  if (Array.isArray(allOf)) appendAll(layers, allOf)
  if (layers.length === 1) return { node: own, place: { ...inner, references } }

  let merged: JsonObject = {}
  for (const layer of layers) {
    if (!isJsonObject(layer)) continue
    // Every step goes deeper or adds a reference, so this ends.
    const expanded = layer === own ? { node: own, place: inner } : expandLayer(layer, { ...inner, references })
    references = new Set([...references, ...expanded.place.references])
    merged = mergeSchemas(merged, expanded.node)
  }
  return { node: merged, place: { ...inner, references } }
}

const MAX_LAYERS = 40

function expandLayer(layer: JsonObject, place: SchemaPlace): { node: JsonObject; place: SchemaPlace } {
  return place.depth > MAX_LAYERS ? { node: cut(place), place } : expandSchema(layer, place)
}

function cut({ onCut }: SchemaPlace): JsonObject {
  onCut()
  return ENDLESS
}

/** `#/$defs/Name`; what is not in this document stands for anything. */
function resolvePointer(root: JsonObject, reference: string): JsonValue {
  if (reference !== '#' && !reference.startsWith('#/')) return {}
  let found: JsonValue | undefined = root
  for (const step of reference.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (isJsonObject(found)) found = Object.hasOwn(found, key) ? found[key] : undefined
    else if (Array.isArray(found)) found = found[Number(key)]
    else return {}
  }
  return found ?? {}
}

/** Both must hold: properties and required names are joined, of other keywords the first one counts. */
export function mergeSchemas(first: JsonObject, second: JsonObject): JsonObject {
  const merged = new Map<string, JsonValue>(Object.entries(first))
  for (const [key, value] of Object.entries(second)) {
    const before = merged.get(key)
    if (before === undefined) merged.set(key, value)
    else if (key === 'properties' && isJsonObject(before) && isJsonObject(value))
      merged.set(key, mergeMaps(before, value))
    else if (key === 'required' && Array.isArray(before) && Array.isArray(value)) merged.set(key, [...before, ...value])
    else if (key === 'enum' && Array.isArray(before) && Array.isArray(value)) {
      merged.set(
        key,
        before.filter((item) => value.includes(item)),
      )
    }
  }
  return Object.fromEntries(merged)
}

function mergeMaps(first: JsonObject, second: JsonObject): JsonObject {
  const merged = new Map<string, JsonValue>(Object.entries(first))
  for (const [name, schema] of Object.entries(second)) {
    const before = merged.get(name)
    const both = isJsonObject(before) && isJsonObject(schema)
    merged.set(name, both ? { allOf: [before, schema] } : (before ?? schema))
  }
  return Object.fromEntries(merged)
}
