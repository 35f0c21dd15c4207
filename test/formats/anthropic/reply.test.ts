import t from 'tap'
import { anthropic } from '#formats/anthropic/anthropic.ts'
import type { ReplyContext } from '#formats/format.ts'
import type { ChatReply, ReplyChoice } from '#formats/ir/chat-event.ts'
import { clientContext } from './fixtures.ts'

const CONTEXT: ReplyContext = {
  issuer: 'anthropic',
  toolNames: new Map([['get_weather', 'get.weather']]),
  jsonTool: undefined,
}

t.test('R3.3 a whole message becomes events', (t) => {
  const events = anthropic.decodeReply(
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-test',
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
        { type: 'redacted_thinking', data: 'ZW5j' },
        {
          type: 'text',
          text: 'Found.',
          citations: [{ type: 'char_location', cited_text: 'c', document_title: 'D', document_index: 0 }],
        },
        { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'q' } },
        { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
        { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Paris' } },
        { type: 'tool_use', id: 'toolu_2', name: 'now', input: {} },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: 5, cache_read_input_tokens: 3, cache_creation_input_tokens: 2, output_tokens: 9 },
    },
    CONTEXT,
  )
  t.strictSame(events, [
    { type: 'start', id: 'msg_1', model: 'claude-test', createdAt: undefined },
    { type: 'thinking-delta', choice: 0, text: 'Hm.' },
    { type: 'thinking-signature', choice: 0, signature: { issuer: 'anthropic', value: 'c2ln' } },
    { type: 'redacted-thinking', choice: 0, data: { issuer: 'anthropic', value: 'ZW5j' } },
    { type: 'text-delta', choice: 0, text: 'Found.' },
    { type: 'citation', choice: 0, url: undefined, title: 'D', citedText: 'c' },
    { type: 'tool-call-start', choice: 0, index: 0, id: 'toolu_1', name: 'get.weather' },
    { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"city":"Paris"}' },
    { type: 'tool-call-end', choice: 0, index: 0 },
    { type: 'tool-call-start', choice: 0, index: 1, id: 'toolu_2', name: 'now' },
    { type: 'tool-call-end', choice: 0, index: 1 },
    { type: 'usage', usage: { input: 10, cachedInput: 3, cacheWriteInput: 2, output: 9 } },
    { type: 'finish', choice: 0, reason: 'tool-calls' },
  ])
  t.end()
})

t.test('R3.3 the tool that stands for a JSON answer is unwrapped to text', (t) => {
  const decode = (input: Record<string, number>) =>
    anthropic.decodeReply(
      {
        content: [
          { type: 'text', text: 'Here:' },
          { type: 'tool_use', id: 'toolu_1', name: 'json', input },
        ],
        stop_reason: 'tool_use',
      },
      { ...CONTEXT, jsonTool: 'json' },
    )
  t.strictSame(decode({ a: 1 }).slice(1), [
    { type: 'text-delta', choice: 0, text: '{"a":1}' },
    { type: 'finish', choice: 0, reason: 'stop' },
  ])
  t.match(decode({})[1], { type: 'text-delta', text: '{}' })
  t.end()
})

t.test('of two calls of the tool that stands for a JSON answer the first one is the answer', (t) => {
  const content = ['b', 'c'].map((a, index) => ({ type: 'tool_use', id: `toolu_${index}`, name: 'json', input: { a } }))
  const events = anthropic.decodeReply({ content, stop_reason: 'tool_use' }, { ...CONTEXT, jsonTool: 'json' })
  t.strictSame(events.slice(1), [
    { type: 'text-delta', choice: 0, text: '{"a":"b"}' },
    { type: 'finish', choice: 0, reason: 'stop' },
  ])
  t.end()
})

t.test('a body that is no message is KP-PROV-109, an error with status 200 an error event', (t) => {
  t.throws(() => anthropic.decodeReply({ choices: [] }, CONTEXT), { code: 'KP-PROV-109', message: /content/ })
  t.throws(() => anthropic.decodeReply({ content: [], stop_reason: null }, CONTEXT), { code: 'KP-PROV-109' })
  t.strictSame(
    anthropic.decodeReply({ type: 'error', error: { type: 'rate_limit_error', message: 'slow down' } }, CONTEXT),
    [{ type: 'error', kind: 'rate_limited', code: 'rate_limit_error', message: 'slow down' }],
  )
  t.match(anthropic.decodeReply({ type: 'error', error: null }, CONTEXT), [
    { kind: 'upstream', code: undefined, message: 'the provider gave no message' },
  ])
  t.end()
})

function reply(choice: Partial<ReplyChoice>, rest: Partial<ChatReply> = {}): ChatReply {
  const whole = { index: 0, parts: [], finish: undefined, logprobs: undefined, ...choice }
  return { id: 'chatcmpl-1', model: 'gpt-test', createdAt: 1, choices: [whole], usage: undefined, ...rest }
}

t.test('R3.3 a whole reply becomes a message', (t) => {
  const encoded = anthropic.encodeReply(
    reply(
      {
        parts: [
          { type: 'thinking', text: 'Hm.', signature: { issuer: 'openai', value: 'gAAA' } },
          { type: 'thinking', text: 'unsigned', signature: undefined },
          { type: 'redacted-thinking', data: { issuer: 'anthropic', value: 'ZW5j' } },
          { type: 'text', text: '', citations: [] },
          {
            type: 'text',
            text: 'Found.',
            citations: [
              { type: 'citation', choice: 0, url: 'https://example.com', title: undefined, citedText: undefined },
            ],
          },
          { type: 'refusal', text: 'No more.' },
          { type: 'image', mediaType: 'image/png', data: 'aGk=' },
          {
            type: 'tool-call',
            id: 'call_1',
            name: 'f',
            arguments: '{"x":1}',
            signature: { issuer: 'gemini', value: 'Q2FsbA==' },
          },
          { type: 'tool-call', id: 'call 2', name: 'g', arguments: '', signature: undefined },
          { type: 'tool-call', id: 'call_3', name: 'h', arguments: '{"x":', signature: undefined },
        ],
        finish: { type: 'finish', choice: 0, reason: 'stop' },
      },
      { usage: { input: 10, cachedInput: 4, cacheWriteInput: 3, cacheWrite1hInput: 1, output: 8 } },
    ),
    clientContext(),
  )
  t.strictSame(encoded, {
    id: 'msg_new1',
    type: 'message',
    role: 'assistant',
    model: 'gpt-test',
    content: [
      { type: 'thinking', thinking: 'Hm.', signature: 'kp1.openai.gAAA' },
      { type: 'thinking', thinking: 'unsigned', signature: '' },
      { type: 'redacted_thinking', data: 'ZW5j' },
      {
        type: 'text',
        text: 'Found.',
        citations: [
          {
            type: 'web_search_result_location',
            url: 'https://example.com',
            title: null,
            cited_text: '',
            encrypted_index: '',
          },
        ],
      },
      { type: 'text', text: 'No more.' },
      { type: 'text', text: '[image (image/png) left out: the Messages API has no images in replies]' },
      { type: 'thinking', thinking: '', signature: 'kp1call:kp1.gemini.Q2FsbA==' },
      { type: 'tool_use', id: 'call_1', name: 'f', input: { x: 1 } },
      { type: 'tool_use', id: 'toolu_new2', name: 'g', input: {} },
      { type: 'tool_use', id: 'call_3', name: 'h', input: {} },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: {
      input_tokens: 3,
      cache_creation_input_tokens: 3,
      cache_read_input_tokens: 4,
      cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 1 },
      output_tokens: 8,
    },
  })
  t.end()
})

t.test('usage that no provider counted is estimated, never zero', (t) => {
  const { usage } = anthropic.encodeReply(
    reply({ parts: [{ type: 'text', text: 'x'.repeat(41), citations: [] }] }),
    clientContext(),
  )
  t.strictSame(usage, {
    input_tokens: 42,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 11,
  })
  t.end()
})

t.test('a reply without a choice is an empty message, not a crash', (t) => {
  const { content, stop_reason } = anthropic.encodeReply({ ...reply({}), choices: [] }, clientContext())
  t.strictSame({ content, stop_reason }, { content: [], stop_reason: null })
  t.end()
})
