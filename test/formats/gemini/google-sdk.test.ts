import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GoogleGenAI } from '@google/genai'
import t, { type Test } from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { gemini } from '#formats/gemini/gemini.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import type { ChatRequest, JsonObject } from '#formats/ir/chat-request.ts'

const START: ChatEvent = { type: 'start', id: 'msg_1', model: 'claude', createdAt: undefined }
const THINKING: ChatEvent[] = [
  { type: 'thinking-delta', choice: 0, text: 'Let me ' },
  { type: 'thinking-delta', choice: 0, text: 'look.' },
  { type: 'thinking-signature', choice: 0, signature: { issuer: 'anthropic', value: 'EqQB+/=' } },
]
const CALL: ChatEvent[] = [
  { type: 'text-delta', choice: 0, text: 'Calling.' },
  { type: 'tool-call-start', choice: 0, index: 0, id: 'toolu_1', name: 'weather' },
  { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"city":"Paris"}' },
  { type: 'tool-call-end', choice: 0, index: 0 },
]
const END: ChatEvent[] = [
  { type: 'finish', choice: 0, reason: 'tool-calls' },
  { type: 'usage', usage: { input: 5, output: 7, reasoning: 2 } },
]
const FAILURE = {
  error: new KorProxyError('KP-PROV-111', { account: 'a', reason: 'reset' }),
  correlationId: 'c-1',
  docsUrl: 'https://docs.example/KP-PROV-111',
}

/** A server that decodes what the SDK sends and answers each stream with the same events, broken off if `fails`. */
async function serve(t: Test, answer: { events: readonly ChatEvent[]; fails: boolean }) {
  const requests: ChatRequest[] = []
  const server = createServer(async (incoming, response) => {
    let text = ''
    for await (const piece of incoming) text += piece
    const body: JsonObject = JSON.parse(text)
    const request = gemini.decodeRequest(body, { model: 'gemini-2.5-flash', stream: true })
    requests.push(request)
    const encoder = gemini.streamEncoder({ request, now: 0, newId: () => 'id', estimatedInputTokens: 1 })
    response.writeHead(200, { 'content-type': gemini.streamContentType })
    response.write(gemini.heartbeat)
    for (const event of answer.events) response.write(encoder.push(event))
    response.end(answer.fails ? encoder.fail(FAILURE) : encoder.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  // A server that listens on a port has an address.
  const { port } = server.address() as AddressInfo
  return { requests, client: new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: `http://127.0.0.1:${port}` } }) }
}

t.test('R14.1 Google’s SDK reads a stream and sends its thoughts, signature and call back as they were', async (t) => {
  const { requests, client } = await serve(t, { events: [START, ...THINKING, ...CALL, ...END], fails: false })
  const chat = client.chats.create({ model: 'gemini-2.5-flash' })
  let text = ''
  let tokens: number | undefined
  for await (const chunk of await chat.sendMessageStream({ message: 'weather?' })) {
    text += chunk.text ?? ''
    tokens = chunk.usageMetadata?.totalTokenCount ?? tokens
  }
  t.equal(text, 'Calling.')
  t.equal(tokens, 12)
  const result = { functionResponse: { id: 'toolu_1', name: 'weather', response: { output: 'sunny' } } }
  for await (const _ of await chat.sendMessageStream({ message: [result] }));
  t.strictSame(requests[1]?.turns, [
    { role: 'user', parts: [{ type: 'text', text: 'weather?' }] },
    {
      role: 'assistant',
      parts: [
        { type: 'thinking', text: 'Let me look.', signature: { issuer: 'anthropic', value: 'EqQB+/=' } },
        { type: 'text', text: 'Calling.' },
        { type: 'tool-call', id: 'toolu_1', name: 'weather', arguments: '{"city":"Paris"}' },
      ],
    },
    {
      role: 'tool',
      results: [
        { callId: 'toolu_1', name: 'weather', parts: [{ type: 'text', text: '{"output":"sunny"}' }], isError: false },
      ],
    },
  ])
})

t.test('R14.1 Google’s SDK raises the error that ends a broken stream', async (t) => {
  const { client } = await serve(t, { events: [START, ...THINKING], fails: true })
  const stream = await client.models.generateContentStream({ model: 'gemini-2.5-flash', contents: 'hi' })
  const drain = async () => {
    for await (const _ of stream);
  }
  await t.rejects(drain(), { message: /KP-PROV-111/ })
})
