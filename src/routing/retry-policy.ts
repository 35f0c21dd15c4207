import type { Outcome } from '#table/outcome.ts'
import type { RetryCondition, RetryPolicy } from '#table/routing-table.ts'

export interface RetryFacts {
  readonly outcome: Outcome
  /** Attempts made so far, this one included, over all groups. */
  readonly attempt: number
  readonly policy: RetryPolicy
  /** Another account of the group could take the request now. */
  readonly otherAccount: 'available' | 'none'
  readonly sameAccountRetried: 'yes' | 'no'
  /** Once content has reached the client nothing is retried. Absent = open. */
  readonly commitment?: 'open' | 'committed'
  /** Until the deadline of the whole request. */
  readonly remainingMs: number
  readonly random: () => number
}

export interface RetryDecision {
  readonly action: 'next-account' | 'same-account' | 'next-group' | 'give-up'
  /** Wait before it. */
  readonly delayMs: number
}

const GIVE_UP: RetryDecision = { action: 'give-up', delayMs: 0 }
const NEXT_ACCOUNT: RetryDecision = { action: 'next-account', delayMs: 0 }
const NEXT_GROUP: RetryDecision = { action: 'next-group', delayMs: 0 }

/**
 * What follows a failed attempt: another account of the group at once; with none left the same account once more, after a short
 * `Retry-After` or a backoff; only then the next group.
 */
export function decideRetry(facts: RetryFacts): RetryDecision {
  const { outcome, attempt, policy, commitment = 'open', remainingMs } = facts
  if (commitment === 'committed' || attempt >= policy.maxAttempts || remainingMs <= 0) return GIVE_UP
  if (!isWorthAnother(outcome, policy.conditions)) return GIVE_UP
  if (facts.otherAccount === 'available') return NEXT_ACCOUNT
  if (facts.sameAccountRetried === 'yes') return NEXT_GROUP
  const delayMs = sameAccountDelayMs(facts)
  return delayMs === undefined || delayMs >= remainingMs ? NEXT_GROUP : { action: 'same-account', delayMs }
}

/**
 * min(base · 2^n + jitter, max), the jitter between 0 and base.
 * @param retries retries made before this one
 */
export function retryDelayMs(retries: number, policy: RetryPolicy, random: () => number): number {
  return Math.min(
    Math.round(policy.backoffBaseMs * 2 ** retries + random() * policy.backoffBaseMs),
    policy.backoffMaxMs,
  )
}

/** Whether somebody else, or the same account later, might answer better. */
function isWorthAnother(outcome: Outcome, conditions: readonly RetryCondition[]): boolean {
  switch (outcome.kind) {
    case 'ok':
    case 'aborted':
    case 'refused':
      return false
    // Says nothing about the request: another credential, another catalogue.
    case 'bad-credential':
    case 'model-not-found':
      return true
    case 'rate-limited':
    case 'quota-exhausted':
      return conditions.includes('RateLimited')
    case 'overloaded':
      return conditions.includes('RateLimited') || conditions.includes('ServerError')
    case 'server-error':
    case 'bad-reply':
      return conditions.includes('ServerError')
    case 'network':
      return conditions.includes(outcome.phase === 'connect' ? 'ConnectError' : 'Reset')
    case 'timed-out':
      return isTimeoutWorthAnother(outcome.phase, conditions)
  }
}

function isTimeoutWorthAnother(
  phase: Extract<Outcome, { kind: 'timed-out' }>['phase'],
  conditions: readonly RetryCondition[],
): boolean {
  switch (phase) {
    case 'connect':
      return conditions.includes('ConnectError') || conditions.includes('Timeout')
    case 'first-byte':
    case 'idle':
      return conditions.includes('Timeout')
    case 'total':
      return false
  }
}

/** Undefined = the same account is not asked again. A time-out never is: it would take as long again. */
function sameAccountDelayMs({ outcome, attempt, policy, random }: RetryFacts): number | undefined {
  switch (outcome.kind) {
    case 'server-error':
    case 'bad-reply':
    case 'network':
      return retryDelayMs(attempt - 1, policy, random)
    case 'overloaded':
      if (outcome.retryAfterMs === undefined) return retryDelayMs(attempt - 1, policy, random)
      return patientDelayMs(outcome.retryAfterMs, policy)
    case 'rate-limited':
      return patientDelayMs(outcome.retryAfterMs ?? retryDelayMs(attempt - 1, policy, random), policy)
    case 'quota-exhausted':
      return outcome.retryAfterMs === undefined ? undefined : patientDelayMs(outcome.retryAfterMs, policy)
    case 'ok':
    case 'aborted':
    case 'refused':
    case 'bad-credential':
    case 'model-not-found':
    case 'timed-out':
      return undefined
  }
}

function patientDelayMs(waitMs: number, { maxRetryAfterWaitMs }: RetryPolicy): number | undefined {
  return waitMs <= maxRetryAfterWaitMs && maxRetryAfterWaitMs > 0 ? waitMs : undefined
}
