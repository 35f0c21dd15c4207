import type { HealthPolicy } from '#table/routing-table.ts'
import { BackoffLadder, type LadderPolicy, lasts, type SavedLadder } from './backoff-ladder.ts'
import { Breaker, type SavedBreaker } from './breaker.ts'

/** A provider without capacity is not a spent quota: it is asked again soon, and never rests longer than an outage would. */
const OVERLOAD_INITIAL_MS = 5_000
const OVERLOAD_MAX_MS = 30_000
/** No wait that a provider names for a rate limit is believed beyond this. */
const LONGEST_RETRY_AFTER_MS = 3_600_000
const SHORTEST_RETRY_AFTER_MS = 1_000
/** Quotas may last a day; where the provider gives no time it is asked again after an hour. */
const LONGEST_QUOTA_MS = 86_400_000
const DEFAULT_QUOTA_MS = 3_600_000

export type LimitCause = 'rate-limit' | 'overload' | 'quota' | 'spent-allowance'

export interface SavedScope {
  readonly rateLimit: SavedLadder
  readonly overload: SavedLadder
  readonly quotaUntilMs: number
  readonly breaker?: SavedBreaker
}

export interface LimitView {
  readonly untilMs: number
  readonly sinceMs: number
  readonly cause: LimitCause
}

/** Limits and breaker of one scope: a model of an account, or the account as a whole. Times are Unix time in milliseconds. */
export class ScopeHealth {
  readonly breaker = new Breaker()
  readonly #rateLimit = new BackoffLadder()
  readonly #overload = new BackoffLadder()
  #quota = { sinceMs: 0, untilMs: 0 }
  #allowance = { sinceMs: 0, untilMs: 0 }

  rateLimit(policy: HealthPolicy, retryAfterMs: number | undefined, at: { nowMs: number; random: number }): void {
    this.#rateLimit.limit(policy.backoff, givenWait(policy, retryAfterMs), at)
  }

  overload(policy: HealthPolicy, retryAfterMs: number | undefined, at: { nowMs: number; random: number }): void {
    this.#overload.limit(overloadPolicy(policy), givenWait(policy, retryAfterMs), at)
  }

  exhaustQuota(retryAfterMs: number | undefined, nowMs: number): void {
    const wait = Math.min(Math.max(retryAfterMs ?? DEFAULT_QUOTA_MS, SHORTEST_RETRY_AFTER_MS), LONGEST_QUOTA_MS)
    this.#quota = { sinceMs: nowMs, untilMs: nowMs + wait }
  }

  /** The provider said that the allowance is used up until `resetAtMs`; a moment in the past lifts it. */
  noteAllowance(resetAtMs: number, nowMs: number): void {
    if (resetAtMs <= nowMs && this.#allowance.untilMs <= nowMs) return
    const sinceMs = lasts(this.#allowance, nowMs) ? this.#allowance.sinceMs : nowMs
    this.#allowance = { sinceMs, untilMs: Math.min(resetAtMs, nowMs + LONGEST_RETRY_AFTER_MS) }
  }

  succeed(startedAtMs: number, nowMs: number): void {
    this.#rateLimit.succeed(startedAtMs)
    this.#overload.succeed(startedAtMs)
    if (this.#quota.untilMs > 0 && startedAtMs >= this.#quota.sinceMs) this.#quota = { sinceMs: 0, untilMs: 0 }
    this.breaker.succeed(startedAtMs, nowMs)
  }

  /** Whether there is a limit or an open breaker; asked for every account of every request. */
  isTroubled(nowMs: number): boolean {
    return (
      this.breaker.isOpen ||
      lasts(this.#rateLimit, nowMs) ||
      lasts(this.#overload, nowMs) ||
      lasts(this.#quota, nowMs) ||
      lasts(this.#allowance, nowMs)
    )
  }

  /** The limit that lasts longest, if one lasts. */
  limit(nowMs: number): LimitView | undefined {
    let longest: LimitView | undefined
    const consider = (cause: LimitCause, wait: { readonly sinceMs: number; readonly untilMs: number }): void => {
      if (!lasts(wait, nowMs) || wait.untilMs <= (longest?.untilMs ?? 0)) return
      longest = { cause, sinceMs: wait.sinceMs, untilMs: wait.untilMs }
    }
    consider('rate-limit', this.#rateLimit)
    consider('overload', this.#overload)
    consider('quota', this.#quota)
    consider('spent-allowance', this.#allowance)
    return longest
  }

  liftLimits(): void {
    this.#rateLimit.reset()
    this.#overload.reset()
    this.#quota = { sinceMs: 0, untilMs: 0 }
    this.#allowance = { sinceMs: 0, untilMs: 0 }
  }

  reset(): void {
    this.liftLimits()
    this.breaker.close()
  }

  save(): SavedScope {
    const breaker = this.breaker.save()
    return {
      rateLimit: this.#rateLimit.save(),
      overload: this.#overload.save(),
      quotaUntilMs: this.#quota.untilMs,
      ...(breaker === undefined ? {} : { breaker }),
    }
  }

  restore(saved: SavedScope, policy: HealthPolicy, nowMs: number): void {
    this.#rateLimit.restore(saved.rateLimit, nowMs + Math.max(policy.backoff.maxMs, LONGEST_RETRY_AFTER_MS))
    this.#overload.restore(saved.overload, nowMs + Math.max(OVERLOAD_MAX_MS, LONGEST_RETRY_AFTER_MS))
    this.#quota = { sinceMs: nowMs, untilMs: Math.min(saved.quotaUntilMs, nowMs + LONGEST_QUOTA_MS) }
    if (saved.breaker !== undefined) this.breaker.restore(saved.breaker, nowMs, policy)
  }
}

function givenWait(policy: HealthPolicy, retryAfterMs: number | undefined): number | undefined {
  if (retryAfterMs === undefined || policy.backoff.retryAfter === 'Ignore') return undefined
  return Math.min(Math.max(retryAfterMs, SHORTEST_RETRY_AFTER_MS), LONGEST_RETRY_AFTER_MS)
}

function overloadPolicy({ backoff }: HealthPolicy): LadderPolicy {
  return {
    ...backoff,
    initialMs: Math.min(OVERLOAD_INITIAL_MS, backoff.initialMs),
    maxMs: Math.min(OVERLOAD_MAX_MS, backoff.maxMs),
  }
}
