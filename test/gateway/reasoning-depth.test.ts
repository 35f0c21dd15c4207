import t from 'tap'
import { onlyAccount, startStack } from '../helpers/stack.ts'

const OFF = { thinking: { type: 'disabled' } }
const depth = (effort: string) => ({ thinking: { type: 'adaptive' }, output_config: { effort } })

/**
 * The model, what Claude Code asks, the word that goes to OpenAI.
 * @see https://platform.openai.com/docs/guides/reasoning
 */
const CASES: readonly (readonly [model: string, asked: object, sent: string | undefined])[] = [
  // "Unsupported parameter: 'reasoning.effort' is not supported with this model."
  ['gpt-4.1', depth('high'), undefined],
  ['gpt-4o-2024-08-06', depth('high'), undefined],
  ['gpt-4-turbo', depth('high'), undefined],
  ['ft:gpt-4o-mini-2024-07-18:org::id', depth('high'), undefined],
  // "Supported values are: 'minimal', 'low', 'medium', and 'high'."
  ['gpt-5', depth('max'), 'high'],
  ['gpt-5-mini', depth('xhigh'), 'high'],
  ['gpt-5-nano', OFF, 'low'],
  ['gpt-5-2025-08-07', OFF, 'low'],
  ['o3', depth('xhigh'), 'high'],
  ['o4-mini', OFF, 'low'],
  // "Supported values are: 'none', 'low', 'medium', and 'high'."
  ['gpt-5.1', depth('max'), 'high'],
  ['gpt-5.1', OFF, 'none'],
  // "Supported values are: 'none', 'low', 'medium', 'high', and 'xhigh'."
  ['gpt-5.4-mini', depth('max'), 'xhigh'],
  ['gpt-5.4-mini', depth('medium'), 'medium'],
]

t.test('R3.3 the depth of reasoning that Claude Code asks for is one that the OpenAI model takes', async (t) => {
  const stack = await startStack(t, onlyAccount())
  for (const [model, asked, sent] of CASES) {
    stack.simulator.reset()
    const reply = await fetch(`${stack.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ model, max_tokens: 32_000, messages: [{ role: 'user', content: 'hi' }], ...asked }),
    })
    t.equal(reply.status, 200, model)
    const body = JSON.parse(new TextDecoder().decode(stack.simulator.requests().at(-1)?.body))
    t.equal(body.reasoning_effort, sent, `${model} ${JSON.stringify(asked)}`)
    const isLost = sent === undefined && asked !== OFF
    t.equal(reply.headers.get('x-korproxy-dropped')?.includes('reasoning_effort') ?? false, isLost, model)
  }
})

t.test('R3.3 the same holds where a model is served by the Responses API only', async (t) => {
  const stack = await startStack(t, onlyAccount())
  const ask = async (model: string, reasoning_effort: string): Promise<unknown> => {
    stack.simulator.reset()
    const body = { model, reasoning_effort, messages: [{ role: 'user', content: 'hi' }] }
    await fetch(`${stack.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body) })
    return JSON.parse(new TextDecoder().decode(stack.simulator.requests().at(-1)?.body)).reasoning
  }
  t.same(await ask('gpt-5.3-codex', 'none'), { effort: 'low' })
  t.same(await ask('gpt-5.3-codex', 'minimal'), { effort: 'low' })
  t.same(await ask('gpt-5.3-codex', 'xhigh'), { effort: 'xhigh' })
})
