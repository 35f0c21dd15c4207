import { Ollama } from 'ollama'
import t from 'tap'
import type { ClientContext, ReplyContext } from '#formats/format.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { ollamaGenerate } from '#formats/ollama-generate/ollama-generate.ts'

const REPLY: ReplyContext = { issuer: 'ollama', toolNames: new Map(), jsonTool: undefined }
const CLIENT: ClientContext = {
  request: ollamaGenerate.decodeRequest({ model: 'alias', prompt: 'hi' }, {}),
  now: Date.UTC(2026, 10, 21, 10, 0, 0, 500),
  newId: () => 'id1',
  estimatedInputTokens: 3,
}
const EVENTS: readonly ChatEvent[] = [
  { type: 'start', id: undefined, model: 'gpt-5', createdAt: undefined },
  { type: 'thinking-delta', choice: 0, text: 'hm' },
  { type: 'text-delta', choice: 0, text: 'Hi' },
  { type: 'usage', usage: { input: 7, output: 2 } },
  { type: 'finish', choice: 0, reason: 'length' },
]

t.test('R3.3 a prompt becomes one user turn', (t) => {
  const body = {
    model: 'm',
    prompt: 'Look.',
    system: 'Be short.',
    images: ['iVBORw=='],
    stream: false,
    raw: true,
    keep_alive: 0,
    options: { num_predict: 9 },
  }
  t.match(ollamaGenerate.decodeRequest(body, {}), {
    stream: false,
    system: [{ type: 'text', text: 'Be short.' }],
    turns: [{ role: 'user', parts: [{ text: 'Look.' }, { source: { mediaType: 'image/png', data: 'iVBORw==' } }] }],
    maxOutputTokens: 9,
    dropped: ['raw', 'keep_alive'],
  })
  t.equal(ollamaGenerate.decodeRequest({ model: 'm', prompt: 'x' }, {}).stream, true)
  t.end()
})

t.test('R3.4 what only an Ollama server can do is refused', (t) => {
  const request = { model: 'm', prompt: 'x' }
  t.throws(() => ollamaGenerate.decodeRequest({ ...request, suffix: '}' }, {}), { code: 'KP-PROV-112' })
  t.throws(() => ollamaGenerate.decodeRequest({ ...request, context: [1] }, {}), { code: 'KP-PROV-112' })
  t.throws(() => ollamaGenerate.decodeRequest({ model: 'm' }, {}), { code: 'KP-SYS-516', message: /^prompt: / })
  t.equal(ollamaGenerate.encodeRequest, undefined)
  t.end()
})

t.test('R3.5 events become lines with a response', (t) => {
  const encoder = ollamaGenerate.streamEncoder(CLIENT)
  const text = EVENTS.map((event) => encoder.push(event)).join('') + encoder.end()
  t.equal(
    text,
    [
      '{"model":"gpt-5","created_at":"2026-11-21T10:00:00.500Z","response":"","thinking":"hm","done":false}',
      '{"model":"gpt-5","created_at":"2026-11-21T10:00:00.500Z","response":"Hi","done":false}',
      '{"model":"gpt-5","created_at":"2026-11-21T10:00:00.500Z","response":"","done":true,"done_reason":"length",' +
        '"total_duration":0,"load_duration":0,"prompt_eval_duration":0,"eval_duration":0,"prompt_eval_count":7,"eval_count":2}',
      '',
    ].join('\n'),
  )
  t.end()
})

t.test('R3.5 lines with a response become events, for the tap', (t) => {
  const line = { model: 'm', created_at: '2026-11-21T10:00:00Z', response: 'Hi', thinking: 'hm', done: false }
  const decoder = ollamaGenerate.streamDecoder(REPLY)
  t.same(decoder.push({ data: JSON.stringify(line) }), [
    { type: 'start', id: undefined, model: 'm', createdAt: 1_795_255_200 },
    { type: 'thinking-delta', choice: 0, text: 'hm' },
    { type: 'text-delta', choice: 0, text: 'Hi' },
  ])
  const last = { ...line, response: '', thinking: '', done: true, done_reason: 'stop', eval_count: 2 }
  t.same(decoder.push({ data: JSON.stringify(last) }), [
    { type: 'usage', usage: { output: 2 } },
    { type: 'finish', choice: 0, reason: 'stop' },
  ])
  t.end()
})

t.test('R3.4 the Ollama SDK reads the reply', async (t) => {
  const body = JSON.stringify(ollamaGenerate.encodeReply(collectReply(EVENTS), CLIENT))
  const client = new Ollama({ host: 'http://gateway.test', fetch: async () => new Response(body) })
  const reply = await client.generate({ model: 'm', prompt: 'x', stream: false })
  t.match(reply, { model: 'gpt-5', response: 'Hi', thinking: 'hm', done: true, done_reason: 'length', eval_count: 2 })
})
