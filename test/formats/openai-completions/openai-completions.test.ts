import t from 'tap'
import type { ClientContext, ReplyContext } from '#formats/format.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { openaiCompletions } from '#formats/openai-completions/openai-completions.ts'

const FROM_PROVIDER: ReplyContext = { issuer: 'x', toolNames: new Map(), jsonTool: undefined }
const decode = (body: JsonObject) => openaiCompletions.decodeRequest({ model: 'm', ...body }, {})
const client = (body: JsonObject): ClientContext => ({
  request: decode(body),
  now: 1_700_000_123_456,
  newId: () => 'NEW',
  estimatedInputTokens: 1,
})

t.test('R3.2 a prompt becomes one user turn', (t) => {
  const request = decode({ prompt: ['Say hi'], max_tokens: 5, stop: 'X', user: 'u', n: 2, stream: true, foo: 1 })
  t.strictSame(request.turns, [{ role: 'user', parts: [{ type: 'text', text: 'Say hi' }] }])
  t.strictSame(request.sampling, { n: 2, stop: ['X'] })
  t.match(request, { model: 'm', stream: true, maxOutputTokens: 5, user: 'u', dropped: ['foo'] })
  t.end()
})

t.test('R3.2 what only completions know is refused when it has to be translated', (t) => {
  const bodies: JsonObject[] = [
    { prompt: [1, 2] },
    { prompt: [[1], [2]] },
    { prompt: ['a', 'b'] },
    { prompt: 'x', suffix: 'y' },
    { prompt: 'x', echo: true },
    { prompt: 'x', best_of: 2 },
    { prompt: 'x', logprobs: 1 },
  ]
  for (const body of bodies) t.throws(() => decode(body), { code: 'KP-PROV-112' }, JSON.stringify(body))
  t.throws(() => decode({}), { code: 'KP-SYS-516' })
  t.equal(openaiCompletions.encodeRequest, undefined)
  t.end()
})

const EVENTS: ChatEvent[] = [
  { type: 'start', id: 'cmpl-1', model: 'up', createdAt: 1_700_000_000 },
  { type: 'text-delta', choice: 0, text: 'Hel' },
  { type: 'text-delta', choice: 0, text: 'lo' },
  { type: 'finish', choice: 0, reason: 'length' },
  { type: 'usage', usage: { input: 1, output: 2 } },
]
const STREAM = [
  '{"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"up","choices":[{"text":"Hel","index":0,"logprobs":null,"finish_reason":null}]}',
  '{"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"up","choices":[{"text":"lo","index":0,"logprobs":null,"finish_reason":null}]}',
  '{"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"up","choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"length"}]}',
  '{"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"up","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}',
  '[DONE]',
]

t.test('R3.2 a reply is written whole and streamed as text_completion', (t) => {
  const context = client({ prompt: 'x', stream_options: { include_usage: true } })
  const encoder = openaiCompletions.streamEncoder(context)
  const text = `${EVENTS.map((event) => encoder.push(event)).join('')}${encoder.end()}`
  t.equal(text, STREAM.map((data) => `data: ${data}\n\n`).join(''))
  t.strictSame(openaiCompletions.encodeReply(collectReply(EVENTS), context), {
    id: 'cmpl-1',
    object: 'text_completion',
    created: 1_700_000_000,
    model: 'up',
    choices: [{ text: 'Hello', index: 0, logprobs: null, finish_reason: 'length' }],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  })
  t.end()
})

t.test('a stream and a whole reply are read for their usage and finish', (t) => {
  const decoder = openaiCompletions.streamDecoder(FROM_PROVIDER)
  t.strictSame([...STREAM.flatMap((data) => decoder.push({ data })), ...decoder.end()], EVENTS)
  const whole = {
    id: 'cmpl-1',
    model: 'up',
    created: 1_700_000_000,
    choices: [{ text: 'Hello', index: 0, finish_reason: 'length' }],
  }
  t.strictSame(openaiCompletions.decodeReply(whole, FROM_PROVIDER), [
    EVENTS[0],
    { type: 'text-delta', choice: 0, text: 'Hello' },
    { type: 'finish', choice: 0, reason: 'length' },
  ])
  t.strictSame(openaiCompletions.decodeReply({ error: { message: 'no' } }, FROM_PROVIDER), [
    { type: 'error', kind: 'upstream', code: undefined, message: 'no' },
  ])
  t.throws(() => openaiCompletions.decodeReply({}, FROM_PROVIDER), { code: 'KP-PROV-109' })
  t.end()
})

t.test('a completion of a chat model has an id of its own and no finish that completions lack', (t) => {
  const reply = collectReply([
    { type: 'start', id: 'msg_1', model: undefined, createdAt: undefined },
    { type: 'thinking-delta', choice: 0, text: 'hm' },
    { type: 'finish', choice: 0, reason: 'tool-calls' },
  ])
  t.strictSame(openaiCompletions.encodeReply(reply, client({ prompt: 'x' })), {
    id: 'cmpl-NEW',
    object: 'text_completion',
    created: 1_700_000_123,
    model: 'm',
    choices: [{ text: '', index: 0, logprobs: null, finish_reason: 'stop' }],
  })
  t.end()
})
