import t from 'tap'
import type { ChatFormatName, Frame, ReplyContext } from '#formats/format.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { CHAT_FORMATS, EMBEDDING_FORMATS, FAMILY_SHAPES } from '#formats/registry.ts'
import { TERMINATORS } from '#formats/terminator.ts'
import { clientContext, splitterOf } from './pairs/relay.ts'

// The names of the registry's members.
const FORMATS = Object.keys(CHAT_FORMATS) as ChatFormatName[]
const REPLY: ReplyContext = { issuer: 'test', toolNames: new Map(), jsonTool: undefined }
const REQUEST = CHAT_FORMATS['openai-chat'].decodeRequest(
  { model: 'alias', stream: true, messages: [{ role: 'user', content: 'hi' }] },
  {},
)

function frames(name: ChatFormatName, text: string): Frame[] {
  const splitter = splitterOf(CHAT_FORMATS[name])
  return [...splitter.push(new TextEncoder().encode(text)), ...splitter.end()].flatMap(({ frame }) =>
    frame === undefined ? [] : [frame],
  )
}

t.test('each format stands under its own name', (t) => {
  for (const name of FORMATS) t.equal(CHAT_FORMATS[name].name, name)
  for (const [name, format] of Object.entries(EMBEDDING_FORMATS)) t.equal(format.name, name)
  for (const [name, shapes] of Object.entries(FAMILY_SHAPES)) t.equal(shapes.family, name)
  t.end()
})

t.test('R3.3 all formats but the two of plain prompts are targets', (t) => {
  t.strictSame(
    FORMATS.filter((name) => CHAT_FORMATS[name].encodeRequest === undefined),
    ['openai-completions', 'ollama-generate'],
  )
  t.end()
})

t.test('the content type of a stream fits its framing', (t) => {
  for (const name of FORMATS) {
    const { framing, streamContentType } = CHAT_FORMATS[name]
    t.match(streamContentType, framing === 'sse' ? /^text\/event-stream/ : /^application\/x-ndjson/, name)
  }
  t.end()
})

t.test('R3.4 a heartbeat is no content: whoever reads the stream reads the same with and without it', (t) => {
  for (const name of FORMATS) {
    const format = CHAT_FORMATS[name]
    const encoder = format.streamEncoder(clientContext(REQUEST))
    const pieces = [
      encoder.push({ type: 'start', id: 'x', model: 'm', createdAt: 1 }),
      encoder.push({ type: 'text-delta', choice: 0, text: 'Hi' }),
      encoder.push({ type: 'finish', choice: 0, reason: 'stop' }),
      encoder.end(),
    ]
    const decoder = format.streamDecoder(REPLY)
    const read = frames(name, pieces.join(format.heartbeat)).flatMap((frame) => decoder.push(frame))
    const [choice] = collectReply([...read, ...decoder.end()]).choices
    t.match(choice, { parts: [{ type: 'text', text: 'Hi' }], finish: { reason: 'stop' } }, name)
    t.equal(choice?.parts.length, 1, name)
  }
  t.end()
})

t.test('R8.4 the terminator that completes a stream is the one that its format writes', (t) => {
  t.strictSame(Object.keys(TERMINATORS).sort(), ['anthropic', 'openai-chat', 'openai-completions'])
  for (const name of FORMATS) {
    const encoder = CHAT_FORMATS[name].streamEncoder(clientContext(REQUEST))
    const text =
      encoder.push({ type: 'text-delta', choice: 0, text: 'Hi' }) +
      encoder.push({ type: 'finish', choice: 0, reason: 'stop' }) +
      encoder.end()
    const terminator = TERMINATORS[name]
    if (terminator === undefined) continue
    t.ok(text.endsWith(terminator.text), `${name} ends with it`)
    const written = frames(name, text)
    t.strictSame(
      written.filter((frame) => terminator.matches(frame)),
      written.slice(-1),
      `${name}: nothing else is taken for it`,
    )
  }
  t.end()
})

t.test('R3.3 words that every JavaScript object has as members are unknown words, not values', (t) => {
  const finishes: [ChatFormatName, string][] = [
    [
      'anthropic',
      '{"type":"message","role":"assistant","content":[{"type":"text","text":"Hi"}],"stop_reason":"constructor","usage":{}}',
    ],
    [
      'openai-chat',
      '{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"constructor"}]}',
    ],
  ]
  for (const [name, body] of finishes) {
    const reply = collectReply(CHAT_FORMATS[name].decodeReply(JSON.parse(body), REPLY))
    t.equal(reply.choices[0]?.finish?.reason, 'stop', name)
  }
  const model = { id: 'm', issuer: 'anthropic', capabilities: {}, quirks: { onUnsupported: 'Drop' as const } }
  const encoded = CHAT_FORMATS.anthropic.encodeRequest?.({ ...REQUEST, serviceTier: 'constructor' }, model)
  t.equal(encoded?.body['service_tier'], undefined)
  t.strictSame(encoded?.dropped, ['service_tier'])
  t.end()
})
