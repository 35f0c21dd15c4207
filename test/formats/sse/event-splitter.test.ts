import fc from 'fast-check'
import t from 'tap'
import type { Frame } from '#formats/format.ts'
import { type EventSplitter, type RawEvent, SseSplitter } from '#formats/sse/event-splitter.ts'
import { LineSplitter } from '#formats/sse/line-splitter.ts'
import { writeSseEvent } from '#formats/sse/write-event.ts'
import { recut } from '../../helpers/recut.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

function run(splitter: EventSplitter, chunks: readonly Uint8Array[]): RawEvent[] {
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()]
}
const frames = (events: readonly RawEvent[]): Frame[] => events.flatMap(({ frame }) => frame ?? [])
const joined = (events: readonly RawEvent[]): string =>
  decode(Uint8Array.from(events.flatMap(({ bytes }) => [...bytes])))
const split = (text: string): Frame[] => frames(run(new SseSplitter(), [encode(text)]))

const TRICKY = [
  '\uFEFF: hello\n',
  'event: a\ndata: {"x":"ä€𝄞\u2028"}\n\n',
  ': OPENROUTER PROCESSING\n\n',
  'data:no space\ndata\ndata:  two spaces\nid: 7\nretry: 5\ndatabase: x\nunknown\n\n',
  'event: lonely\n\n\n',
  'data: [DONE]',
].join('')

const EXPECTED: Frame[] = [
  { event: 'a', data: '{"x":"ä€𝄞\u2028"}' },
  { data: 'no space\n\n two spaces' },
  { data: '[DONE]' },
]

t.test('R3.5 an event stream is read as the standard says, whatever its line ends', (t) => {
  for (const lineEnd of ['\n', '\r\n', '\r']) {
    t.strictSame(split(TRICKY.replaceAll('\n', lineEnd)), EXPECTED, JSON.stringify(lineEnd))
  }
  t.end()
})

t.test('R3.5 cut at every byte, a stream gives the same events and the same bytes', (t) => {
  for (const lineEnd of ['\n', '\r\n', '\r']) {
    const text = TRICKY.replaceAll('\n', lineEnd)
    const whole = run(new SseSplitter(), [encode(text)])
    t.equal(joined(whole), text)
    for (const chunks of recut(encode(text))) {
      t.strictSame(run(new SseSplitter(), chunks), whole, `${JSON.stringify(lineEnd)} ${chunks[0]?.length}`)
    }
  }
  t.end()
})

t.test('property: any mix of lines and cuts loses no byte and gives what the uncut stream gives', (t) => {
  const line = fc.constantFrom('data: a', 'data:', 'data', 'event: e', ': c', 'x', '')
  const lineEnd = fc.constantFrom('\n', '\r\n', '\r')
  fc.assert(
    fc.property(fc.array(fc.tuple(line, lineEnd), { maxLength: 20 }), fc.array(fc.nat(40)), (lines, sizes) => {
      const bytes = encode(lines.flat().join(''))
      const chunks: Uint8Array[] = []
      let at = 0
      for (const size of sizes) {
        chunks.push(bytes.subarray(at, at + size))
        at += size
      }
      chunks.push(bytes.subarray(at))
      const events = run(new SseSplitter(), chunks)
      t.equal(joined(events), decode(bytes))
      t.strictSame(frames(events), frames(run(new SseSplitter(), [bytes])))
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('an event is given as soon as its blank line is there, also by a server that ends lines with CR alone', (t) => {
  for (const text of ['data: a\n\n', 'data: a\r\n\r\n', 'data: a\r\r']) {
    t.strictSame(frames(new SseSplitter().push(encode(text))), [{ data: 'a' }], JSON.stringify(text))
  }
  t.end()
})

t.test('each event has its own bytes, comments too', (t) => {
  const events = run(new SseSplitter(), [encode(': c\n\ndata: a\n\nevent: x\r\ndata: b\r\n\r\n')])
  t.strictSame(
    events.map(({ bytes, frame }) => [decode(bytes), frame]),
    [
      [': c\n\n', undefined],
      ['data: a\n\n', { data: 'a' }],
      ['event: x\r\ndata: b\r\n\r\n', { event: 'x', data: 'b' }],
    ],
  )
  t.end()
})

t.test('bytes handed out are not written over later', (t) => {
  const splitter = new SseSplitter()
  splitter.push(encode('data: o'))
  const first = splitter.push(encode('ne\n\ndata: t'))
  splitter.push(encode('wo\n\ndata: three and a good deal more'))
  t.equal(joined(first), 'data: one\n\n')
  t.end()
})

t.test(
  'a comment in the same chunk as data costs no data (Portkey drops the chunk that contains OPENROUTER PROCESSING)',
  (t) => {
    t.strictSame(split(': OPENROUTER PROCESSING\n\ndata: {"content":": OPENROUTER PROCESSING"}\n\n'), [
      { data: '{"content":": OPENROUTER PROCESSING"}' },
    ])
    t.end()
  },
)

t.test('an empty data line is an event, an event without data is none', (t) => {
  t.strictSame(split('data:\n\n'), [{ data: '' }])
  t.strictSame(split('event: ping\n\n'), [])
  t.strictSame(split('\n\n\n'), [])
  t.end()
})

t.test('invalid UTF-8 in an event is an error, not a replacement character', (t) => {
  const bytes = Uint8Array.from([...encode('data: "'), 0xff, ...encode('"\n\n')])
  t.throws(() => new SseSplitter().push(bytes), { code: 'KP-PROV-109' })
  t.throws(() => new LineSplitter().push(bytes), { code: 'KP-PROV-109' })
  const cut = new SseSplitter()
  cut.push(Uint8Array.from([...encode('data: "'), 0xe2, 0x82]))
  t.throws(() => cut.end(), { code: 'KP-PROV-109' })
  t.end()
})

t.test('an event of 16 MiB passes, one byte more is refused, so that no upstream fills the memory', (t) => {
  const mib = new Uint8Array(1024 * 1024).fill(0x61)
  for (const splitter of [new SseSplitter(), new LineSplitter()]) {
    for (let count = 0; count < 16; count += 1) splitter.push(mib)
    t.throws(() => splitter.push(Uint8Array.of(0x61)), { code: 'KP-PROV-109' })
  }
  t.end()
})

t.test('NDJSON is cut into lines, however it is cut into chunks', (t) => {
  const text = '{"a":"ä\u2028"}\r\n\n{"b":2}\n  \n{"c":3}'
  const whole = run(new LineSplitter(), [encode(text)])
  t.strictSame(frames(whole), [{ data: '{"a":"ä\u2028"}' }, { data: '{"b":2}' }, { data: '{"c":3}' }])
  t.equal(joined(whole), text)
  for (const chunks of recut(encode(text))) t.strictSame(run(new LineSplitter(), chunks), whole)
  t.end()
})

t.test('an event is written with or without its name', (t) => {
  t.equal(writeSseEvent(undefined, '{}'), 'data: {}\n\n')
  t.equal(writeSseEvent('ping', '{}'), 'event: ping\ndata: {}\n\n')
  t.end()
})
