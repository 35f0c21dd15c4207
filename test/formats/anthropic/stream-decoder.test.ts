import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { anthropic } from '#formats/anthropic/anthropic.ts'
import type { Frame, ReplyContext } from '#formats/format.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'

const STREAMS = new URL('./streams/', import.meta.url)
const CONTEXT: ReplyContext = {
  issuer: 'anthropic',
  toolNames: new Map([['get_weather', 'get.weather']]),
  jsonTool: undefined,
}

function frames(sse: string): Frame[] {
  return sse
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
      return { event: field('event'), data: field('data') ?? '' }
    })
}

function decode(sse: string, context: ReplyContext): ChatEvent[] {
  const decoder = anthropic.streamDecoder(context)
  return [...frames(sse).flatMap((frame) => decoder.push(frame)), ...decoder.end()]
}

t.test('R3.3 recorded streams become events', (t) => {
  for (const file of readdirSync(STREAMS).filter((name) => name.endsWith('.sse'))) {
    const jsonTool = file.startsWith('json-tool') ? 'answer' : undefined
    const events = decode(readFileSync(new URL(file, STREAMS), 'utf8'), { ...CONTEXT, jsonTool })
    const actual = `[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]\n`
    const expected = new URL(file.replace('.sse', '.events.json'), STREAMS)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(expected, actual)
    t.equal(actual, readFileSync(expected, 'utf8'), file)
  }
  t.end()
})

t.test('a frame that is not valid in its format is KP-PROV-109', (t) => {
  const broken: readonly [string, RegExp][] = [
    ['{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","te', /not valid JSON/],
    ['[]', /not a JSON object/],
    ['{"type":"message_start"}', /message_start without message/],
    ['{"type":"content_block_start","content_block":{}}', /content_block_start without index/],
    [
      '{"type":"content_block_delta","index":7,"delta":{"type":"input_json_delta","partial_json":"{}"}}',
      /block 7, which is not open/,
    ],
  ]
  for (const [data, message] of broken) {
    t.throws(() => anthropic.streamDecoder(CONTEXT).push({ data }), { code: 'KP-PROV-109', message })
  }
  t.end()
})

t.test('errors within a stream keep their kind', (t) => {
  const kinds: readonly [string, string][] = [
    ['overloaded_error', 'overloaded'],
    ['rate_limit_error', 'rate_limited'],
    ['api_error', 'upstream'],
    ['timeout_error', 'upstream'],
    ['invalid_request_error', 'invalid_request'],
    ['request_too_large', 'invalid_request'],
  ]
  for (const [type, kind] of kinds) {
    const data = JSON.stringify({ type: 'error', error: { type, message: 'm' } })
    t.strictSame(anthropic.streamDecoder(CONTEXT).push({ event: 'error', data }), [
      { type: 'error', kind, code: type, message: 'm' },
    ])
  }
  t.end()
})
