import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ChatFormat, ChatFormatName, Frame, ReplyContext } from '#formats/format.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import type { JsonObject, JsonValue } from '#formats/ir/chat-request.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { isJsonObject } from '#formats/ir/json-fields.ts'
import { CHAT_FORMATS, EMBEDDING_FORMATS } from '#formats/registry.ts'
import { jsonWith, memberNames, mutate, SEED, steps } from './pairs/mutate.ts'
import { clientContext, splitterOf } from './pairs/relay.ts'

// The names of the registry's members.
const FORMATS = Object.keys(CHAT_FORMATS) as ChatFormatName[]
const REPLY: ReplyContext = { issuer: 'test', toolNames: new Map([['f', 'the client’s f']]), jsonTool: undefined }
const request = CHAT_FORMATS['openai-chat'].decodeRequest(
  {
    model: 'alias',
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: 'hi' }],
    tools: [{ type: 'function', function: { name: 'f' } }],
    reasoning_effort: 'low',
  },
  {},
)

/** What a decoder may do with a provider's nonsense. */
function onlyBrokenReply(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof KorProxyError) || error.code !== 'KP-PROV-109') throw error
  }
}

/** The frames of the recorded streams of a format. */
function recordedFrames(format: ChatFormat): Frame[] {
  const folder = new URL(`./${format.name}/streams/`, import.meta.url)
  return readdirSync(folder).flatMap((file): Frame[] => {
    const bytes = new Uint8Array(readFileSync(new URL(file, folder)))
    if (file.endsWith('.sse')) return frames(format, bytes)
    if (!file.endsWith('.in.json')) return []
    // The files are lists of frames.
    const list = JSON.parse(new TextDecoder().decode(bytes)) as JsonObject[]
    return list.map((frame) => ({
      event: typeof frame['type'] === 'string' ? frame['type'] : undefined,
      data: JSON.stringify(frame),
    }))
  })
}

function frames(format: ChatFormat, bytes: Uint8Array): Frame[] {
  const splitter = splitterOf(format)
  return [...splitter.push(bytes), ...splitter.end()].flatMap(({ frame }) => (frame === undefined ? [] : [frame]))
}

function objectIn({ data }: Frame): JsonObject[] {
  try {
    const value: JsonValue = JSON.parse(data)
    return isJsonObject(value) ? [value] : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}

const WITH_STREAMS: readonly ChatFormatName[] = [
  'openai-chat',
  'openai-responses',
  'anthropic',
  'gemini',
  'ollama-chat',
]

for (const name of WITH_STREAMS) {
  const format = CHAT_FORMATS[name]
  const recorded = recordedFrames(format)
  const bodies = recorded.flatMap(objectIn)
  const oddFrame = fc.oneof(
    fc.constantFrom(...recorded),
    fc.tuple(fc.constantFrom(...recorded), steps).map(([frame, blows]): Frame => {
      const [body] = objectIn(frame)
      return body === undefined ? frame : { ...frame, data: JSON.stringify(mutate(body, blows)) }
    }),
    jsonWith(memberNames(bodies)).map((json): Frame => ({ data: JSON.stringify(json) })),
    fc.string().map((data): Frame => ({ data })),
    fc.json().map((data): Frame => ({ event: 'error', data })),
  )

  t.test(
    `R8.4 property: whatever frames come, the decoder of ${name} gives events or says that the reply is broken`,
    (t) => {
      fc.assert(
        fc.property(fc.array(oddFrame, { maxLength: 12 }), (stream) => {
          const decoder = format.streamDecoder(REPLY)
          const events: ChatEvent[] = []
          onlyBrokenReply(() => {
            for (const frame of stream) events.push(...decoder.push(frame))
            events.push(...decoder.end())
          })
          for (const client of FORMATS) encodeAll(CHAT_FORMATS[client], events)
        }),
        { seed: SEED, numRuns: 800 },
      )
      t.end()
    },
  )

  t.test(`R8.4 property: whatever a whole reply of ${name} is, it gives events or is broken`, (t) => {
    const reply = name === 'openai-responses' ? bodies.map((body) => body['response']).filter(isJsonObject) : bodies
    fc.assert(
      fc.property(fc.constantFrom(...reply), steps, jsonWith(memberNames(reply)), (body, blows, json) => {
        onlyBrokenReply(() => format.decodeReply(mutate(body, blows), REPLY))
        onlyBrokenReply(() => format.decodeReply(json, REPLY))
        onlyBrokenReply(() => format.decodeReply({ ...body, ...json }, REPLY))
      }),
      { seed: SEED, numRuns: 800 },
    )
    t.end()
  })
}

/** No encoder throws, and what it writes is JSON in the framing of its format. */
function encodeAll(format: ChatFormat, events: readonly ChatEvent[]): Frame[] {
  const encoder = format.streamEncoder(clientContext(request))
  const text = events.map((event) => encoder.push(event)).join('') + encoder.end()
  const written = frames(format, new TextEncoder().encode(text))
  for (const { data } of written) if (data !== '[DONE]') JSON.parse(data)
  const { usage, ...reply } = collectReply(events)
  JSON.stringify(format.encodeReply({ ...reply, usage }, clientContext(request)))
  return written
}

const choice = fc.constantFrom(0, 0, 0, 1, 2)
const text = fc.constantFrom('', 'a', ' b\n', '😀', '"\\')
const signature = fc.record({
  issuer: fc.constantFrom('anthropic', 'gemini', undefined),
  value: fc.constantFrom('c2ln', '', 'a/b+='),
})
const index = fc.nat(2)
const anyEvent = fc.oneof<fc.Arbitrary<ChatEvent>[]>(
  fc.record({
    type: fc.constant('start' as const),
    id: fc.constantFrom('chatcmpl-1', 'msg_1', undefined),
    model: fc.constantFrom('m', undefined),
    createdAt: fc.constantFrom(1, undefined),
  }),
  fc.record({ type: fc.constant('text-delta' as const), choice, text }),
  fc.record({ type: fc.constant('thinking-delta' as const), choice, text }),
  fc.record({ type: fc.constant('thinking-signature' as const), choice, signature }),
  fc.record({ type: fc.constant('redacted-thinking' as const), choice, data: signature }),
  fc.record({ type: fc.constant('refusal-delta' as const), choice, text }),
  fc.record({
    type: fc.constant('tool-call-start' as const),
    choice,
    index,
    id: fc.constantFrom('call_1', 'call/ü', 'x'),
    name: fc.constantFrom('f', 'g h'),
  }),
  fc.record({
    type: fc.constant('tool-call-delta' as const),
    choice,
    index,
    arguments: fc.constantFrom('', '{}', '{"a":', '1}', 'null', '['),
  }),
  fc.record({ type: fc.constant('tool-call-end' as const), choice, index }),
  fc.record({
    type: fc.constant('image' as const),
    choice,
    mediaType: fc.constant('image/png'),
    data: fc.constant('iVBORw0KGgo='),
  }),
  fc.record({
    type: fc.constant('citation' as const),
    choice,
    url: fc.constantFrom('https://example.com', undefined),
    title: fc.constant(undefined),
    citedText: fc.constantFrom('a', undefined),
  }),
  fc.record({
    type: fc.constant('logprobs' as const),
    choice,
    logprobs: fc.constantFrom<JsonObject>({ content: [] }, {}, { content: 'x' }),
  }),
  fc.record({
    type: fc.constant('usage' as const),
    usage: fc.constantFrom({}, { input: 3, output: 4 }, { input: 3, cachedInput: 9, output: 0, reasoning: 1 }),
  }),
  fc.record({
    type: fc.constant('finish' as const),
    choice,
    reason: fc.constantFrom(
      'stop',
      'stop-sequence',
      'length',
      'tool-calls',
      'content-filter',
      'pause',
      'context-window',
    ),
  }),
  fc.record({
    type: fc.constant('error' as const),
    kind: fc.constantFrom('overloaded', 'upstream'),
    code: fc.constant('x'),
    message: fc.constant('m'),
  }),
)

t.test(
  'R8.4 property: events in any order are written by every encoder, and a failure after them ends the stream',
  (t) => {
    const error = new KorProxyError('KP-PROV-111', { account: 'a', reason: 'reset' })
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 25 }), (events) => {
        for (const name of FORMATS) {
          encodeAll(CHAT_FORMATS[name], events)
          const encoder = CHAT_FORMATS[name].streamEncoder(clientContext(request))
          for (const event of events) encoder.push(event)
          const last = encoder.fail({ error, correlationId: 'c', docsUrl: 'https://example.com' })
          for (const { data } of frames(CHAT_FORMATS[name], new TextEncoder().encode(last))) JSON.parse(data)
          if (last === '') throw new Error(`${name} ends a failed stream without an error`)
        }
      }),
      { seed: SEED, numRuns: 1_500 },
    )
    t.end()
  },
)

t.test('R8.4 property: whatever an embeddings reply is, it gives vectors or is broken', (t) => {
  const replies: JsonObject[] = [
    {
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.5, 1] }],
      usage: { prompt_tokens: 1, total_tokens: 1 },
    },
    { object: 'list', data: [{ object: 'embedding', index: 0, embedding: 'AAAAPwAAgD8=' }] },
    { embedding: { values: [0.5] } },
    { embeddings: [{ values: [0.5] }, { values: [1] }] },
    { model: 'm', embeddings: [[0.5], [1]], prompt_eval_count: 2 },
    { embedding: [0.5] },
  ]
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(EMBEDDING_FORMATS)),
      fc.constantFrom(...replies),
      steps,
      (format, body, blows) => onlyBrokenReply(() => format.decodeReply(mutate(body, blows))),
    ),
    { seed: SEED, numRuns: 3_000 },
  )
  t.end()
})
