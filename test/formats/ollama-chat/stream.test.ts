import { Ollama } from 'ollama'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ClientContext, ReplyContext } from '#formats/format.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { ollamaChat } from '#formats/ollama-chat/ollama-chat.ts'
import { golden } from '../../helpers/golden.ts'

const REPLY: ReplyContext = { issuer: 'ollama', toolNames: new Map(), jsonTool: undefined }
const CLIENT: ClientContext = {
  request: ollamaChat.decodeRequest({ model: 'alias', messages: [{ role: 'user', content: 'hi' }] }, {}),
  now: Date.UTC(2026, 10, 21, 10, 0, 0, 500),
  newId: () => 'id1',
  estimatedInputTokens: 3,
}
const FAILURE = {
  error: new KorProxyError('KP-PROV-111', { account: 'a', reason: 'reset' }),
  correlationId: 'c-1',
  docsUrl: 'https://example.com/KP-PROV-111',
}

t.test('R3.5 streams become events', (t) => {
  golden(t, new URL('streams/', import.meta.url), 'events', (input) => {
    const decoder = ollamaChat.streamDecoder(REPLY)
    // Golden inputs are lists of lines.
    const events = (input as JsonObject[]).flatMap((line) => decoder.push({ data: JSON.stringify(line) }))
    return [...events, ...decoder.end()]
  })
  t.end()
})

function encode(events: readonly ChatEvent[]): string {
  const encoder = ollamaChat.streamEncoder(CLIENT)
  return events.map((event) => encoder.push(event)).join('') + encoder.end()
}

t.test('R3.5 events become lines', (t) => {
  golden(t, new URL('events/', import.meta.url), 'lines', (input) =>
    // Golden inputs are lists of events; every line must be JSON by itself.
    encode(input as ChatEvent[])
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  )
  t.end()
})

t.test('R3.4 the same events, collected, become a reply', (t) => {
  golden(t, new URL('events/', import.meta.url), 'reply', (input) =>
    // Golden inputs are lists of events.
    ollamaChat.encodeReply(collectReply(input as ChatEvent[]), CLIENT),
  )
  t.end()
})

t.test('numbers of a call keep their digits, and its line breaks do not break the line', (t) => {
  const lines = encode([
    { type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'f' },
    { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{\n"n": 12345678901234567890, "x": 1.0}' },
    { type: 'tool-call-end', choice: 0, index: 0 },
    { type: 'finish', choice: 0, reason: 'tool-calls' },
  ]).split('\n')
  t.match(lines[0], '"arguments":{ "n": 12345678901234567890, "x": 1.0}')
  t.equal(lines.length, 3)
  t.end()
})

t.test('R3.5 a broken line is an error, a blank one is nothing', (t) => {
  const decoder = ollamaChat.streamDecoder(REPLY)
  for (const data of ['{"message":{"con', '[]', '{"model":"m"}']) {
    t.throws(() => decoder.push({ data }), { code: 'KP-PROV-109' }, data)
  }
  t.same(decoder.push({ data: '  ' }), [])
  const unfinished = { model: 'm', message: { role: 'assistant', content: 'x' }, done: false }
  t.throws(() => ollamaChat.decodeReply(unfinished, REPLY), { code: 'KP-PROV-109' })
  t.same(ollamaChat.decodeReply({ error: 'no such model' }, REPLY), [
    { type: 'error', kind: 'upstream', code: undefined, message: 'no such model' },
  ])
  t.end()
})

t.test('R8.4 an end without a finish reason is an error line', (t) => {
  t.equal(encode([]), '{"error":"The answer ended without its finish reason."}\n')
  t.end()
})

/** Stands where the network would be. */
function clientFor(body: string): Ollama {
  return new Ollama({ host: 'http://gateway.test', fetch: async () => new Response(body) })
}
const ASK = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }

async function read(body: string): Promise<string> {
  let text = ''
  for await (const part of await clientFor(body).chat({ ...ASK, stream: true })) {
    text += part.done ? `[${part.done_reason} ${part.eval_count}]` : part.message.content
  }
  return text
}

t.test('R3.5 the Ollama SDK reads the stream, heartbeats included', async (t) => {
  const events: ChatEvent[] = [
    { type: 'text-delta', choice: 0, text: 'Hi' },
    { type: 'usage', usage: { output: 1 } },
    { type: 'finish', choice: 0, reason: 'stop' },
  ]
  t.equal(await read(ollamaChat.heartbeat + encode(events)), 'Hi[stop 1]')
})

t.test('R8.4 the Ollama SDK throws at a broken stream', async (t) => {
  const encoder = ollamaChat.streamEncoder(CLIENT)
  const body = encoder.push({ type: 'text-delta', choice: 0, text: 'Hi' }) + encoder.fail(FAILURE)
  await t.rejects(read(body), {
    message: 'The stream from the provider of account a broke off: reset. (KP-PROV-111, c-1)',
  })
})
