import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { scanJson } from '#formats/json-scan/scan-json.ts'
import { parseScanned } from '../../src/gateway/parse-scanned.ts'

function parsed(text: string): unknown {
  const bytes = Buffer.from(text)
  return parseScanned(bytes, scanJson(bytes, { maxDepth: 64 }))
}

const content = fc
  .tuple(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constantFrom(1, 50, 3_000))
  .map(([unit, times]) => unit.repeat(times))
const element = fc.oneof(
  content,
  fc.record({ role: fc.constantFrom('user', 'assistant'), content }),
  fc.jsonValue({ maxDepth: 3 }),
)
const key = fc.constantFrom('messages', 'tools', '__proto__', 'constructor', 'a,]b', 'é', 'model')

t.test('the value is that of JSON.parse, whatever stands in the arrays, with and without spaces', (t) => {
  const object = fc.dictionary(key, fc.oneof(content, fc.array(element, { maxLength: 40 })), { maxKeys: 6 })
  fc.assert(
    fc.property(object, fc.constantFrom(undefined, 1, '\r\n\t '), (sample, space) => {
      const text = JSON.stringify(sample, null, space)
      return isDeepStrictEqual(parsed(text), JSON.parse(text))
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('a long array is parsed in pieces, also when one element is longer than many', (t) => {
  const messages = Array.from({ length: 60 }, (_, at) => ({
    role: 'user',
    content: `${at} – é "]},[{" \\`.repeat(at * 9),
  }))
  const body = { model: 'm', messages, tools: [['x'.repeat(200_000)], [], {}], after: [1] }
  const bytes = Buffer.from(JSON.stringify(body))
  const scan = scanJson(bytes, { maxDepth: 64 })
  t.ok((scan.members.get('messages')?.cuts?.length ?? 0) > 5)
  t.equal(scan.members.get('after')?.cuts, undefined)
  t.strictSame(parseScanned(bytes, scan), body)
  t.end()
})

t.test('members named __proto__ become what JSON.parse makes of them', (t) => {
  const long = JSON.stringify(Array(2_000).fill('polluted'))
  const value = parsed(`{"__proto__":${long},"a":{"__proto__":${long}},"constructor":${long}}`)
  t.strictSame(Object.keys(Object(value)), ['__proto__', 'a', 'constructor'])
  t.equal(Object.getPrototypeOf(value), Object.prototype)
  t.equal(Reflect.get({}, 'polluted'), undefined)
  t.end()
})

t.test('other roots, and members that are objects, are not cut', (t) => {
  for (const text of [
    '[1,[2,3]]',
    `[${JSON.stringify(Array(9_000).fill(1))}]`,
    '"x"',
    JSON.stringify({ a: { b: 'x'.repeat(9_000), c: 1, d: 2 } }),
  ]) {
    t.strictSame(parsed(text), JSON.parse(text))
  }
  t.end()
})
