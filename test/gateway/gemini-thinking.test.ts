import t from 'tap'
import { startRig } from '../helpers/gateway-rig.ts'
import { accounts } from '../helpers/stack.ts'

/**
 * What Google takes by model.
 * @see https://ai.google.dev/gemini-api/docs/thinking
 */
const CASES = [
  ['gemini-2.5-pro', 'none', { thinkingBudget: 128, includeThoughts: true }],
  ['gemini-2.5-pro', 'high', { thinkingBudget: 24_576, includeThoughts: true }],
  ['gemini-2.5-pro-preview-06-05', 'none', { thinkingBudget: 128, includeThoughts: true }],
  ['gemini-2.5-flash', 'none', { thinkingBudget: 0, includeThoughts: false }],
  ['gemini-2.5-flash-lite', 'minimal', { thinkingBudget: 512, includeThoughts: true }],
  ['gemini-3-pro-preview', 'minimal', { thinkingLevel: 'low', includeThoughts: true }],
  ['gemini-3.1-pro-preview', 'none', { thinkingLevel: 'low', includeThoughts: true }],
  ['gemini-3.6-flash', 'none', { thinkingLevel: 'minimal', includeThoughts: false }],
  ['models/gemini-3.6-flash', 'low', { thinkingLevel: 'low', includeThoughts: true }],
  ['gemini-3.7-flash', 'minimal', { thinkingLevel: 'low', includeThoughts: true }],
  ['gemini-3.8-flash', 'none', { thinkingLevel: 'low', includeThoughts: true }],
  ['gemini-3.8-flash', 'xhigh', { thinkingLevel: 'high', includeThoughts: true }],
  ['gemini-4-argon', 'minimal', { thinkingLevel: 'low', includeThoughts: true }],
] as const

t.test('R3.3 each Gemini model is asked for a depth of thinking that it knows', async (t) => {
  const rig = await startRig(t, accounts(['g'], 'provider: Gemini', ''))
  for (const [model, reasoning_effort, thinkingConfig] of CASES) {
    const reply = await fetch(`${rig.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model, reasoning_effort, messages: [{ role: 'user', content: 'hi' }] }),
    })
    t.equal(reply.status, 200, await reply.text())
    const sent = JSON.parse(Buffer.from(rig.simulator.requests().at(-1)?.body ?? '').toString())
    t.strictSame(sent.generationConfig?.thinkingConfig, thinkingConfig, `${model} ${reasoning_effort}`)
  }
})

t.test(
  'who leaves the depth of thinking to the model gets some of OpenAI’s models, which do not think unasked',
  async (t) => {
    const rig = await startRig(t, accounts(['o'], 'provider: OpenAI'))
    const sent = async (path: string, body: object): Promise<unknown> => {
      const reply = await fetch(rig.url + path, { method: 'POST', body: JSON.stringify(body) })
      t.equal(reply.status, 200, await reply.text())
      return JSON.parse(Buffer.from(rig.simulator.requests().at(-1)?.body ?? '').toString()).reasoning_effort
    }
    const gemini = (thinkingConfig: object) => ({
      contents: [{ parts: [{ text: 'hi' }] }],
      generationConfig: { thinkingConfig },
    })
    const generate = (model: string) => `/v1beta/models/${model}:generateContent`
    t.equal(await sent(generate('gpt-5.2'), gemini({ thinkingBudget: -1 })), 'medium')
    t.equal(await sent(generate('gpt-5.2'), gemini({ thinkingBudget: 0 })), 'none')
    t.equal(await sent(generate('gpt-5.2'), gemini({ includeThoughts: true })), undefined, 'not asked for')
    t.equal(await sent(generate('gpt-4o'), gemini({ thinkingBudget: -1 })), undefined, 'it cannot')
    t.equal(await sent(generate('own-model'), gemini({ thinkingBudget: -1 })), undefined, 'who knows')
    const chat = { model: 'gpt-5.2', messages: [{ role: 'user', content: 'hi' }], stream: false }
    t.equal(await sent('/api/chat', { ...chat, think: true }), 'medium')
    t.equal(await sent('/api/chat', { ...chat, think: 'high' }), 'high')
    t.equal(await sent('/api/chat', chat), undefined)
  },
)

t.test('whether the priority tier was to be had is told to the client', async (t) => {
  const rig = await startRig(t, accounts(['g'], 'provider: Gemini', ''))
  const answer = {
    candidates: [{ content: { role: 'model', parts: [{ text: 'hi' }] }, finishReason: 'STOP', index: 0 }],
  }
  rig.simulator.script({
    script: [
      { status: 200, headers: { 'content-type': 'application/json', 'x-gemini-service-tier': 'standard' } },
      { write: JSON.stringify(answer) },
      { end: true },
    ],
  } as never)
  const reply = await fetch(`${rig.url}/v1beta/models/gemini-3.6-flash:generateContent`, {
    method: 'POST',
    body: JSON.stringify({ contents: [{ parts: [{ text: 'hi' }] }], serviceTier: 'priority' }),
  })
  t.equal(reply.headers.get('x-gemini-service-tier'), 'standard')
})
