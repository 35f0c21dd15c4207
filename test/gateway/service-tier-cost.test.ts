import t from 'tap'
import { BUILTIN_MODELS } from '#compile/catalog/builtin-models.ts'
import type { Usage } from '#formats/ir/chat-event.ts'
import { requestCost } from '#gateway/stages/cost.ts'
import { startRig } from '../helpers/gateway-rig.ts'
import { accounts } from '../helpers/stack.ts'

/** Micro-dollars for a million tokens each of input, cached input and output. */
function prices(model: string, serviceTier: Usage['serviceTier']): readonly (number | undefined)[] {
  const tier = serviceTier === undefined ? {} : { serviceTier }
  const usages: Usage[] = [{ input: 1e6 }, { input: 1e6, cachedInput: 1e6 }, { output: 1e6 }]
  return usages.map((usage) => {
    const cost = requestCost({ ...usage, ...tier }, BUILTIN_MODELS[model]?.pricing, undefined)
    return cost === undefined ? undefined : cost / 1e6
  })
}

t.test('R7.9 the tiers of service have the prices of the vendors’ lists', (t) => {
  // https://platform.openai.com/docs/pricing and https://ai.google.dev/gemini-api/docs/pricing, in millionths of a dollar
  t.strictSame(prices('gpt-5', undefined), [1_250_000, 125_000, 10_000_000])
  t.strictSame(prices('gpt-5', 'flex'), [625_000, 62_500, 5_000_000])
  t.strictSame(prices('gpt-5', 'priority'), [2_500_000, 250_000, 20_000_000])
  t.strictSame(prices('gpt-4o', 'priority'), [4_250_000, 2_125_000, 17_000_000])
  t.strictSame(prices('gpt-4o', 'flex'), [undefined, undefined, undefined], 'not offered: unknown, not standard')
  t.strictSame(prices('gemini-2.5-flash', 'flex'), [150_000, 30_000, 1_250_000])
  const long = { input: 300_000, output: 0, serviceTier: 'flex' } as const
  t.equal(requestCost(long, BUILTIN_MODELS['gpt-5.5']?.pricing, undefined), 300_000 * 5_000_000, 'a long prompt')
  t.equal(requestCost(long, BUILTIN_MODELS['gemini-2.5-pro']?.pricing, undefined), undefined, 'one without a price')
  t.equal(requestCost({ ...long, input: 1_000 }, BUILTIN_MODELS['gemini-2.5-pro']?.pricing, undefined), 625_000_000)
  t.end()
})

const CHAT = {
  id: 'chatcmpl-1',
  created: 1,
  model: 'gpt-5',
}
const USAGE = { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 }
const chatReply = (tier: string | null) => ({
  ...CHAT,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
  usage: USAGE,
  service_tier: tier,
})
const events = (list: readonly object[]): string => list.map((data) => `data: ${JSON.stringify(data)}\n\n`).join('')
const chatStream = (tier: string): string => {
  const chunk = { ...CHAT, object: 'chat.completion.chunk', service_tier: tier }
  const stream = [
    { ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: 'hi' }, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    { ...chunk, choices: [], usage: USAGE },
  ]
  return `${events(stream)}data: [DONE]\n\n`
}
const response = (tier: string) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'gpt-5',
  output: [{ id: 'm', type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'hi' }] }],
  service_tier: tier,
  usage: { input_tokens: 1_000, output_tokens: 100, total_tokens: 1_100 },
})
const gemini = (tier?: string) => ({
  candidates: [{ content: { role: 'model', parts: [{ text: 'hi' }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 1_000, candidatesTokenCount: 100, totalTokenCount: 1_100, serviceTier: tier },
})

t.test('R7.9 what counts is the tier that the answer names, not the one that was asked for', async (t) => {
  const openai = accounts(['a'], 'provider: OpenAI\n  models: {allow: [gpt-5]}')
  const rig = await startRig(t, openai + accounts(['g'], 'provider: Gemini\n  models: {allow: ["gemini-*"]}', ''))
  const cost = async (path: string, body: object, answer: object | string): Promise<number | undefined> => {
    const stream = typeof answer === 'string'
    const head = {
      status: 200,
      headers: { 'content-type': stream ? 'text/event-stream' : 'application/json' },
    }
    rig.simulator.script({
      script: [head, { write: stream ? answer : JSON.stringify(answer) }, { end: true }],
      times: 1,
    } as never)
    const reply = await fetch(rig.url + path, { method: 'POST', body: JSON.stringify(body) })
    t.equal(reply.status, 200, await reply.text())
    return rig.events.at(-1)?.costPicoUsd
  }
  const messages = [{ role: 'user', content: 'hi' }]
  const chat = { model: 'gpt-5', messages, service_tier: 'priority' }
  const chatPath = '/v1/chat/completions'
  // 1,000 × 2.50 $ + 100 × 20 $ for a million; half as much as standard; a quarter as flex
  t.equal(await cost(chatPath, chat, chatReply('priority')), 4_500_000_000)
  t.equal(await cost(chatPath, chat, chatReply('default')), 2_250_000_000, 'not to be had')
  t.equal(await cost(chatPath, chat, chatReply(null)), 2_250_000_000)
  t.equal(await cost(chatPath, { model: 'gpt-5', messages }, chatReply('flex')), 1_125_000_000, 'set for the project')
  t.equal(await cost(chatPath, { ...chat, stream: true }, chatStream('priority')), 4_500_000_000)
  const input = { model: 'gpt-5', input: 'hi' }
  t.equal(await cost('/v1/responses', input, response('flex')), 1_125_000_000)
  const completed = `event: response.completed\n${events([{ type: 'response.completed', sequence_number: 1, response: response('flex') }])}`
  t.equal(await cost('/v1/responses', { ...input, stream: true }, completed), 1_125_000_000)
  t.equal(
    await cost('/v1/messages', { model: 'gpt-5', max_tokens: 9, messages }, chatReply('flex')),
    1_125_000_000,
    'translated',
  )
  const generate = '/v1beta/models/gemini-2.5-flash:generateContent'
  const contents = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }
  // 1,000 × 0.30 $ + 100 × 2.50 $ for a million; half as flex, 1.8 times as priority
  t.equal(await cost(generate, contents, gemini()), 550_000_000)
  t.equal(await cost(generate, contents, gemini('flex')), 275_000_000)
  t.equal(await cost(generate, contents, gemini('SERVICE_TIER_PRIORITY')), 990_000_000)
})
