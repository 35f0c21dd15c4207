import type { Usage } from '#formats/ir/chat-event.ts'
import type { ModelPricing, TokenPrices } from '#table/routing-table.ts'

const PICO = 1_000_000_000_000

/**
 * What a request costs, pico-USD; undefined when the price of a part that was used is not known.
 * The provider's own figure (OpenRouter) comes first. Cached and cache-write tokens are part of the input, reasoning of the output.
 */
export function requestCost(
  usage: Usage | undefined,
  pricing: ModelPricing | undefined,
  multiplier: string | undefined,
): number | undefined {
  if (usage?.costUsd !== undefined) return Math.round(usage.costUsd * PICO)
  if (usage === undefined || pricing === undefined) return undefined
  let sum = pricing.perRequest ?? 0
  for (const [tokens, price] of pricedParts(usage, tierPrices(pricing, usage.input ?? 0))) {
    if (tokens === 0) continue
    if (price === undefined) return undefined
    sum += tokens * price
  }
  return Math.round(sum * Number(multiplier ?? 1))
}

/** Tokens and what one of them costs; a part without a price of its own is priced as what it is part of. */
function pricedParts(usage: Usage, prices: TokenPrices): readonly (readonly [number, number | undefined])[] {
  const { input = 0, cachedInput = 0, cacheWriteInput = 0, cacheWrite1hInput = 0, output = 0, reasoning = 0 } = usage
  const cacheWrite = prices.cacheWrite ?? prices.input
  const pricedReasoning = prices.reasoning === undefined ? 0 : reasoning
  return [
    [Math.max(0, input - cachedInput - cacheWriteInput), prices.input],
    [cachedInput, prices.cachedInput ?? prices.input],
    [Math.max(0, cacheWriteInput - cacheWrite1hInput), cacheWrite],
    [cacheWrite1hInput, prices.cacheWrite1h ?? cacheWrite],
    [output - pricedReasoning, prices.output],
    [pricedReasoning, prices.reasoning],
  ]
}

/** The highest tier that the prompt passes prices the whole request. */
function tierPrices(pricing: ModelPricing, inputTokens: number): TokenPrices {
  const tier = pricing.tiers?.findLast(({ aboveInputTokens }) => inputTokens > aboveInputTokens)
  return tier === undefined ? pricing : { ...pricing, ...tier }
}
