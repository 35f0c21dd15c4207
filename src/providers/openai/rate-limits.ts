import type { RateLimits, ReplyHeaders } from '../provider.ts'
import { headerText, readGoDuration } from '../retry-after.ts'

/** `x-ratelimit-remaining-*` and `-reset-*`; resets are durations such as `6m0s`, or seconds without unit (Azure). @see https://platform.openai.com/docs/guides/rate-limits */
export function readOpenAIRateLimits(headers: ReplyHeaders, nowMs: number): RateLimits | undefined {
  const requests = count(headers, 'x-ratelimit-remaining-requests')
  const tokens = count(headers, 'x-ratelimit-remaining-tokens')
  if (requests === undefined && tokens === undefined) return undefined
  const requestsReset = readReset(headerText(headers, 'x-ratelimit-reset-requests'))
  const tokensReset = readReset(headerText(headers, 'x-ratelimit-reset-tokens'))
  return {
    ...(requests === undefined ? {} : { requestsRemaining: requests }),
    ...(tokens === undefined ? {} : { tokensRemaining: tokens }),
    ...(requestsReset === undefined ? {} : { requestsResetAtMs: nowMs + requestsReset }),
    ...(tokensReset === undefined ? {} : { tokensResetAtMs: nowMs + tokensReset }),
  }
}

/** Seven digits and more are a moment, not a wait. */
function readReset(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}(?:\.\d+)?$/.test(text) ? Math.ceil(Number(text) * 1_000) : readGoDuration(text)
}

export function count(headers: ReplyHeaders, name: string): number | undefined {
  const text = headerText(headers, name)
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
