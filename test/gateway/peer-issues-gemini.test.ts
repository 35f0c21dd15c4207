import t, { type Test } from 'tap'
import { startRig } from '../helpers/gateway-rig.ts'
import { accounts } from '../helpers/stack.ts'

// What other gateways got wrong with Gemini, each with the number of the report.

const CHAT = '/v1/chat/completions'
const JSON_HEAD = { status: 200, headers: { 'content-type': 'application/json' } }
const MESSAGES = [{ role: 'user', content: 'hi' }]

async function start(t: Test, provider: string, path = '') {
  const rig = await startRig(t, accounts(['a'], `provider: ${provider}`, path))
  const script = (steps: readonly unknown[], times = 1): void => rig.simulator.script({ script: steps, times } as never)
  const ask = async (url: string, body: object) => {
    const reply = await fetch(rig.url + url, { method: 'POST', body: JSON.stringify(body) })
    return { status: reply.status, retryAfter: reply.headers.get('retry-after'), text: await reply.text() }
  }
  const sent = (): Record<string, unknown> =>
    JSON.parse(Buffer.from(rig.simulator.requests().at(-1)?.body ?? '').toString())
  return { script, ask, sent }
}

t.test('an error inside a list is that error (google-gemini/gemini-cli#10925)', async (t) => {
  const { script, ask } = await start(t, 'Gemini')
  const error = {
    code: 429,
    message: 'Resource has been exhausted.',
    status: 'RESOURCE_EXHAUSTED',
    details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '37s' }],
  }
  script([
    { status: 429, headers: { 'content-type': 'application/json' } },
    { write: JSON.stringify([{ error }]) },
    { end: true },
  ])
  const limited = await ask('/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse', {
    contents: [{ parts: [{ text: 'hi' }] }],
  })
  t.match(limited, { status: 429, retryAfter: '37', text: /RESOURCE_EXHAUSTED/ })
})

t.test(
  'an error in a list in the middle of a stream is no end of an answer (google-gemini/gemini-cli#10925)',
  async (t) => {
    const { script, ask } = await start(t, 'Gemini')
    const begin = { candidates: [{ content: { role: 'model', parts: [{ text: 'half' }] }, index: 0 }] }
    const error = { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' }
    script([
      { status: 200, headers: { 'content-type': 'text/event-stream' } },
      { write: `data: ${JSON.stringify(begin)}\r\n\r\n` },
      { sleep: 20 },
      { write: `data: ${JSON.stringify([{ error }])}\r\n\r\n` },
      { end: true },
    ])
    const { text } = await ask(CHAT, { model: 'gemini-2.5-flash', stream: true, messages: MESSAGES })
    t.match(text, /half/)
    t.match(text, /"error":\{"message":".*overloaded/)
    t.notMatch(text, /"finish_reason":"stop"/)
  },
)

t.test('an error in a list of Google’s OpenAI-compatible endpoint keeps its words (securo#884)', async (t) => {
  const { script, ask } = await start(t, 'OpenAICompatible', '/v1beta/openai')
  const error = { code: 400, message: 'Function call is missing a thought_signature.', status: 'INVALID_ARGUMENT' }
  script(
    [
      { status: 400, headers: { 'content-type': 'application/json' } },
      { write: JSON.stringify([{ error }]) },
      { end: true },
    ],
    2,
  )
  const refused = await ask(CHAT, { model: 'gemini-3.6-flash', messages: MESSAGES })
  t.match(refused, { status: 400, text: /Function call is missing a thought_signature\./ })
})

t.test('the signature of a call comes back to Gemini as it left (labring/aiproxy#450, securo#884)', async (t) => {
  const { script, ask, sent } = await start(t, 'Gemini')
  const parts = [
    { functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 'bW9jay1nZW1pbmktc2lnbmF0dXJl' },
    { functionCall: { name: 'f', args: { a: 2 } } },
  ]
  const answer = { candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }] }
  script([JSON_HEAD, { write: JSON.stringify(answer) }, { end: true }])
  const first = await ask(CHAT, { model: 'gemini-3.6-flash', messages: MESSAGES })
  const { message } = JSON.parse(first.text).choices[0]
  const results = message.tool_calls.map(({ id }: { id: string }) => ({ role: 'tool', tool_call_id: id, content: 'r' }))
  const signatures = async (calls: readonly object[]): Promise<unknown> => {
    const messages = [...MESSAGES, { ...message, tool_calls: calls }, ...results]
    script([
      JSON_HEAD,
      { write: JSON.stringify({ candidates: [{ content: { parts: [{ text: 'ok' }] }, finishReason: 'STOP' }] }) },
      { end: true },
    ])
    t.equal((await ask(CHAT, { model: 'gemini-3.6-flash', messages })).status, 200)
    const [, model] = sent()['contents'] as [unknown, { parts: { thoughtSignature?: string }[] }]
    return model.parts.map(({ thoughtSignature }) => thoughtSignature)
  }
  t.strictSame(
    await signatures(message.tool_calls),
    ['bW9jay1nZW1pbmktc2lnbmF0dXJl', undefined],
    'on the first call only',
  )
  const forgotten = message.tool_calls.map(({ extra_content: _, ...call }: Record<string, unknown>) => call)
  t.strictSame(
    await signatures(forgotten),
    ['skip_thought_signature_validator', undefined],
    'a client that drops it gets Google’s word for calls without one',
  )
})
