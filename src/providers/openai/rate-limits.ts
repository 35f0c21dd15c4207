import type { RateLimits, ReplyHeaders } from '../provider.ts'
import { headerText, readGoDuration } from '../retry-after.ts'

/** `x-ratelimit-remaining-*` and `-reset-*`; resets are durations such as `6m0s`. @see https://platform.openai.com/docs/guides/rate-limits */
export function readOpenAIRateLimits(headers: ReplyHeaders, nowMs: number): RateLimits | undefined {
  const requests = count(headers, 'x-ratelimit-remaining-requests')
  const tokens = count(headers, 'x-ratelimit-remaining-tokens')
  if (requests === undefined && tokens === undefined) return undefined
  const requestsReset = readGoDuration(headerText(headers, 'x-ratelimit-reset-requests'))
  const tokensReset = readGoDuration(headerText(headers, 'x-ratelimit-reset-tokens'))
  return {
    ...(requests === undefined ? {} : { requestsRemaining: requests }),
    ...(tokens === undefined ? {} : { tokensRemaining: tokens }),
    ...(requestsReset === undefined ? {} : { requestsResetAtMs: nowMs + requestsReset }),
    ...(tokensReset === undefined ? {} : { tokensResetAtMs: nowMs + tokensReset }),
  }
}

export function count(headers: ReplyHeaders, name: string): number | undefined {
  const text = headerText(headers, name)
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
