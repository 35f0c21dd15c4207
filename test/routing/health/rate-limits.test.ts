import t from 'tap'
import { HEALTH } from '../table-fixtures.ts'
import { limited, OK, START, watch } from './watched-account.ts'

t.test('R2.3 429 without a time rests 30, 60, 120, 240, then 300 s; a success starts over', (t) => {
  const account = watch()
  let atMs = 0
  for (const waitMs of [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]) {
    account.record(atMs, limited('model'))
    t.equal(account.state(atMs), 'rate_limited')
    t.equal(account.untilMs(atMs), atMs + waitMs)
    t.equal(account.state(atMs + waitMs - 1), 'rate_limited')
    atMs += waitMs
    t.equal(account.state(atMs), 'available')
  }
  account.record(atMs + 200, OK)
  account.record(atMs + 300, limited('model'))
  t.equal(account.untilMs(atMs + 300), atMs + 30_300)
  t.end()
})

t.test('R2.3 the wait varies by the jitter and never passes the maximum', (t) => {
  const early = watch(HEALTH, () => 0)
  early.record(0, limited('model'))
  t.equal(early.untilMs(0), 27_000)
  const late = watch(HEALTH, () => 1)
  late.record(0, limited('model'))
  t.equal(late.untilMs(0), 33_000)
  const capped = watch({ ...HEALTH, backoff: { ...HEALTH.backoff, initialMs: 300_000 } }, () => 1)
  capped.record(0, limited('model'))
  t.equal(capped.untilMs(0), 300_000)
  t.end()
})

t.test('R2.3 requests refused together are one limit, not many', (t) => {
  const account = watch()
  for (let count = 0; count < 50; count += 1) account.record(count, limited('model'))
  t.equal(account.untilMs(50), 30_000)
  account.record(30_000, limited('model'))
  t.equal(account.untilMs(30_000), 90_000)
  t.end()
})

t.test("R2.3 the provider's own time is honoured within bounds, or ignored where the policy says so", (t) => {
  const account = watch()
  account.record(0, limited('model', 7_000))
  t.equal(account.untilMs(0), 7_000)
  account.record(1_000, limited('model', 20_000))
  t.equal(account.untilMs(1_000), 21_000)
  account.record(30_000, limited('model', 0))
  t.equal(account.untilMs(30_000), 31_000)
  account.record(40_000, limited('model', 90_000_000))
  t.equal(account.untilMs(40_000), 3_640_000)
  const ignoring = watch({ ...HEALTH, backoff: { ...HEALTH.backoff, retryAfter: 'Ignore' } })
  ignoring.record(0, limited('model', 7_000))
  t.equal(ignoring.untilMs(0), 30_000)
  t.end()
})

t.test('R2.3 a limit of a model leaves the others, a limit of the account takes all', (t) => {
  const account = watch()
  account.record(0, limited('model'), 'a')
  t.equal(account.state(1, 'a'), 'rate_limited')
  t.equal(account.state(1, 'b'), 'available')
  account.record(2, limited('account'), 'a')
  t.equal(account.state(3, 'b'), 'rate_limited')
  t.end()
})

t.test('R2.3 an answer that began before the limit does not lift it, one that began after does', (t) => {
  const account = watch()
  account.record(1_000, limited('model'))
  account.record(1_500, { kind: 'ok', latencyMs: 5_000, firstTokenMs: undefined })
  t.equal(account.state(1_500), 'rate_limited')
  account.record(1_600, { kind: 'ok', latencyMs: 100, firstTokenMs: undefined })
  t.equal(account.state(1_600), 'available')
  t.end()
})

t.test('R2.3 overload rests 5, 10, 20, then 30 s and never counts as failure', (t) => {
  const account = watch()
  let atMs = 0
  for (const waitMs of [5_000, 10_000, 20_000, 30_000, 30_000, 30_000]) {
    account.record(atMs, { kind: 'overloaded', retryAfterMs: undefined })
    t.equal(account.state(atMs), 'rate_limited')
    t.equal(account.untilMs(atMs), atMs + waitMs)
    atMs += waitMs
  }
  account.record(atMs, { kind: 'overloaded', retryAfterMs: 2_000 })
  t.equal(account.untilMs(atMs), atMs + 2_000)
  t.end()
})

t.test('a used-up quota rests the account until its reset, else an hour', (t) => {
  const account = watch()
  account.record(0, { kind: 'quota-exhausted', retryAfterMs: undefined, scope: 'account' })
  t.equal(account.state(1, 'other'), 'rate_limited')
  t.equal(account.health.state('other', START + 1).cause, 'quota')
  t.equal(account.untilMs(1), 3_600_000)
  account.record(3_600_000, { kind: 'quota-exhausted', retryAfterMs: 7_200_000, scope: 'account' })
  t.equal(account.untilMs(3_600_000), 10_800_000)
  t.end()
})

t.test('R2.3 a used-up quota of a model leaves the others', (t) => {
  const account = watch()
  account.record(0, { kind: 'quota-exhausted', retryAfterMs: 43_200_000, scope: 'model' }, 'pro')
  t.match(account.health.state('pro', START + 1), { state: 'rate_limited', cause: 'quota' })
  t.equal(account.untilMs(1, 'pro'), 43_200_000)
  t.equal(account.state(1, 'flash'), 'available')
  account.record(2, { kind: 'quota-exhausted', retryAfterMs: undefined, scope: 'account' }, 'pro')
  t.equal(account.state(3, 'flash'), 'rate_limited')
  t.end()
})

t.test('a spent allowance rests the account until its reset; more allowance lifts it', (t) => {
  const account = watch()
  account.health.noteLimits({ requestsRemaining: 0, requestsResetAtMs: START + 8_000, tokensRemaining: 5 }, START)
  t.equal(account.state(7_999, 'a'), 'rate_limited')
  t.equal(account.state(8_000, 'a'), 'available')
  account.health.noteLimits({ tokensRemaining: 0, tokensResetAtMs: START + 20_000 }, START + 9_000, 'a')
  t.equal(account.state(9_000, 'a'), 'rate_limited')
  t.equal(account.state(9_000, 'b'), 'available')
  account.health.noteLimits({ tokensRemaining: 100, tokensResetAtMs: START + 20_000 }, START + 10_000, 'a')
  t.equal(account.state(10_000, 'a'), 'available')
  account.health.noteLimits({ requestsRemaining: 0 }, START + 11_000)
  t.equal(account.state(11_000, 'a'), 'available')
  t.end()
})

t.test(
  'R4.4 an account whose every asked model is limited is told as limited, until the first of them is free',
  (t) => {
    const account = watch()
    const summary = (atMs: number) => account.health.summary(START + atMs)
    account.record(0, limited('model', 20_000), 'mini')
    t.match(summary(0), { state: 'rate_limited', untilMs: START + 20_000 })
    account.record(0, limited('model', 10_000), 'large')
    t.match(summary(0), { state: 'rate_limited', untilMs: START + 10_000 })
    t.equal(summary(10_000).state, 'available')
    t.equal(account.health.state(undefined, START).state, 'available', 'another model would still be tried')
    t.end()
  },
)

t.test('F20 a clock that is set back does not make a rest longer', (t) => {
  const account = watch()
  account.record(0, limited('account', 30_000))
  t.equal(account.state(-3_600_000), 'available')
  account.record(-3_600_000, limited('account', 30_000))
  t.equal(account.untilMs(-3_590_000), -3_570_000)
  t.equal(account.state(-3_570_000), 'available')
  account.record(0, { kind: 'quota-exhausted', retryAfterMs: 7_200_000, scope: 'account' })
  t.equal(account.state(-86_400_000), 'available')
  t.end()
})
