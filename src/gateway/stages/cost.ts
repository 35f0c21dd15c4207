import type { Usage } from '#formats/ir/chat-event.ts'
import type { ModelPricing, TierPricing, TokenPrices } from '#table/routing-table.ts'

const PICO = 1_000_000_000_000

/**
 * What a request costs, pico-USD; undefined when the price of a part that was used is not known.
 * The provider's own figure (OpenRouter) comes first. OpenAI's and Google's flex and priority tiers have prices of their own. Cached and cache-write tokens are part of the input, reasoning of the output.
 */
export function requestCost(
  usage: Usage | undefined,
  pricing: ModelPricing | undefined,
  multiplier: string | undefined,
): number | undefined {
  if (usage?.costUsd !== undefined) return Math.round(usage.costUsd * PICO)
  if (usage === undefined || pricing === undefined) return undefined
  const prices = pricesOf(pricing, usage)
  if (prices === undefined) return undefined
  const sum = (pricing.perRequest ?? 0) + tokenCost(usage, prices)
  return Number.isNaN(sum) ? undefined : Math.round(sum * Number(multiplier ?? 1))
}

/** Cost of all tokens; a part without a price of its own is priced as what it is part of. NaN: a part that was used has no price. */
function tokenCost(usage: Usage, prices: TokenPrices): number {
  const { input = 0, cachedInput = 0, cacheWriteInput = 0, cacheWrite1hInput = 0, output = 0, reasoning = 0 } = usage
  const cacheWrite = prices.cacheWrite ?? prices.input
  const pricedReasoning = prices.reasoning === undefined ? 0 : reasoning
  return (
    part(Math.max(0, input - cachedInput - cacheWriteInput), prices.input) +
    part(cachedInput, prices.cachedInput ?? prices.input) +
    part(Math.max(0, cacheWriteInput - cacheWrite1hInput), cacheWrite) +
    part(cacheWrite1hInput, prices.cacheWrite1h ?? cacheWrite) +
    part(output - pricedReasoning, prices.output) +
    part(pricedReasoning, prices.reasoning)
  )
}

function part(tokens: number, price: number | undefined): number {
  return tokens === 0 ? 0 : tokens * (price ?? Number.NaN)
}

/** The prices of the answer's tier of service for a prompt of this length; undefined where they are not known. */
function pricesOf(pricing: ModelPricing, { serviceTier, input = 0 }: Usage): TokenPrices | undefined {
  const served = serviceTier === undefined ? pricing : pricing.serviceTiers?.[serviceTier]
  if (served === undefined) return undefined
  const long = longPromptPrices(served, input)
  if (long !== undefined) return { ...served, ...long }
  return longPromptPrices(pricing, input) === undefined ? served : undefined
}

/** The highest tier that the prompt passes prices the whole request. */
function longPromptPrices({ tiers }: TierPricing, inputTokens: number): TokenPrices | undefined {
  return tiers?.findLast(({ aboveInputTokens }) => inputTokens > aboveInputTokens)
}
