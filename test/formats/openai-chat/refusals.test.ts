import fc from 'fast-check'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ReplyContext, TargetModel } from '#formats/format.ts'
import type { AssistantPart, JsonObject, UserPart } from '#formats/ir/chat-request.ts'
import { openaiChat } from '#formats/openai-chat/openai-chat.ts'

const TARGET: TargetModel = { id: 'up', issuer: 'x', capabilities: {}, quirks: { onUnsupported: 'Drop' } }
const CONTEXT: ReplyContext = { issuer: 'x', toolNames: new Map(), jsonTool: undefined }
const HI: JsonObject = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }

function encode(parts: readonly UserPart[], target: TargetModel = TARGET): JsonObject | undefined {
  const request = { ...openaiChat.decodeRequest(HI, {}), turns: [{ role: 'user' as const, parts }] }
  return openaiChat.encodeRequest?.(request, target).body
}

t.test('R8.2 a wrong field is named', (t) => {
  const cases: [JsonObject, RegExp][] = [
    [{ messages: [{ role: 'user', content: 'x' }] }, /^model: /],
    [{ model: 'm' }, /^messages: /],
    [{ model: 'm', messages: [] }, /^messages: /],
    [{ model: 'm', messages: [{ role: 'robot', content: 'x' }] }, /^messages\[0\]\.role: /],
    [
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'video_url' }] }] },
      /^messages\[0\]\.content\[0\]\.type: /,
    ],
    [{ ...HI, temperature: 'hot' }, /^temperature: /],
    [{ ...HI, tools: [{ type: 'function', name: 'f' }] }, /^tools\[0\]\.function: /],
    [{ ...HI, tools: [{ type: 'custom', name: 'f' }] }, /^tools\[0\]\.custom: /],
    [{ ...HI, reasoning_effort: 'enormous' }, /^reasoning_effort: /],
    [
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'file', file: { file_data: 'JVBERi0=' } }] }] },
      /^messages\[0\]\.content\[0\]\.file: expected a file_id or file_data with a data: URL$/,
    ],
  ]
  for (const [body, message] of cases) {
    t.throws(() => openaiChat.decodeRequest(body, {}), { code: 'KP-SYS-516', message }, message.source)
  }
  t.end()
})

t.test('what messages bring along that is not read is named, unless it is empty', (t) => {
  const messages = [
    { role: 'user', content: 'hi', weird: 1 },
    {
      role: 'assistant',
      content: 'x',
      id: 'msg_1',
      thinking_blocks: [{ type: 'thinking', thinking: 't', signature: 's' }],
      annotations: [],
      audio: null,
      provider_specific_fields: null,
      tool_calls: [],
    },
    { role: 'user', content: 'hi' },
  ]
  const { dropped } = openaiChat.decodeRequest({ model: 'm', messages, user: 'u', safety_identifier: 's' }, {})
  t.same(dropped.toSorted(), ['messages.id', 'messages.thinking_blocks', 'messages.weird', 'safety_identifier'])
  t.end()
})

t.test('spoken answers are refused, not answered in writing', (t) => {
  t.throws(() => openaiChat.decodeRequest({ ...HI, modalities: ['text', 'audio'], audio: { voice: 'alloy' } }, {}), {
    code: 'KP-PROV-112',
  })
  t.end()
})

t.test('null is as good as absent', (t) => {
  const nothing = { tools: null, stop: null, stream: null, temperature: null, response_format: null, store: null }
  t.strictSame(openaiChat.decodeRequest({ ...HI, ...nothing }, {}), openaiChat.decodeRequest(HI, {}))
  t.end()
})

t.test('content that the OpenAI format has no form for is refused, whatever the policy for parameters', (t) => {
  const parts: UserPart[] = [
    { type: 'image', source: { kind: 'file', id: 'f' } },
    { type: 'document', source: { kind: 'file', id: 'f' } },
    { type: 'document', source: { kind: 'url', url: 'https://example.com/a.pdf' } },
    { type: 'audio', source: { kind: 'base64', mediaType: 'audio/flac', data: 'AA==' } },
    { type: 'audio', source: { kind: 'url', url: 'https://example.com/a.wav' } },
  ]
  for (const part of parts) t.throws(() => encode([part]), { code: 'KP-PROV-112' }, JSON.stringify(part))
  t.strictSame(
    encode([{ type: 'document', source: { kind: 'file', id: 'f' } }], { ...TARGET, issuer: 'openai' })?.['messages'],
    [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }],
  )
  t.end()
})

t.test('max_tokens is lowered to what the model can (a client’s 64000 is a 400 at gpt-4o)', (t) => {
  const request = openaiChat.decodeRequest({ ...HI, max_tokens: 64_000 }, {})
  t.match(openaiChat.encodeRequest?.(request, { ...TARGET, maxOutputTokens: 16_384 }).body, { max_tokens: 16_384 })
  t.match(openaiChat.encodeRequest?.(request, TARGET).body, { max_tokens: 64_000 })
  t.end()
})

t.test('thinking budgets become efforts at 2048 and 8192 tokens', (t) => {
  const effort = (budgetTokens: number, reasoning?: boolean): unknown => {
    const request = { ...openaiChat.decodeRequest(HI, {}), reasoning: { budgetTokens } }
    const capabilities = reasoning === undefined ? {} : { reasoning }
    return openaiChat.encodeRequest?.(request, { ...TARGET, capabilities }).body['reasoning_effort']
  }
  t.strictSame(
    [1024, 2047, 2048, 8191, 8192, 100_000].map((it) => effort(it)),
    ['low', 'low', 'medium', 'medium', 'high', 'high'],
  )
  t.equal(effort(0), undefined, 'an unknown model is not told to stop thinking')
  t.equal(effort(0, true), 'none')
  t.equal(effort(4096, false), undefined, 'a model that does not reason is told nothing')
  t.end()
})

t.test('calls and words in two turns are one message, so that the results follow it', (t) => {
  const call: AssistantPart = { type: 'tool-call', id: 'c', name: 'f', arguments: '{}' }
  const request = {
    ...openaiChat.decodeRequest(HI, {}),
    turns: [
      { role: 'assistant' as const, parts: [call] },
      { role: 'assistant' as const, parts: [{ type: 'text' as const, text: 'Wait.' }] },
      { role: 'tool' as const, results: [{ callId: 'c', parts: [], isError: false }] },
    ],
  }
  t.strictSame(openaiChat.encodeRequest?.(request, TARGET).body['messages'], [
    {
      role: 'assistant',
      content: 'Wait.',
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'c', content: '' },
  ])
  t.end()
})

t.test('a provider that only streams is asked for a stream', (t) => {
  const quirks = { ...TARGET.quirks, streamOnly: true }
  t.match(openaiChat.encodeRequest?.(openaiChat.decodeRequest(HI, {}), { ...TARGET, quirks }).body, {
    stream: true,
    stream_options: { include_usage: true },
  })
  t.end()
})

const KEYS = ['role', 'content', 'type', 'text', 'tool_calls', 'function', 'name', 'id', 'index', 'arguments', 'delta']
const REPLY_KEYS = [
  'choices',
  'message',
  'error',
  'usage',
  'finish_reason',
  'logprobs',
  'reasoning_details',
  'annotations',
]
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(null, true, 0, -1, 1.5, '', 'user', 'tool', 'function', 'text', 'stop', '{}'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS, ...REPLY_KEYS), tie('value'), { maxKeys: 5 }),
  ),
}))

function codeOf(run: () => unknown): string {
  try {
    run()
    return 'fine'
  } catch (error) {
    if (error instanceof KorProxyError) return error.code
    throw error
  }
}

t.test('property: any JSON is a request or a clear 400, never a defect', (t) => {
  fc.assert(
    fc.property(fc.array(value), fc.array(value), (messages, tools) => {
      // Values made of JSON only.
      const body = { model: 'm', messages, tools } as JsonObject
      const code = codeOf(() => openaiChat.encodeRequest?.(openaiChat.decodeRequest(body, {}), TARGET))
      t.ok(['fine', 'KP-SYS-516', 'KP-PROV-112'].includes(code), code)
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('property: any JSON from a provider is a reply or a broken reply, never a defect', (t) => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 4 }), value, (frames, choices) => {
      const decoder = openaiChat.streamDecoder(CONTEXT)
      const code = codeOf(() => {
        for (const frame of frames) decoder.push({ data: JSON.stringify({ choices: frame }) })
        decoder.end()
      })
      t.ok(['fine', 'KP-PROV-109'].includes(code), code)
      // A value made of JSON only.
      const body = { choices } as JsonObject
      t.ok(['fine', 'KP-PROV-109'].includes(codeOf(() => openaiChat.decodeReply(body, CONTEXT))))
    }),
    { numRuns: 1000 },
  )
  t.end()
})
