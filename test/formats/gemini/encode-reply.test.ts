import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ClientContext, ClientError } from '#formats/format.ts'
import { arrayStreamEncoder } from '#formats/gemini/array-stream.ts'
import { gemini } from '#formats/gemini/gemini.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { golden } from '../../helpers/golden.ts'

const REQUEST = gemini.decodeRequest({ contents: [{ parts: [{ text: 'hi' }] }] }, { model: 'gemini-2.5-flash' })
const CONTEXT: ClientContext = { request: REQUEST, now: 0, newId: () => 'new-id', estimatedInputTokens: 3 }
const FAILURE: ClientError = {
  error: new KorProxyError('KP-PROV-111', { account: 'a', reason: 'reset' }),
  correlationId: 'c-1',
  docsUrl: 'https://docs.example/KP-PROV-111',
}
const WORDS: ChatEvent[] = [
  { type: 'start', id: 'r', model: 'm', createdAt: undefined },
  { type: 'text-delta', choice: 0, text: 'a\r\n\r\nb' },
  { type: 'finish', choice: 0, reason: 'stop' },
]
const HALF =
  '{"candidates":[{"content":{"role":"model","parts":[{"text":"a\\r\\n\\r\\nb"}]},"index":0}],"modelVersion":"m","responseId":"r"}'
const LAST =
  '{"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0}],"modelVersion":"m","responseId":"r"}'
const ERROR =
  '{"error":{"code":502,"message":"The stream from the provider of account a broke off: reset.","status":"UNAVAILABLE","details":[' +
  '{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"KP-PROV-111","domain":"korproxy.dev","metadata":{"correlationId":"c-1"}},' +
  '{"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":"Stream broke off","url":"https://docs.example/KP-PROV-111"}]}]}}'

t.test('R3.4 events become the stream that Gemini clients read', (t) => {
  golden(t, new URL('./events/', import.meta.url), 'stream', (events) => {
    const encoder = gemini.streamEncoder(CONTEXT)
    // Golden inputs are lists of events.
    const text = (events as ChatEvent[]).map((event) => encoder.push(event)).join('') + encoder.end()
    return text.split(/(?<=\r\n\r\n)/)
  })
  t.end()
})

t.test('R3.4 the same events, collected, become the reply that Gemini clients read', (t) => {
  golden(t, new URL('./events/', import.meta.url), 'reply', (events) =>
    // Golden inputs are lists of events.
    gemini.encodeReply(collectReply(events as ChatEvent[]), CONTEXT),
  )
  t.end()
})

t.test('a stream has whole events with carriage returns and never a comment', (t) => {
  const encoder = gemini.streamEncoder(CONTEXT)
  const text = WORDS.map((event) => encoder.push(event)).join('') + gemini.heartbeat + encoder.end()
  t.equal(text, `data: ${HALF}\r\n\r\n\r\n\r\ndata: ${LAST}\r\n\r\n`)
  t.end()
})

t.test('a broken stream ends in the error that Google sends', (t) => {
  t.equal(gemini.streamEncoder(CONTEXT).fail(FAILURE), `data: ${ERROR}\r\n\r\n`)
  t.end()
})

t.test('a client that did not ask for events gets one JSON array', (t) => {
  const encoder = arrayStreamEncoder(gemini.streamEncoder(CONTEXT))
  t.equal(WORDS.map((event) => encoder.push(event)).join('') + encoder.end(), `[${HALF},\r\n${LAST}]`)
  const failing = arrayStreamEncoder(gemini.streamEncoder(CONTEXT))
  t.equal(WORDS.map((event) => failing.push(event)).join('') + failing.fail(FAILURE), `[${HALF},\r\n${ERROR}]`)
  t.equal(arrayStreamEncoder(gemini.streamEncoder(CONTEXT)).fail(FAILURE), `[${ERROR}]`)
  t.end()
})

t.test('thoughts stay away from a client that asked for none', (t) => {
  const context = { ...CONTEXT, request: { ...REQUEST, reasoning: { includeThoughts: false } } }
  const thought: ChatEvent = { type: 'thinking-delta', choice: 0, text: 'secret' }
  t.equal(gemini.streamEncoder(context).push(thought), '')
  t.notMatch(JSON.stringify(gemini.encodeReply(collectReply([thought, ...WORDS]), context)), /secret/)
  t.end()
})
