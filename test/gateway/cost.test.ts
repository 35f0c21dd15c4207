import t from 'tap'
import { BUILTIN_MODELS } from '#compile/catalog/builtin-models.ts'
import type { Usage } from '#formats/ir/chat-event.ts'
import { requestCost } from '#gateway/stages/cost.ts'
import type { ModelPricing } from '#table/routing-table.ts'
import { compileSet, readManifests } from '../compile/load-case.ts'
import { startRig } from '../helpers/gateway-rig.ts'

/** Prices as an operator writes them, through the compiler. */
async function pricingOf(fields: string): Promise<ModelPricing | undefined> {
  const set = await readManifests(`apiVersion: korproxy.dev/v1alpha1
kind: ModelCatalog
metadata: {name: own}
spec: {models: [{name: own, pricing: {${fields}}}]}
`)
  return compileSet(set).table.core.tenants['default']?.models['own']?.pricing
}

const builtin = (name: string): ModelPricing | undefined => BUILTIN_MODELS[name]?.pricing
const cost = (usage: Usage | undefined, pricing: ModelPricing | undefined, multiplier?: string) =>
  requestCost(usage, pricing, multiplier)

/** pico-USD in a dollar. */
const USD = 1_000_000_000_000

t.test("R7.9 Anthropic's price list: cached tokens, both kinds of cache writes, output", (t) => {
  // claude-sonnet-4-5: 3 $ in, 0.30 $ cached, 3.75 $ and 6 $ written, 15 $ out, for a million tokens
  const sonnet = builtin('claude-sonnet-4-5')
  t.equal(cost({ input: 1_000_000, output: 0 }, sonnet), 3 * USD)
  t.equal(cost({ input: 0, output: 1_000_000 }, sonnet), 15 * USD)
  t.equal(cost({ input: 1_000_000, cachedInput: 1_000_000, output: 0 }, sonnet), 0.3 * USD)
  t.equal(cost({ input: 1_000_000, cacheWriteInput: 1_000_000, output: 0 }, sonnet), 3.75 * USD)
  t.equal(
    cost({ input: 1_000_000, cacheWriteInput: 1_000_000, cacheWrite1hInput: 1_000_000, output: 0 }, sonnet),
    6 * USD,
  )
  // 300 × 3 + 400 × 0.30 + 200 × 3.75 + 100 × 6 + 50 × 15 = 3120 millionths of a dollar
  t.equal(
    cost({ input: 1_000, cachedInput: 400, cacheWriteInput: 300, cacheWrite1hInput: 100, output: 50 }, sonnet),
    3_120_000_000,
  )
  t.end()
})

t.test("R7.9 OpenAI's price list: cached input is part of the input, reasoning part of the output", (t) => {
  // gpt-4o: 2.50 $ in, 1.25 $ cached, 10 $ out
  t.equal(cost({ input: 1_000, cachedInput: 600, output: 100 }, builtin('gpt-4o')), 2_750_000_000)
  // o3: 2 $ in, 8 $ out; reasoning has no price of its own
  t.equal(cost({ input: 10, output: 500, reasoning: 400 }, builtin('o3')), 4_020_000_000)
  // text-embedding-3-small: 0.02 $ in and nothing out
  t.equal(cost({ input: 7, output: 0 }, builtin('text-embedding-3-small')), 140_000)
  // gpt-5-nano: 0.05 $ in: one token is 50,000 pico-dollars
  t.equal(cost({ input: 1, output: 0 }, builtin('gpt-5-nano')), 50_000)
  t.end()
})

t.test("R7.9 Gemini's tiers: a prompt above the bound prices the whole request", (t) => {
  // gemini-2.5-pro: 1.25 $ and 10 $ up to 200,000 tokens of prompt, above it 2.50 $ and 15 $
  const pro = builtin('gemini-2.5-pro')
  t.equal(cost({ input: 200_000, output: 1_000 }, pro), 0.26 * USD)
  t.equal(cost({ input: 200_001, output: 1_000 }, pro), 515_002_500_000)
  t.equal(cost({ input: 300_000, cachedInput: 300_000, output: 0 }, pro), 0.075 * USD, 'cached: 0.25 $')
  t.end()
})

t.test('R7.9 prices of a ModelCatalog: decimal text, exact to the last digit', async (t) => {
  const own = await pricingOf(
    'inputPerMillion: "0.000001", outputPerMillion: "12345.678901", reasoningPerMillion: "60.5", perRequest: "0.01"',
  )
  t.equal(cost({ input: 1, output: 0 }, own), 10_000_000_001)
  t.equal(cost({ input: 0, output: 1 }, own), 10_000_000_000 + 12_345_678_901)
  t.equal(cost({ input: 0, output: 3, reasoning: 2 }, own), 10_000_000_000 + 12_345_678_901 + 2 * 60_500_000)
  t.equal(cost({ input: 0, output: 0 }, own), 10_000_000_000, 'each request has its price')
  const third = await pricingOf('inputPerMillion: "0.1", outputPerMillion: "0.2"')
  t.equal(cost({ input: 3, output: 0 }, third), 300_000, 'no dust of binary fractions')
  const tiers = await pricingOf(
    'inputPerMillion: "1", outputPerMillion: "2", tiers: [{aboveInputTokens: 200, inputPerMillion: "4"}, {aboveInputTokens: 100, inputPerMillion: "3", outputPerMillion: "5"}]',
  )
  t.equal(cost({ input: 100, output: 10 }, tiers), 120_000_000)
  t.equal(cost({ input: 101, output: 10 }, tiers), 353_000_000, 'the first tier')
  t.equal(cost({ input: 201, output: 10 }, tiers), 824_000_000, 'the second; what it does not say is as without tiers')
})

t.test('R7.9 a part without a price of its own is priced as what it is part of', async (t) => {
  const plain = await pricingOf('inputPerMillion: "2", outputPerMillion: "4"')
  t.equal(
    cost({ input: 10, cachedInput: 4, cacheWriteInput: 2, cacheWrite1hInput: 1, output: 5, reasoning: 3 }, plain),
    40_000_000,
  )
  const written = await pricingOf('inputPerMillion: "2", cacheWritePerMillion: "3", outputPerMillion: "4"')
  t.equal(cost({ input: 10, cacheWriteInput: 4, cacheWrite1hInput: 3, output: 0 }, written), 24_000_000)
})

t.test("R7.9 the account's multiplier is for negotiated rates", (t) => {
  const gpt = builtin('gpt-4o')
  t.equal(cost({ input: 1_000, output: 0 }, gpt, '0.85'), 2_125_000_000)
  t.equal(cost({ input: 1_000, output: 0 }, gpt, '0'), 0)
  t.equal(cost({ input: 1, output: 0 }, gpt, '0.3333333'), 833_333, 'whole pico-dollars')
  t.end()
})

t.test('R7.9 unknown is unknown, not zero', async (t) => {
  t.equal(cost({ input: 1, output: 1 }, undefined), undefined, 'a model without prices')
  t.equal(cost(undefined, builtin('gpt-4o')), undefined, 'a reply without usage')
  const inputOnly = await pricingOf('inputPerMillion: "2"')
  t.equal(cost({ input: 1, output: 1 }, inputOnly), undefined, 'a part that was used has no price')
  t.equal(cost({ input: 1, output: 0 }, inputOnly), 2_000_000, 'a part that was not used needs none')
  const outputOnly = await pricingOf('outputPerMillion: "2"')
  t.equal(cost({ input: 1, output: 1 }, outputOnly), undefined)
})

t.test("R7.9 the provider's own figure wins, whatever the catalogue says", (t) => {
  t.equal(cost({ input: 1_000_000, output: 1, costUsd: 0.00123 }, builtin('gpt-4o')), 1_230_000_000)
  t.equal(cost({ input: 1, output: 1, costUsd: 0 }, builtin('gpt-4o')), 0, 'free is free')
  t.equal(cost({ input: 1, output: 1, costUsd: 0.1 }, undefined), 100_000_000_000)
  t.equal(cost({ input: 1, output: 1, costUsd: 0.1 }, undefined, '0.5'), 100_000_000_000, 'and is what was charged')
  t.end()
})

t.test('R7.9 more cached than sent is not a credit', (t) => {
  t.equal(cost({ input: 5, cachedInput: 8, output: 0 }, builtin('gpt-4o')), 10_000_000)
  t.end()
})

const secret = `apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {apiKey: sk-1}
---
`
const accountOf = (name: string, spec: string): string => `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: ${name}}
spec: {auth: {secretKeyRef: {name: key}}, ${spec}}
---
`

t.test('R7.9 each request event carries its cost', async (t) => {
  const rig = await startRig(
    t,
    secret +
      accountOf(
        'openai',
        'provider: OpenAI, baseURL: "{simulator}/v1", models: {allow: ["gpt-4o*", own-model, constructor]}',
      ) +
      accountOf(
        'cheap',
        'provider: OpenAI, baseURL: "{simulator}/v1", models: {allow: [o3]}, prices: {multiplier: "0.5"}',
      ) +
      accountOf(
        'azure',
        'provider: AzureOpenAI, baseURL: "{simulator}", azure: {deployments: [{model: gpt-4.1, deployment: gpt-4o-2024-08-06}]}, models: {allow: [none]}',
      ),
  )
  const ask = async (model: string) => {
    const reply = await fetch(`${rig.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    })
    t.equal(reply.status, 200, await reply.text())
    return rig.events.at(-1)?.costPicoUsd
  }
  // The simulator counts 11 tokens in, 3 of them cached, and 7 out, 2 of them reasoning.
  t.equal(await ask('gpt-4o'), 93_750_000, '8 × 2.50 + 3 × 1.25 + 7 × 10')
  t.equal(await ask('gpt-4o-2024-11-20'), 93_750_000, 'a dated name is the same model')
  t.equal(await ask('o3'), 36_750_000, 'half of 8 × 2 + 3 × 0.50 + 7 × 8')
  t.equal(await ask('own-model'), undefined, 'nobody knows what it costs')
  t.equal(await ask('constructor'), undefined, 'a name that every object has as a member')
  t.equal(await ask('gpt-4.1'), 93_750_000, 'a deployment is priced by the model that it answers with')
})
