import fc from 'fast-check'
import type { JsonObject, JsonValue } from '#formats/ir/chat-request.ts'
import { isJsonObject } from '#formats/ir/json-fields.ts'

/** One seed for all: a run repeats exactly; `FAST_CHECK_SEED` looks elsewhere. */
export const SEED = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_121)

/** What clients with a bug send: wrong types, emptiness, extremes, text that is no text. */
const ODDITIES: readonly JsonValue[] = [
  ...[null, true, false, 0, -1, 0.5, 1e308, -1e308, 2 ** 53, 5e-324],
  ...[
    '',
    ' ',
    'x',
    '0',
    'null',
    '{}',
    '[1]',
    '{"a":',
    'data:;base64,',
    'data:image/png;base64,!',
    'https://',
    '\ud800',
    '\u0000',
    '😀'.repeat(50),
  ],
  ...['constructor', '__proto__', 'toString', 'a'.repeat(5_000), 'model', 'user', 'system', 'tool', 'function', 'text'],
  [],
  {},
  [[]],
  [{}],
  [null],
  ['x', 1],
  { type: 'text' },
  { type: 'x', text: 1 },
  JSON.parse('{"__proto__":{"a":1},"constructor":{"b":2},"toString":3}'),
  nested(40),
]

function nested(depth: number): JsonValue {
  return depth === 0 ? 'deep' : { items: nested(depth - 1), type: 'array' }
}

interface Step {
  readonly kind: 'replace' | 'remove' | 'double' | 'rename' | 'graft'
  /** Which of all places, modulo their number. */
  readonly place: number
  readonly oddity: number
}

/** A few blows at random places. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('replace', 'replace', 'remove', 'double', 'rename', 'graft'),
    place: fc.nat(10_000),
    oddity: fc.nat(10_000),
  }),
  { minLength: 1, maxLength: 4 },
)

type Path = readonly (string | number)[]

function places(value: JsonValue, path: Path = []): Path[] {
  const entries: [string | number, JsonValue][] = Array.isArray(value) ? [...value.entries()] : []
  if (isJsonObject(value)) entries.push(...Object.entries(value))
  return entries.flatMap(([key, child]) => [[...path, key], ...places(child, [...path, key])])
}

/** The body after all blows; the given one stays whole. */
export function mutate(body: JsonObject, blows: readonly Step[]): JsonObject {
  let value: JsonValue = body
  for (const blow of blows) value = strike(value, blow)
  return isJsonObject(value) ? value : { value }
}

function strike(value: JsonValue, { kind, place, oddity }: Step): JsonValue {
  const all = places(value)
  const path = all[place % all.length]
  if (path === undefined) return value
  const odd = ODDITIES[oddity % ODDITIES.length] ?? null
  const source = all[oddity % all.length] ?? path
  return edit(value, path, (holder, key) => {
    if (kind === 'remove') return removed(holder, key)
    if (kind === 'rename' && isJsonObject(holder))
      return { ...removedMember(holder, key), [`${String(key)}_x`]: holder[key] ?? null }
    if (kind === 'double' && Array.isArray(holder)) return [...holder, ...holder.slice(Number(key), Number(key) + 1)]
    return replaced(holder, key, kind === 'graft' ? valueAt(value, source) : odd)
  })
}

type Holder = JsonObject | readonly JsonValue[]

function edit(value: JsonValue, path: Path, change: (holder: Holder, key: string | number) => JsonValue): JsonValue {
  const [key, ...rest] = path
  if (key === undefined || typeof value !== 'object' || value === null) return value
  if (rest.length === 0) return change(value, key)
  return replaced(value, key, edit(valueAt(value, [key]), rest, change))
}

function replaced(holder: Holder, key: string | number, value: JsonValue): JsonValue {
  if (isJsonObject(holder)) return { ...holder, [key]: value }
  return holder.map((old, at) => (at === key ? value : old))
}

function removed(holder: Holder, key: string | number): JsonValue {
  return isJsonObject(holder) ? removedMember(holder, key) : holder.filter((_, at) => at !== key)
}

function removedMember(holder: JsonObject, key: string | number): JsonObject {
  return Object.fromEntries(Object.entries(holder).filter(([name]) => name !== key))
}

function valueAt(value: JsonValue, path: Path): JsonValue {
  let found: JsonValue = value
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return null
    // Both an array and an object are read by their keys.
    found = (found as Readonly<Record<string | number, JsonValue>>)[key] ?? null
  }
  return found
}

/** JSON of any shape with names that formats know, so that it gets past the first check now and then. */
export function jsonWith(names: readonly string[]): fc.Arbitrary<JsonObject> {
  const { object } = fc.letrec<{ object: JsonObject; value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(...ODDITIES.slice(0, 36)),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('object'),
    ),
    object: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 8, noNullPrototype: true }),
  }))
  return object
}

/** All member names within these values. */
export function memberNames(values: readonly JsonValue[]): string[] {
  return [
    ...new Set(
      values.flatMap((value) => places(value)).flatMap((path) => path.filter((key) => typeof key === 'string')),
    ),
  ]
}
