import t from 'tap'
import { decideRetry, type RetryFacts, retryDelayMs } from '../../src/routing/retry-policy.ts'
import type { Outcome } from '../../src/table/outcome.ts'
import { half, RETRY } from './table-fixtures.ts'

const FAILED: Outcome = { kind: 'server-error', status: 500 }

const facts = (given: Partial<RetryFacts>): RetryFacts => ({
  outcome: FAILED,
  attempt: 1,
  policy: RETRY,
  otherAccount: 'none',
  sameAccountRetried: 'no',
  remainingMs: 600_000,
  random: half,
  ...given,
})

const limited = (retryAfterMs?: number): Outcome => ({ kind: 'rate-limited', retryAfterMs, scope: 'account' })

t.test('R2.6 another available account is tried at once, whatever failed', (t) => {
  const outcomes: readonly Outcome[] = [
    FAILED,
    limited(60_000),
    { kind: 'overloaded', retryAfterMs: undefined },
    { kind: 'quota-exhausted', retryAfterMs: undefined, scope: 'account' },
    { kind: 'bad-credential' },
    { kind: 'model-not-found' },
    { kind: 'bad-reply' },
    { kind: 'network', phase: 'connect' },
    { kind: 'network', phase: 'reset' },
    { kind: 'timed-out', phase: 'connect' },
    { kind: 'timed-out', phase: 'first-byte' },
    { kind: 'timed-out', phase: 'idle' },
  ]
  for (const outcome of outcomes) {
    t.strictSame(decideRetry(facts({ outcome, otherAccount: 'available' })), { action: 'next-account', delayMs: 0 })
  }
  t.end()
})

t.test('R2.6 with no other account left the same one gets a second chance, or the next group its first', (t) => {
  const cases: readonly (readonly [Outcome, string, number])[] = [
    [FAILED, 'same-account', 1_500],
    [{ kind: 'bad-reply' }, 'same-account', 1_500],
    [{ kind: 'network', phase: 'reset' }, 'same-account', 1_500],
    [{ kind: 'network', phase: 'connect' }, 'same-account', 1_500],
    [{ kind: 'timed-out', phase: 'first-byte' }, 'next-group', 0],
    [{ kind: 'timed-out', phase: 'connect' }, 'next-group', 0],
    [{ kind: 'timed-out', phase: 'idle' }, 'next-group', 0],
    [limited(2_000), 'same-account', 2_000],
    [limited(3_000), 'same-account', 3_000],
    [limited(3_001), 'next-group', 0],
    [limited(), 'same-account', 1_500],
    [{ kind: 'overloaded', retryAfterMs: 1_000 }, 'same-account', 1_000],
    [{ kind: 'overloaded', retryAfterMs: 30_000 }, 'next-group', 0],
    [{ kind: 'overloaded', retryAfterMs: undefined }, 'same-account', 1_500],
    [{ kind: 'quota-exhausted', retryAfterMs: undefined, scope: 'account' }, 'next-group', 0],
    [{ kind: 'bad-credential' }, 'next-group', 0],
    [{ kind: 'model-not-found' }, 'next-group', 0],
  ]
  for (const [outcome, action, delayMs] of cases) t.strictSame(decideRetry(facts({ outcome })), { action, delayMs })
  t.end()
})

t.test('R2.6 the same account is asked once more, not twice', (t) => {
  t.strictSame(decideRetry(facts({ sameAccountRetried: 'yes', attempt: 2 })), { action: 'next-group', delayMs: 0 })
  t.end()
})

t.test('R2.6 refusals, aborts and the total time-out end the request', (t) => {
  const outcomes: readonly Outcome[] = [
    { kind: 'refused', reason: 'context-length' },
    { kind: 'refused', reason: 'content-filter' },
    { kind: 'refused', reason: 'invalid' },
    { kind: 'refused', reason: 'too-large' },
    { kind: 'aborted' },
    { kind: 'timed-out', phase: 'total' },
    { kind: 'ok', latencyMs: 1, firstTokenMs: undefined },
  ]
  for (const outcome of outcomes) {
    t.strictSame(decideRetry(facts({ outcome, otherAccount: 'available' })), { action: 'give-up', delayMs: 0 })
  }
  t.end()
})

t.test('R2.6 commitment, the last attempt and the deadline end the request', (t) => {
  const giveUp = { action: 'give-up', delayMs: 0 }
  t.strictSame(decideRetry(facts({ commitment: 'committed', otherAccount: 'available' })), giveUp)
  t.strictSame(decideRetry(facts({ attempt: 3, otherAccount: 'available' })), giveUp)
  t.strictSame(decideRetry(facts({ remainingMs: 0, otherAccount: 'available' })), giveUp)
  t.strictSame(decideRetry(facts({ remainingMs: 1_500 })), { action: 'next-group', delayMs: 0 })
  t.strictSame(decideRetry(facts({ remainingMs: 1_501 })), { action: 'same-account', delayMs: 1_500 })
  t.end()
})

t.test('only the conditions of the policy are retried; dead credentials and unknown models always move on', (t) => {
  const only = (...conditions: readonly ('RateLimited' | 'ServerError' | 'ConnectError' | 'Timeout' | 'Reset')[]) => ({
    ...RETRY,
    conditions,
  })
  const action = (outcome: Outcome, policy: RetryFacts['policy']) =>
    decideRetry(facts({ outcome, policy, otherAccount: 'available' })).action
  t.equal(action(FAILED, only('RateLimited')), 'give-up')
  t.equal(action({ kind: 'overloaded', retryAfterMs: undefined }, only('ServerError')), 'next-account')
  t.equal(action({ kind: 'network', phase: 'reset' }, only('ConnectError')), 'give-up')
  t.equal(action({ kind: 'network', phase: 'connect' }, only('ConnectError')), 'next-account')
  t.equal(action({ kind: 'timed-out', phase: 'first-byte' }, only('Reset')), 'give-up')
  t.equal(action({ kind: 'bad-credential' }, only()), 'next-account')
  t.equal(action({ kind: 'model-not-found' }, only()), 'next-account')
  t.end()
})

t.test('a policy may forbid waiting for Retry-After', (t) => {
  const policy = { ...RETRY, maxRetryAfterWaitMs: 0 }
  t.strictSame(decideRetry(facts({ outcome: limited(1), policy })), { action: 'next-group', delayMs: 0 })
  t.end()
})

t.test('R2.6 the backoff doubles from the base, with jitter, up to the maximum', (t) => {
  t.equal(
    retryDelayMs(0, RETRY, () => 0),
    1_000,
  )
  t.equal(retryDelayMs(1, RETRY, half), 2_500)
  t.equal(
    retryDelayMs(2, RETRY, () => 0.999),
    4_999,
  )
  t.equal(retryDelayMs(5, RETRY, half), 32_500)
  t.equal(retryDelayMs(6, RETRY, half), 60_000)
  t.end()
})
