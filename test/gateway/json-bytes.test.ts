import fc from 'fast-check'
import t from 'tap'
import { jsonBytes } from '../../src/gateway/json-bytes.ts'

/** Texts of every width in UTF-8, short and longer than any piece, with lone surrogates and pairs at any place. */
const text = fc
  .tuple(
    fc.string({
      unit: fc.constantFrom('a', '"', '\\', '\n', '\u0000', 'é', '–', '😀', '\ud800', '\udc00'),
      maxLength: 40,
    }),
    fc.constantFrom(0, 1, 60, 1_500),
  )
  .map(([unit, times]) => unit.repeat(times))
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 8 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4 }),
  ),
})).value
const object = fc.dictionary(fc.oneof(text, fc.constantFrom('__proto__', '7', '1')), value, { maxKeys: 6 })

t.test('the bytes are those of JSON.stringify, whatever the lengths', (t) => {
  fc.assert(
    fc.property(object, fc.constantFrom(0, 1_000_000), (sample, length) => {
      // Made by JSON.parse, as bodies are.
      const body = JSON.parse(JSON.stringify(sample))
      return jsonBytes(body, length).equals(Buffer.from(JSON.stringify(body)))
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test(
  'long arrays and texts, also longer than all room kept for them, and the bytes of one are not those of the next',
  (t) => {
    const bodies = [
      {},
      { messages: [] },
      { messages: Array.from({ length: 3_000 }, (_, at) => ({ role: 'user', content: `${at} é😀`.repeat(30) })) },
      { messages: [{ content: '–'.repeat(90_000) }, { content: 'x'.repeat(1_000_000) }, { content: 'é' }], model: 'm' },
      { a: 'é'.repeat(40_000), b: [[1, 2, [3]], 'é'.repeat(40_000)], c: Array(50_000).fill(null) },
    ]
    const written = bodies.map((body) => jsonBytes(body, 1_000_000))
    for (const [at, body] of bodies.entries())
      t.ok(written[at]?.equals(Buffer.from(JSON.stringify(body))), `body ${at}`)
    t.end()
  },
)
