import type { Account } from '#table/routing-table.ts'
import { SlidingWindow } from './sliding-window.ts'

/** Keeps an account within its own `limits.requestsPerMinute` and `limits.tokensPerMinute`, as this gateway sees them. */
export class AccountLimits {
  #limits: Account['limits']
  readonly #requests = new SlidingWindow()
  readonly #tokens = new SlidingWindow()

  constructor(limits: Account['limits']) {
    this.#limits = limits
  }

  configure(limits: Account['limits']): void {
    this.#limits = limits
  }

  noteRequest(nowMs: number): void {
    this.#requests.add(1, nowMs)
  }

  /** Input and output tokens of a finished request: known only afterwards, so a burst may pass the limit by what is in flight. */
  noteUsage(tokens: number, nowMs: number): void {
    this.#tokens.add(tokens, nowMs)
  }

  /** When the next request may go, Unix time in milliseconds; undefined = now. */
  blockedUntilMs(nowMs: number): number | undefined {
    const { requestsPerMinute, tokensPerMinute } = this.#limits
    if (requestsPerMinute === undefined && tokensPerMinute === undefined) return undefined
    const requestsAtMs = requestsPerMinute === undefined ? nowMs : this.#requests.freeAtMs(requestsPerMinute, nowMs)
    const tokensAtMs = tokensPerMinute === undefined ? nowMs : this.#tokens.freeAtMs(tokensPerMinute, nowMs)
    const freeAtMs = Math.max(requestsAtMs, tokensAtMs)
    return freeAtMs > nowMs ? freeAtMs : undefined
  }

  hasRoomFor(inFlight: number): boolean {
    return this.#limits.maxInFlight === undefined || inFlight < this.#limits.maxInFlight
  }
}
