import { createOpenAI } from '@ai-sdk/openai'
import { jsonSchema, streamText, type ToolSet } from 'ai'
import OpenAI from 'openai'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { openaiResponses } from '#formats/openai-responses/openai-responses.ts'

const EVENTS: readonly ChatEvent[] = [
  { type: 'start', id: undefined, model: 'claude-x', createdAt: 1_700_000_001 },
  { type: 'thinking-delta', choice: 0, text: 'Hm' },
  { type: 'thinking-signature', choice: 0, signature: { issuer: 'anthropic', value: 'c2ln' } },
  { type: 'text-delta', choice: 0, text: 'Let me ' },
  { type: 'text-delta', choice: 0, text: 'look.' },
  { type: 'tool-call-start', choice: 0, index: 0, id: 'call_1', name: 'weather' },
  { type: 'tool-call-start', choice: 0, index: 1, id: 'call_2', name: 'weather' },
  { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"city":"Paris"}' },
  { type: 'tool-call-delta', choice: 0, index: 1, arguments: '{"city":"Rome"}' },
  { type: 'tool-call-end', choice: 0, index: 0 },
  { type: 'tool-call-end', choice: 0, index: 1 },
  { type: 'finish', choice: 0, reason: 'tool-calls' },
  { type: 'usage', usage: { input: 10, output: 5, reasoning: 2 } },
]
const FAILURE = {
  error: new KorProxyError('KP-PROV-111', { account: 'a', reason: 'reset' }),
  correlationId: 'c-1',
  docsUrl: 'https://example.com/KP-PROV-111',
}

/** Stands where the network would be: decodes what the client sent and answers with the events. */
async function answer(_url: unknown, init?: { body?: unknown }): Promise<Response> {
  const request = openaiResponses.decodeRequest(JSON.parse(String(init?.body)), {})
  const context = { request, now: 1_700_000_000_000, newId: () => 'id1', estimatedInputTokens: 1 }
  if (!request.stream) return Response.json(openaiResponses.encodeReply(collectReply(EVENTS), context))
  const encoder = openaiResponses.streamEncoder(context)
  const broken = request.model === 'broken'
  const events = broken ? EVENTS.slice(0, 5) : EVENTS
  const body = events.map((event) => encoder.push(event)).join('') + (broken ? encoder.fail(FAILURE) : encoder.end())
  return new Response(body, { headers: { 'content-type': openaiResponses.streamContentType } })
}

const openai = new OpenAI({ apiKey: 'k', baseURL: 'http://gateway.test/v1', fetch: answer, maxRetries: 0 })
const parameters = { type: 'object', properties: { city: { type: 'string' } } }
const tools = [{ type: 'function' as const, name: 'weather', parameters, strict: false }]

const OUTPUT = [
  { id: 'rs_id1_0', type: 'reasoning', summary: [{ text: 'Hm' }], encrypted_content: 'kp1.anthropic.c2ln' },
  { id: 'msg_id1_1', type: 'message', content: [{ type: 'output_text', text: 'Let me look.' }] },
  { id: 'fc_id1_2', type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Paris"}' },
  { id: 'fc_id1_3', type: 'function_call', call_id: 'call_2', name: 'weather', arguments: '{"city":"Rome"}' },
]

t.test('R3.5 the OpenAI SDK puts the stream together', async (t) => {
  const stream = openai.responses.stream({ model: 'm', input: 'Weather?', tools })
  const response = await stream.finalResponse()
  t.match(response, { id: 'resp_id1', status: 'completed', output: OUTPUT, output_text: 'Let me look.' })
  t.match(response.usage, { input_tokens: 10, output_tokens: 5, total_tokens: 15 })
})

t.test('R3.4 the OpenAI SDK reads the reply', async (t) => {
  const response = await openai.responses.create({ model: 'm', input: 'Weather?', tools })
  t.match(response, { id: 'resp_id1', status: 'completed', output: OUTPUT, output_text: 'Let me look.' })
})

t.test('R8.4 the OpenAI SDK shows a broken stream as failed', async (t) => {
  const response = await openai.responses.stream({ model: 'broken', input: 'Weather?' }).finalResponse()
  t.match(response, { status: 'failed', error: { code: 'server_error' } })
})

function streamWithAiSdk(model: string) {
  const provider = createOpenAI({ apiKey: 'k', baseURL: 'http://gateway.test/v1', fetch: answer })
  const inputSchema = jsonSchema<{ city: string }>({ type: 'object', properties: { city: { type: 'string' } } })
  const weather: ToolSet = { weather: { description: 'Weather', inputSchema } }
  return streamText({
    model: provider(model),
    prompt: 'Weather?',
    tools: weather,
    maxRetries: 0,
    onError: () => {},
  })
}

t.test('R3.5 the AI SDK reads the stream', async (t) => {
  const result = streamWithAiSdk('m')
  t.equal(await result.text, 'Let me look.')
  t.equal(await result.reasoningText, 'Hm')
  t.match(await result.toolCalls, [{ input: { city: 'Paris' } }, { input: { city: 'Rome' } }])
  t.equal(await result.finishReason, 'tool-calls')
})

t.test('R8.4 the AI SDK shows a broken stream as an error', async (t) => {
  t.equal(await streamWithAiSdk('broken').finishReason, 'error')
})
