import type { JsonValue } from './chat-request.ts'

/** Tiers of service with prices of their own. */
export type PricedTier = 'flex' | 'priority'

const PRICED_TIER = /^(?:service_tier_)?(flex|priority)$/i

/** What a reply says of the tier that it was made in; undefined for the standard one, and for tiers that are paid otherwise. */
export function readServiceTier(value: JsonValue | undefined): PricedTier | undefined {
  if (typeof value !== 'string' || !PRICED_TIER.test(value)) return undefined
  return value.toLowerCase().endsWith('flex') ? 'flex' : 'priority'
}
