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
  const prices = tierPrices(pricing, usage.input ?? 0)
  const { cachedInput = 0, cacheWriteInput = 0, cacheWrite1hInput = 0, reasoning = 0 } = usage
  const plainInput = Math.max(0, (usage.input ?? 0) - cachedInput - cacheWriteInput)
  const shortWrites = Math.max(0, cacheWriteInput - cacheWrite1hInput)
  const pricedReasoning = prices.reasoning === undefined ? 0 : reasoning
  const parts: readonly (readonly [number, number | undefined])[] = [
    [plainInput, prices.input],
    [cachedInput, prices.cachedInput ?? prices.input],
    [shortWrites, prices.cacheWrite ?? prices.input],
    [cacheWrite1hInput, prices.cacheWrite1h ?? prices.cacheWrite ?? prices.input],
    [(usage.output ?? 0) - pricedReasoning, prices.output],
    [pricedReasoning, prices.reasoning],
  ]
  let sum = pricing.perRequest ?? 0
  for (const [tokens, price] of parts) {
    if (tokens === 0) continue
    if (price === undefined) return undefined
    sum += tokens * price
  }
  return Math.round(sum * Number(multiplier ?? 1))
}

/** The highest tier that the prompt passes prices the whole request. */
function tierPrices(pricing: ModelPricing, inputTokens: number): TokenPrices {
  const tier = pricing.tiers?.findLast(({ aboveInputTokens }) => inputTokens > aboveInputTokens)
  return tier === undefined ? pricing : { ...pricing, ...tier }
}
