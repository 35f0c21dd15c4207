import t from 'tap'
import { anthropic } from '#formats/anthropic/anthropic.ts'
import { encodeMessagesRequest } from '#formats/anthropic/encode-request.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import type { JsonObject, Turn } from '#formats/ir/chat-request.ts'
import { chatRequest, clientContext, targetModel } from './fixtures.ts'

/** Mistakes seen in other gateways, each with where it was reported. */

const START: ChatEvent = { type: 'start', id: undefined, model: 'm', createdAt: undefined }

function stream(...events: ChatEvent[]): string {
  const encoder = anthropic.streamEncoder(clientContext())
  return events.map((event) => encoder.push(event)).join('') + encoder.end()
}

function decode(...events: JsonObject[]): ChatEvent[] {
  const decoder = anthropic.streamDecoder({ issuer: 'anthropic', toolNames: new Map(), jsonTool: undefined })
  return events.flatMap((event) => decoder.push({ data: JSON.stringify(event) }))
}

t.test(
  'message_start comes once, with an empty list as content (BerriAI/litellm#25212, SaladDay/cc-switch-cli#323)',
  (t) => {
    const text = stream(START, START, { type: 'text-delta', choice: 0, text: 'x' })
    t.equal(text.match(/event: message_start/g)?.length, 1)
    t.match(text, /"content":\[\]/)
    t.end()
  },
)

t.test('thinking never gets into a text block (BerriAI/litellm#25212)', (t) => {
  const text = stream(
    START,
    { type: 'text-delta', choice: 0, text: 'a' },
    { type: 'thinking-delta', choice: 0, text: 'b' },
    { type: 'text-delta', choice: 0, text: 'c' },
  )
  const deltas = [...text.matchAll(/"index":(\d),"delta":\{"type":"(\w+)"/g)].map(([, index, type]) => [index, type])
  t.strictSame(deltas, [
    ['0', 'text_delta'],
    ['1', 'thinking_delta'],
    ['2', 'text_delta'],
  ])
  t.end()
})

t.test(
  'usage of message_delta replaces that of message_start, nothing is added up (envoyproxy/ai-gateway#2239)',
  (t) => {
    const events = decode(
      { type: 'message_start', message: { usage: { input_tokens: 2, cache_read_input_tokens: 5, output_tokens: 1 } } },
      { type: 'message_delta', delta: {}, usage: { input_tokens: 9632, cache_read_input_tokens: 5, output_tokens: 7 } },
    )
    t.strictSame(events.at(-1), { type: 'usage', usage: { input: 9637, cachedInput: 5, output: 7 } })
    t.end()
  },
)

t.test('cached tokens are not counted twice towards the client (envoyproxy/ai-gateway#2350)', (t) => {
  const text = stream(START, { type: 'usage', usage: { input: 1000, cachedInput: 900, output: 1 } })
  t.match(text, /"input_tokens":100,"cache_creation_input_tokens":0,"cache_read_input_tokens":900/)
  t.end()
})

t.test('the prompt is announced as an estimate, not as zero (BerriAI/litellm#41406)', (t) => {
  t.match(stream(START), /^event: message_start\n.*"input_tokens":42/)
  t.end()
})

t.test('"stop" after a tool call is tool_use, or agents would not run the tool', (t) => {
  const call: ChatEvent = { type: 'tool-call-start', choice: 0, index: 0, id: 'a', name: 'f' }
  t.match(stream(START, call, { type: 'finish', choice: 0, reason: 'stop' }), /"stop_reason":"tool_use"/)
  t.end()
})

t.test('tools that Anthropic runs are no calls for the client, and the finish stays stop', (t) => {
  const events = decode(
    { type: 'content_block_start', index: 0, content_block: { type: 'server_tool_use', name: 'web_fetch', input: {} } },
    { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{}' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'mcp_tool_use', name: 'm', input: {} } },
    { type: 'content_block_stop', index: 1 },
    { type: 'content_block_start', index: 2, content_block: { type: 'web_fetch_tool_result', content: {} } },
    { type: 'content_block_stop', index: 2 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
  )
  t.strictSame(events, [{ type: 'finish', choice: 0, reason: 'stop' }])
  t.end()
})

t.test('parallel results are one user message, results first (MoonshotAI/kosong#45, BerriAI/litellm#16525)', (t) => {
  const result = (callId: string): Turn => ({ role: 'tool', results: [{ callId, parts: [], isError: false }] })
  const call = (id: string) => ({ type: 'tool-call' as const, id, name: 'f', arguments: '{}' })
  const turns: Turn[] = [
    { role: 'user', parts: [{ type: 'text', text: 'go' }] },
    { role: 'assistant', parts: [call('a'), call('b')] },
    result('b'),
    result('a'),
    { role: 'user', parts: [{ type: 'text', text: 'next' }] },
  ]
  const { body } = encodeMessagesRequest(chatRequest({ turns }), targetModel({}))
  t.match(body['messages'], [
    { role: 'user' },
    { role: 'assistant' },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'a' },
        { type: 'tool_result', tool_use_id: 'b' },
        { type: 'text', text: 'next' },
      ],
    },
  ])
  t.end()
})

t.test('a signature of another provider is never sent, nor made up (router-for-me/CLIProxyAPI#570)', (t) => {
  const thinking = { type: 'thinking' as const, text: 't', signature: { issuer: 'gemini', value: 's' } }
  const turns: Turn[] = [{ role: 'assistant', parts: [thinking, { type: 'text', text: 'x' }] }]
  const { body, dropped } = encodeMessagesRequest(chatRequest({ turns }), targetModel({}))
  t.notMatch(JSON.stringify(body), 'thinking')
  t.strictSame(dropped, ['messages.thinking'])
  t.end()
})
