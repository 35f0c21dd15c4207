import t from 'tap'
import type { ChatFormatName, ModelCapabilities, ReplyContext, TargetModel } from '#formats/format.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { CHAT_FORMATS } from '#formats/registry.ts'
import { clientContext, StreamPipe } from './relay.ts'

interface Facts {
  readonly capabilities?: ModelCapabilities
  readonly maxOutputTokens?: number
}

/** A request of one format as it is written for another. */
function translated(client: ChatFormatName, target: ChatFormatName, body: JsonObject, facts: Facts = {}): JsonObject {
  const model: TargetModel = { id: 'm', issuer: 'x', capabilities: {}, quirks: { onUnsupported: 'Error' }, ...facts }
  const encoded = CHAT_FORMATS[target].encodeRequest?.(CHAT_FORMATS[client].decodeRequest(body, { model: 'm' }), model)
  if (encoded === undefined) throw new Error(`${target} is no target`)
  return encoded.body
}

const HI = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }
const CLIENT = CHAT_FORMATS['openai-chat'].decodeRequest(
  { ...HI, stream: true, stream_options: { include_usage: true } },
  {},
)
const REPLY: ReplyContext = { issuer: 'x', toolNames: new Map(), jsonTool: undefined }

/** A stream of one format as a client of another reads it: the data of its events. */
function streamed(from: ChatFormatName, to: ChatFormatName, frames: readonly JsonObject[]): JsonObject[] {
  const pipe = new StreamPipe(
    CHAT_FORMATS[from],
    CHAT_FORMATS[from].streamDecoder(REPLY),
    CHAT_FORMATS[to].streamEncoder(clientContext(CLIENT)),
  )
  const ndjson = CHAT_FORMATS[from].framing === 'ndjson'
  const bytes = frames.map((frame) => (ndjson ? `${JSON.stringify(frame)}\n` : `data: ${JSON.stringify(frame)}\n\n`))
  const text = [...pipe.push(new TextEncoder().encode(bytes.join(''))), ...pipe.end()].join('')
  return text
    .split('\n')
    .map((line) => line.replace(/^data: /, ''))
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
}

t.test(
  'a request without max_tokens gets the model’s own limit (Portkey sends none and Anthropic answers 400)',
  (t) => {
    t.equal(translated('openai-chat', 'anthropic', HI, { maxOutputTokens: 8_192 })['max_tokens'], 8_192)
    t.equal(translated('openai-chat', 'anthropic', HI)['max_tokens'] !== undefined, true)
    t.end()
  },
)

t.test(
  'empty arguments are an empty object for Gemini, Ollama and Anthropic (LiteLLM sends {"type":"object"} or fails)',
  (t) => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '' } }
    const messages = [
      ...HI.messages,
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: 'r' },
    ]
    const body = { ...HI, messages }
    t.match(translated('openai-chat', 'gemini', body)['contents'], [
      {},
      { parts: [{ functionCall: { name: 'f', args: {} } }] },
    ])
    t.match(translated('openai-chat', 'ollama-chat', body)['messages'], [
      {},
      { tool_calls: [{ function: { name: 'f', arguments: {} } }] },
    ])
    t.match(translated('openai-chat', 'anthropic', body)['messages'], [
      {},
      { content: [{ type: 'tool_use', name: 'f', input: {} }] },
    ])
    t.end()
  },
)

t.test(
  'a stop sequence of white space is not sent to Anthropic, which refuses it (Portkey and agentgateway send it)',
  (t) => {
    t.strictSame(translated('openai-chat', 'anthropic', { ...HI, stop: ['\n\n', 'END'] })['stop_sequences'], ['END'])
    t.equal(translated('openai-chat', 'anthropic', { ...HI, stop: '\n\n' })['stop_sequences'], undefined)
    t.end()
  },
)

t.test('a JSON object asked of Anthropic is asked for in words (LiteLLM and Portkey forget it)', (t) => {
  const body = translated('openai-chat', 'anthropic', { ...HI, response_format: { type: 'json_object' } })
  t.match(JSON.stringify(body['system']), /JSON/)
  t.end()
})

t.test('thinking leaves room for the answer (agentgateway leaves one token of 4,096)', (t) => {
  const body = translated(
    'openai-chat',
    'anthropic',
    { ...HI, reasoning_effort: 'xhigh', max_completion_tokens: 4_096 },
    { capabilities: { reasoning: true } },
  )
  t.match(body['thinking'], { type: 'enabled', budget_tokens: Number })
  // Just matched.
  const { budget_tokens } = body['thinking'] as { budget_tokens: number }
  t.ok(Number(body['max_tokens']) - budget_tokens >= 4_096, `${body['max_tokens']} − ${budget_tokens}`)
  t.end()
})

t.test('effort xhigh is lowered for Gemini (LiteLLM fails, Portkey sends an unknown level)', (t) => {
  const body = { ...HI, reasoning_effort: 'xhigh' }
  const config = (capabilities: ModelCapabilities) =>
    translated('openai-chat', 'gemini', body, { capabilities })['generationConfig']
  t.match(config({ reasoning: true, thinkingLevel: true }), { thinkingConfig: { thinkingLevel: 'high' } })
  t.match(config({ reasoning: true }), { thinkingConfig: { thinkingBudget: 24_576 } })
  t.end()
})

t.test('penalties, seed and number of choices reach Gemini (Portkey drops them)', (t) => {
  const body = translated('openai-chat', 'gemini', {
    ...HI,
    n: 2,
    seed: 7,
    presence_penalty: 0.5,
    frequency_penalty: 0.25,
  })
  t.match(body['generationConfig'], { candidateCount: 2, seed: 7, presencePenalty: 0.5, frequencyPenalty: 0.25 })
  t.end()
})

t.test('max_tokens of Claude Code is lowered to what the target can (gpt-4o answers 400 above 16,384)', (t) => {
  const body = translated('anthropic', 'openai-chat', { ...HI, max_tokens: 64_000 }, { maxOutputTokens: 16_384 })
  t.equal(body['max_tokens'] ?? body['max_completion_tokens'], 16_384)
  t.end()
})

t.test('Claude Code’s adaptive thinking is no error for a model that does not reason', (t) => {
  const asked = { ...HI, max_tokens: 100, thinking: { type: 'adaptive' }, output_config: { effort: 'high' } }
  for (const target of ['openai-chat', 'openai-responses', 'gemini', 'ollama-chat'] as const) {
    const text = JSON.stringify(translated('anthropic', target, asked, { capabilities: { reasoning: false } }))
    t.notMatch(text, /reasoning_effort|"reasoning"|thinkingConfig|"think":true/, target)
  }
  t.end()
})

t.test(
  'Claude Code’s billing header, which differs in every conversation, is not sent to others (it defeats prompt caches)',
  (t) => {
    const system = [
      { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1; hash=abc' },
      { type: 'text', text: 'Be terse.' },
    ]
    for (const target of ['openai-chat', 'openai-responses', 'gemini', 'ollama-chat'] as const) {
      const text = JSON.stringify(translated('anthropic', target, { ...HI, max_tokens: 9, system }))
      t.notMatch(text, /billing-header/, target)
      t.match(text, /Be terse\./, target)
    }
    t.end()
  },
)

t.test('Codex’s web_search and namespaces are no error anywhere, and a namespaced tool keeps both its names', (t) => {
  const body = {
    model: 'm',
    input: 'hi',
    tools: [
      { type: 'web_search' },
      { type: 'namespace', name: 'agents', tools: [{ type: 'function', name: 'spawn' }] },
    ],
  }
  for (const target of ['openai-chat', 'anthropic', 'gemini', 'ollama-chat'] as const) {
    t.match(JSON.stringify(translated('openai-responses', target, body)['tools']), /"agents__spawn"/, target)
  }
  const request = CHAT_FORMATS['openai-responses'].decodeRequest(body, {})
  const encoder = CHAT_FORMATS['openai-responses'].streamEncoder(clientContext(request))
  const item = encoder.push({ type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'agents__spawn' })
  t.match(item, /"name":"spawn","namespace":"agents"/)
  t.end()
})

t.test('argument keys named like schema keywords reach Gemini (CLIProxyAPI deleted "title" and "format")', (t) => {
  const parameters = {
    type: 'object',
    properties: { title: { type: 'string' }, format: { type: 'string' } },
    required: ['title'],
  }
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"title":"a","format":"b"}' } }
  const body = {
    ...HI,
    messages: [
      ...HI.messages,
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: 'r' },
    ],
    tools: [{ type: 'function', function: { name: 'f', parameters } }],
  }
  const written = JSON.stringify(translated('openai-chat', 'gemini', body))
  t.match(written, /"args":\{"title":"a","format":"b"\}/)
  t.match(written, /"properties":\{"title":\{"type":"string"\},"format":\{"type":"string"\}\}/)
  t.end()
})

t.test('the final usage counts, not the one that a stream began with (Portkey bills 2 tokens of 9,632)', (t) => {
  const events = streamed('anthropic', 'openai-chat', [
    {
      type: 'message_start',
      message: { id: 'msg_1', model: 'm', content: [], usage: { input_tokens: 2, output_tokens: 1 } },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { input_tokens: 9_632, output_tokens: 5 } },
    { type: 'message_stop' },
  ])
  t.match(events.at(-1)?.['usage'], { prompt_tokens: 9_632, completion_tokens: 5 })
  t.end()
})

t.test('calls that an OpenAI-like server numbers all 0 have numbers of their own for every client', (t) => {
  const call = (id: string, name: string) => ({ index: 0, id, type: 'function', function: { name, arguments: '{}' } })
  const chunk = (delta: JsonObject, finish_reason: string | null = null) => ({
    choices: [{ index: 0, delta, finish_reason }],
  })
  const frames = [
    chunk({ tool_calls: [call('a', 'f')] }),
    chunk({ tool_calls: [call('b', 'g')] }),
    chunk({}, 'tool_calls'),
  ]
  const chat = streamed('openai-chat', 'openai-chat', frames)
  const indexes = chat.flatMap((it) => JSON.stringify(it).match(/"tool_calls":\[\{"index":(\d),"id"/)?.[1] ?? [])
  t.strictSame(indexes, ['0', '1'])
  const responses = streamed('openai-chat', 'openai-responses', frames)
  const added = responses.filter((it) => it['type'] === 'response.output_item.added').map((it) => it['output_index'])
  t.strictSame(added, [0, 1])
  const blocks = streamed('openai-chat', 'anthropic', frames)
  t.strictSame(
    blocks.filter((it) => it['type'] === 'content_block_start').map((it) => it['index']),
    [0, 1],
  )
  t.end()
})

t.test('a failure that a provider hides in a finish reason or a last line is no answer for any client', (t) => {
  const hidden: [ChatFormatName, JsonObject[]][] = [
    [
      'openai-chat',
      [
        { choices: [{ index: 0, delta: { content: 'Hi' } }] },
        { choices: [{ index: 0, delta: {}, finish_reason: 'error' }] },
      ],
    ],
    ['gemini', [{ candidates: [{ content: { parts: [{ text: 'Hi' }] }, finishReason: 'MALFORMED_FUNCTION_CALL' }] }]],
    ['ollama-chat', [{ message: { role: 'assistant', content: 'Hi' }, done: false }, { error: 'out of memory' }]],
  ]
  for (const [from, frames] of hidden) {
    const decoder = CHAT_FORMATS[from].streamDecoder(REPLY)
    const events = [...frames.flatMap((frame) => decoder.push({ data: JSON.stringify(frame) })), ...decoder.end()]
    t.ok(
      events.some(({ type }) => type === 'error'),
      `${from} tells of the error`,
    )
    t.notOk(
      events.some(({ type }) => type === 'finish'),
      `${from} has no finish`,
    )
  }
  t.end()
})
