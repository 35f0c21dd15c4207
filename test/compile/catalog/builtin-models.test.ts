import { readFileSync } from 'node:fs'
import t from 'tap'
import { BUILTIN_MODELS } from '#compile/catalog/builtin-models.ts'
import type { ModelFacts, TierPricing, TokenPrices } from '#table/routing-table.ts'

const MODELS = Object.entries(BUILTIN_MODELS)

/** US dollars per million tokens, as vendors publish them: input, cache read, cache write, output. */
const PUBLISHED: Readonly<Record<string, readonly (number | undefined)[]>> = {
  'claude-sonnet-4-5': [3, 0.3, 3.75, 15],
  'claude-haiku-4-5': [1, 0.1, 1.25, 5],
  'claude-opus-4-8': [5, 0.5, 6.25, 25],
  'gpt-4o': [2.5, 1.25, undefined, 10],
  'gpt-5-nano': [0.05, 0.005, undefined, 0.4],
  'gpt-5.6-luna': [0.2, 0.02, 0.25, 1.2],
  o3: [2, 0.5, undefined, 8],
  'gemini-2.5-flash': [0.3, 0.03, undefined, 2.5],
  'gemini-3.8-flash': [0.75, 0.075, undefined, 3.75],
  'text-embedding-3-small': [0.02, undefined, undefined, undefined],
  'deepseek-chat': [0.28, 0.028, undefined, 0.42],
  'mistral-large-latest': [0.5, 0.05, undefined, 1.5],
}

t.test('R3.7 published prices of known models', (t) => {
  for (const [name, [input, cachedInput, cacheWrite, output]] of Object.entries(PUBLISHED)) {
    const pricing = BUILTIN_MODELS[name]?.pricing
    const perMillion = (price: number | undefined): number | undefined =>
      price === undefined ? undefined : price / 1_000_000
    t.strictSame(
      [pricing?.input, pricing?.cachedInput, pricing?.cacheWrite, pricing?.output].map(perMillion),
      [input, cachedInput, cacheWrite, output],
      name,
    )
  }
  t.end()
})

t.test('R3.7 all that is known of a model', (t) => {
  t.strictSame(BUILTIN_MODELS['claude-sonnet-4-5'], {
    name: 'claude-sonnet-4-5',
    displayName: 'Claude Sonnet 4.5',
    vendor: 'anthropic',
    requestTypes: ['chat'],
    contextWindow: 200_000,
    maxOutputTokens: 64_000,
    capabilities: { tools: true, vision: true, pdf: true, reasoning: true, jsonSchema: true, prefill: true },
    pricing: {
      input: 3_000_000,
      cachedInput: 300_000,
      cacheWrite: 3_750_000,
      cacheWrite1h: 6_000_000,
      output: 15_000_000,
    },
    deprecatedAt: '2026-11-30',
  })
  t.strictSame(BUILTIN_MODELS['gemini-2.5-pro']?.pricing, {
    input: 1_250_000,
    cachedInput: 125_000,
    output: 10_000_000,
    tiers: [{ input: 2_500_000, cachedInput: 250_000, output: 15_000_000, aboveInputTokens: 200_000 }],
    serviceTiers: {
      flex: { input: 625_000, cachedInput: 125_000, output: 5_000_000 },
      priority: {
        input: 2_250_000,
        cachedInput: 225_000,
        output: 18_000_000,
        tiers: [{ input: 4_500_000, cachedInput: 450_000, output: 27_000_000, aboveInputTokens: 200_000 }],
      },
    },
  })
  t.strictSame(BUILTIN_MODELS['qwen3-max']?.pricing, {
    input: 1_200_000,
    output: 6_000_000,
    tiers: [
      { input: 2_400_000, output: 12_000_000, aboveInputTokens: 32_000 },
      { input: 3_000_000, output: 15_000_000, aboveInputTokens: 128_000 },
    ],
  })
  t.end()
})

const PRICE_LISTS = MODELS.flatMap(([name, { pricing }]) =>
  [pricing ?? {}, ...Object.values(pricing?.serviceTiers ?? {})]
    .flatMap((prices: TierPricing) => [prices, ...(prices.tiers ?? [])])
    .map((prices: TokenPrices) => ({ name, prices })),
)

t.test(
  'R3.7 every price is a whole number of pico-USD and not negative; a cache costs no more to read than input',
  (t) => {
    for (const { name, prices } of PRICE_LISTS) {
      const { input = 0, cachedInput = 0 } = prices
      t.ok(cachedInput <= input, name)
      const numbers = Object.values(prices).filter((price) => typeof price === 'number')
      t.ok(numbers.length > 0, name)
      t.ok(
        numbers.every((price) => Number.isSafeInteger(price) && price >= 0),
        name,
      )
    }
    t.end()
  },
)

t.test('R3.7 tiers ascend', (t) => {
  for (const [name, { pricing }] of MODELS) {
    const bounds = (pricing?.tiers ?? []).map(({ aboveInputTokens }) => aboveInputTokens)
    t.strictSame(
      bounds,
      bounds.toSorted((a, b) => a - b),
      name,
    )
  }
  t.end()
})

t.test('R3.7 every model has its name, a readable one, a vendor, a type and a context window', (t) => {
  for (const [key, model] of MODELS) {
    t.equal(model.name, key)
    t.match(model.displayName, /^(?:[A-Z]|o\d)/, key)
    t.match(model.vendor, /^[a-z]+$/)
    t.equal(model.requestTypes?.length, 1)
    t.ok((model.contextWindow ?? 0) >= 2_048, key)
    t.ok(model.deprecatedAt === undefined || /^\d{4}-\d{2}-\d{2}$/.test(model.deprecatedAt), key)
  }
  const displayNames = MODELS.map(([, { displayName }]: readonly [string, ModelFacts]) => displayName)
  t.equal(new Set(displayNames).size, MODELS.length)
  t.equal(MODELS.length, 57)
  t.end()
})

t.test('no model stands twice in the file', (t) => {
  const source = readFileSync(new URL('../../../src/compile/catalog/builtin-models.ts', import.meta.url), 'utf8')
  const keys = [...source.matchAll(/^ {2}'([^']+)':/gm)].map(([, key]) => key)
  t.equal(new Set(keys).size, keys.length)
  t.equal(keys.length, 57)
  t.end()
})
