import fc from 'fast-check'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ClientContext, ReplyContext } from '#formats/format.ts'
import type { ChatEvent, FinishReason } from '#formats/ir/chat-event.ts'
import type { ChatRequest, JsonObject } from '#formats/ir/chat-request.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { openaiChat } from '#formats/openai-chat/openai-chat.ts'
import { SseSplitter } from '#formats/sse/event-splitter.ts'
import { golden } from '../../helpers/golden.ts'

const REPLIES = new URL('replies/', import.meta.url)
const FROM_PROVIDER: ReplyContext = { issuer: 'anthropic', toolNames: new Map(), jsonTool: undefined }

function client(request: Partial<ChatRequest>): ClientContext {
  const body = { model: 'alias', messages: [{ role: 'user', content: 'hi' }] }
  return {
    request: { ...openaiChat.decodeRequest(body, {}), ...request },
    now: 1_700_000_123_456,
    newId: () => 'NEW',
    estimatedInputTokens: 12,
  }
}

interface ReplyCase {
  readonly request: Partial<ChatRequest>
  readonly events: readonly ChatEvent[]
}

function encodeStream({ request, events }: ReplyCase): string {
  const encoder = openaiChat.streamEncoder(client(request))
  return `${events.map((event) => encoder.push(event)).join('')}${encoder.end()}`
}

t.test('R3.2 a reply is written as a chat.completion', (t) => {
  golden(t, REPLIES, 'reply', (input) => {
    // The file holds a case.
    const { request, events } = input as ReplyCase
    return openaiChat.encodeReply(collectReply(events), client(request))
  })
  t.end()
})

t.test(
  'R3.2 a reply is streamed in chunks of one id, tool calls with distinct indexes, usage only for who asked',
  (t) => {
    // The file holds a case.
    golden(t, REPLIES, 'stream', (input) => encodeStream(input as ReplyCase).split('\n\n'))
    t.end()
  },
)

t.test('a stream that fails ends in an error that SDKs throw, and in nothing that looks like success', (t) => {
  const encoder = openaiChat.streamEncoder(client({ includeUsage: true }))
  encoder.push({ type: 'text-delta', choice: 0, text: 'Half' })
  t.equal(encoder.push({ type: 'error', kind: 'upstream', code: undefined, message: 'x' }), '')
  const text = encoder.fail({
    error: new KorProxyError('KP-PROV-111', { account: 'a', reason: 'reset' }),
    correlationId: 'c-1',
    docsUrl: 'https://example.com/KP-PROV-111',
  })
  t.equal(
    text,
    'data: {"error":{"message":"The stream from the provider of account a broke off: reset.","type":"server_error","param":null,"code":"upstream_error","kp_code":"KP-PROV-111","doc_url":"https://example.com/KP-PROV-111","correlation_id":"c-1"}}\n\n',
  )
  t.end()
})

t.test('the heartbeat is a comment', (t) => {
  t.equal(openaiChat.heartbeat, ': kp\n\n')
  t.end()
})

const PATCH: JsonObject = {
  model: 'm',
  messages: [{ role: 'user', content: 'go' }],
  tools: [{ type: 'custom', custom: { name: 'patch' } }],
}

/** The `tool_calls` entries of a reply with these arguments of custom calls: streamed, and whole. */
function customCalls(texts: readonly string[], reason: FinishReason): unknown[][] {
  const request = openaiChat.decodeRequest(PATCH, {})
  const events: ChatEvent[] = [
    ...texts.flatMap((text, index): ChatEvent[] => [
      { type: 'tool-call-start', choice: 0, index, id: `call_${index}`, name: 'patch' },
      { type: 'tool-call-delta', choice: 0, index, arguments: text },
      { type: 'tool-call-end', choice: 0, index },
    ]),
    { type: 'finish', choice: 0, reason },
  ]
  const chunks = encodeStream({ request, events })
    .split('\n\n')
    .filter((line) => line.startsWith('data: {'))
  const deltas = chunks.map((line) => JSON.parse(line.slice('data: '.length)).choices[0])
  const streamed = deltas.flatMap(({ delta }) => delta.tool_calls ?? []).map(({ index, ...call }) => call)
  t.equal(deltas[0].delta.role, 'assistant')
  t.ok(deltas.at(-1).finish_reason, 'the finish comes last')
  const whole = JSON.parse(JSON.stringify(openaiChat.encodeReply(collectReply(events), client(request))))
  return [streamed, whole.choices[0].message.tool_calls]
}

const custom = (at: number, input: string) => ({ id: `call_${at}`, type: 'custom', custom: { name: 'patch', input } })

t.test('R3.4 half an input of a custom tool that the token limit cut off is no input, and no JSON is shown', (t) => {
  for (const reason of ['length', 'context-window', 'content-filter'] as const) {
    for (const calls of customCalls(['{"input":"+x"}', '{"input":"*** Delete File: a'], reason)) {
      t.strictSame(calls, [custom(0, '+x'), custom(1, '')], reason)
    }
  }
  for (const calls of customCalls(['*** Begin Patch'], 'tool-calls')) {
    t.strictSame(calls, [custom(0, '*** Begin Patch')], 'a model may have ignored the wrapping')
  }
  t.end()
})

const REPLY: JsonObject = {
  id: 'chatcmpl-9',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'gpt-5',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: 'Hi',
        refusal: null,
        reasoning_content: 'hm',
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } },
          { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
        ],
      },
      logprobs: null,
      finish_reason: 'tool_calls',
    },
  ],
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
}

t.test('R3.2 a whole reply is read as the events of a stream; every entry of tool_calls is a call', (t) => {
  t.strictSame(openaiChat.decodeReply(REPLY, FROM_PROVIDER), [
    { type: 'start', id: 'chatcmpl-9', model: 'gpt-5', createdAt: 1_700_000_000 },
    { type: 'thinking-delta', choice: 0, text: 'hm' },
    { type: 'text-delta', choice: 0, text: 'Hi' },
    { type: 'tool-call-start', choice: 0, index: 0, id: 'call_1', name: 'f' },
    { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{}' },
    { type: 'tool-call-start', choice: 0, index: 1, id: 'call_1', name: 'f' },
    { type: 'tool-call-delta', choice: 0, index: 1, arguments: '{"a":1}' },
    { type: 'tool-call-end', choice: 0, index: 0 },
    { type: 'tool-call-end', choice: 0, index: 1 },
    { type: 'finish', choice: 0, reason: 'tool-calls' },
    { type: 'usage', usage: { input: 3, output: 4 } },
  ])
  t.end()
})

t.test('a whole reply without finish_reason is whole all the same', (t) => {
  const body = { choices: [{ message: { content: 'x' } }] }
  t.strictSame(openaiChat.decodeReply(body, FROM_PROVIDER).at(-1), { type: 'finish', choice: 0, reason: 'stop' })
  t.end()
})

t.test('an error with status 200 is an error (OpenRouter)', (t) => {
  t.strictSame(openaiChat.decodeReply({ error: { code: 429, message: 'slow down' } }, FROM_PROVIDER), [
    { type: 'error', kind: 'rate_limited', code: '429', message: 'slow down' },
  ])
  t.strictSame(openaiChat.decodeReply({ error: 'no such deployment' }, FROM_PROVIDER), [
    { type: 'error', kind: 'upstream', code: undefined, message: 'no such deployment' },
  ])
  t.end()
})

t.test('what is no chat reply is refused, not answered empty', (t) => {
  const far = { choices: [{ index: 1_000_000_000, message: { content: 'x' } }] }
  for (const body of [{}, { choices: [] }, { choices: 'x' }, { detail: 'Not Found' }, far]) {
    t.throws(() => openaiChat.decodeReply(body, FROM_PROVIDER), { code: 'KP-PROV-109' }, JSON.stringify(body))
  }
  t.end()
})

const text = fc.string({ unit: 'binary', minLength: 1 }).map((it) => it.toWellFormed())
const part = fc.oneof(
  text.map((it): ChatEvent[] => [{ type: 'text-delta', choice: 0, text: it }]),
  fc.tuple(text, text).map(([thought, value]): ChatEvent[] => [
    { type: 'thinking-delta', choice: 0, text: thought },
    { type: 'thinking-signature', choice: 0, signature: { issuer: 'anthropic', value } },
  ]),
  text.map((value): ChatEvent[] => [{ type: 'redacted-thinking', choice: 0, data: { issuer: 'anthropic', value } }]),
)
const calls = fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.json()), { maxLength: 3 }).map((list) =>
  list.flatMap(([name, json], index): ChatEvent[] => [
    { type: 'tool-call-start', choice: 0, index, id: `call_${index}`, name },
    { type: 'tool-call-delta', choice: 0, index, arguments: json },
  ]),
)

t.test('property: what is streamed out is read back the same, thinking and signatures included', (t) => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1 }), calls, (parts, called) => {
      const events: ChatEvent[] = [
        { type: 'start', id: 'chatcmpl-1', model: 'm', createdAt: 1 },
        ...parts.flat(),
        ...called,
        ...called.flatMap((event): ChatEvent[] =>
          event.type === 'tool-call-start' ? [{ type: 'tool-call-end', choice: 0, index: event.index }] : [],
        ),
        { type: 'finish', choice: 0, reason: called.length > 0 ? 'tool-calls' : 'stop' },
        { type: 'usage', usage: { input: 3, output: 4 } },
      ]
      const splitter = new SseSplitter()
      const decoder = openaiChat.streamDecoder(FROM_PROVIDER)
      const bytes = new TextEncoder().encode(encodeStream({ request: { includeUsage: true }, events }))
      const back = [...splitter.push(bytes), ...splitter.end()].flatMap(({ frame }) =>
        frame === undefined ? [] : decoder.push(frame),
      )
      t.strictSame(collectReply([...back, ...decoder.end()]), collectReply(events))
      const whole = openaiChat.decodeReply(openaiChat.encodeReply(collectReply(events), client({})), FROM_PROVIDER)
      t.strictSame(
        answer(collectReply(whole).choices[0]?.parts ?? []),
        answer(collectReply(events).choices[0]?.parts ?? []),
      )
    }),
  )
  t.end()
})

/** A whole reply has thinking, text and calls in fields of their own: their order among each other is not kept. */
function answer(parts: readonly { readonly type: string; readonly text?: string }[]): unknown {
  return {
    thinking: parts.filter(({ type }) => type === 'thinking' || type === 'redacted-thinking'),
    text: parts.map(({ type, text }) => (type === 'text' ? text : '')).join(''),
    calls: parts.filter(({ type }) => type === 'tool-call'),
  }
}
