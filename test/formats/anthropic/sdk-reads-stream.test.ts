import Anthropic from '@anthropic-ai/sdk'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { anthropic } from '#formats/anthropic/anthropic.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import { clientContext } from './fixtures.ts'

const EVENTS: readonly ChatEvent[] = [
  { type: 'start', id: 'chatcmpl-1', model: 'gpt-test', createdAt: undefined },
  { type: 'thinking-delta', choice: 0, text: 'Hm.' },
  { type: 'thinking-signature', choice: 0, signature: { issuer: 'openai', value: 'gAAA' } },
  { type: 'text-delta', choice: 0, text: 'Looking.' },
  { type: 'tool-call-start', choice: 0, index: 0, id: 'call_a', name: 'f' },
  { type: 'tool-call-start', choice: 0, index: 1, id: 'call_b', name: 'g' },
  { type: 'tool-call-delta', choice: 0, index: 1, arguments: '{"y":' },
  { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"x":1}' },
  { type: 'tool-call-delta', choice: 0, index: 1, arguments: '2}' },
  { type: 'tool-call-end', choice: 0, index: 0 },
  { type: 'tool-call-end', choice: 0, index: 1 },
  { type: 'tool-call-start', choice: 0, index: 2, id: 'call_c', name: 'h' },
  { type: 'tool-call-end', choice: 0, index: 2 },
  { type: 'finish', choice: 0, reason: 'stop' },
  { type: 'usage', usage: { input: 10, cachedInput: 4, output: 6 } },
]

function streamOf(sse: string) {
  const headers = { 'content-type': anthropic.streamContentType }
  const client = new Anthropic({ apiKey: 'k', maxRetries: 0, fetch: async () => new Response(sse, { headers }) })
  return client.messages.stream({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] })
}

t.test('R3.3 the Anthropic SDK reads our stream', async (t) => {
  const encoder = anthropic.streamEncoder(clientContext())
  const pieces = EVENTS.map((event) => encoder.push(event))
  const sse = pieces.join(anthropic.heartbeat) + encoder.end()
  const { content, stop_reason, usage } = await streamOf(sse).finalMessage()
  t.match(content, [
    { type: 'thinking', thinking: 'Hm.', signature: 'kp1.openai.gAAA' },
    { type: 'text', text: 'Looking.' },
    { type: 'tool_use', id: 'call_a', name: 'f', input: { x: 1 } },
    { type: 'tool_use', id: 'call_b', name: 'g', input: { y: 2 } },
    { type: 'tool_use', id: 'call_c', name: 'h', input: {} },
  ])
  t.equal(content.length, 5)
  t.equal(stop_reason, 'tool_use')
  t.match(usage, { input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 6 })
})

t.test('R3.4 the Anthropic SDK throws on a stream that failed', async (t) => {
  const encoder = anthropic.streamEncoder(clientContext())
  const begun = EVENTS.slice(0, 4).map((event) => encoder.push(event))
  const error = new KorProxyError('KP-PROV-111', { account: 'a', reason: 'reset' })
  const sse = begun.join('') + encoder.fail({ error, correlationId: 'req-1', docsUrl: 'https://docs.test/p' })
  await t.rejects(streamOf(sse).finalMessage(), { message: /broke off: reset/ })
})
