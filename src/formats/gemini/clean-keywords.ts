import type { JsonObject, JsonValue } from '../ir/chat-request.ts'

const FORMATS: ReadonlyMap<string, ReadonlySet<string>> = new Map<string, ReadonlySet<string>>([
  ['string', new Set(['enum', 'date-time'])],
  ['integer', new Set(['int32', 'int64'])],
  ['number', new Set(['float', 'double'])],
])

/** Keywords that hold text or free values. */
export function cleanTexts(node: JsonObject, type: string): JsonObject {
  const { enum: values, note } = cleanEnum(node['enum'], type)
  const description = [node['description'], note].filter((text) => typeof text === 'string' && text !== '').join(' ')
  const format = node['format']
  return {
    ...(typeof node['title'] === 'string' ? { title: node['title'] } : {}),
    ...(description === '' ? {} : { description }),
    ...(typeof format === 'string' && FORMATS.get(type)?.has(format) ? { format } : {}),
    ...(values.length > 0 ? { enum: values } : {}),
    ...(type === 'string' && typeof node['pattern'] === 'string' ? { pattern: node['pattern'] } : {}),
    ...(node['default'] === undefined ? {} : { default: node['default'] }),
    ...(node['example'] === undefined ? {} : { example: node['example'] }),
  }
}

/** Gemini knows `enum` for strings only, without "". The allowed values of other types are said in the description. */
function cleanEnum(values: JsonValue | undefined, type: string): { enum: string[]; note?: string } {
  const given = Array.isArray(values) ? values.filter((value) => value !== null) : []
  const texts = given.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
  if (type === 'string') return { enum: [...new Set(texts)].filter((text) => text !== '') }
  return given.length === 0 ? { enum: [] } : { enum: [], note: `One of: ${texts.join(', ')}.` }
}

const COUNTS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['string', ['minLength', 'maxLength']],
  ['array', ['minItems', 'maxItems']],
])

/** Bounds and counts. */
export function cleanNumbers(node: JsonObject, type: string): JsonObject {
  const kept = new Map<string, number>()
  for (const key of COUNTS.get(type) ?? []) {
    const count = node[key]
    if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) kept.set(key, count)
  }
  if (type === 'number' || type === 'integer') {
    const step = type === 'integer' ? 1 : 0
    const limit = node['format'] === 'int32' ? 2 ** 31 - 1 : Number.MAX_SAFE_INTEGER - 1
    const minimum = Math.max(...bounds(node['minimum'], node['exclusiveMinimum'], step))
    const maximum = Math.min(...bounds(node['maximum'], node['exclusiveMaximum'], -step))
    if (Math.abs(minimum) <= limit) kept.set('minimum', minimum)
    if (Math.abs(maximum) <= limit) kept.set('maximum', maximum)
  }
  return Object.fromEntries(kept)
}

/** The subset has inclusive bounds only; in draft 4 `exclusiveMinimum` was a boolean beside `minimum`. */
function bounds(inclusive: JsonValue | undefined, exclusive: JsonValue | undefined, step: number): number[] {
  return [
    ...(typeof inclusive === 'number' ? [inclusive] : []),
    ...(typeof exclusive === 'number' ? [exclusive + step] : []),
  ]
}
