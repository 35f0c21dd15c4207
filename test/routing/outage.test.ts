import t from 'tap'
import type { AccountRuntime } from '../../src/routing/account-runtime.ts'
import { decideRetry } from '../../src/routing/retry-policy.ts'
import { GroupSelector } from '../../src/routing/select-account.ts'
import type { Outcome } from '../../src/table/outcome.ts'
import { account, group, half, member, RETRY, runtimes } from './table-fixtures.ts'

const START = 1_800_000_000_000
const OK: Outcome = { kind: 'ok', latencyMs: 0, firstTokenMs: 0 }
const RESET: Outcome = { kind: 'network', phase: 'reset' }

interface Answered {
  readonly atMs: number
  /** Undefined = no account answered. */
  readonly by: string | undefined
  readonly attempts: readonly string[]
}

interface Scenario {
  /** Accounts by group, the first group first. */
  readonly groups: readonly (readonly string[])[]
  /** What an account answers at a time; times count from the start of the scenario. */
  readonly upstream: (account: string, atMs: number) => Outcome
  readonly untilMs: number
  readonly everyMs: number
  readonly whenUnavailable: 'TryLeastBad' | 'Skip'
}

interface Request {
  readonly startedAtMs: number
  readonly tried: Set<string>
  readonly attempts: string[]
  groupIndex: number
  retried: 'yes' | 'no'
  again: { readonly runtime: AccountRuntime; readonly model: string } | undefined
}

/** A gateway without HTTP: requests arrive at a steady rate, answers take no time, waits pass on a simulated clock. */
function run(scenario: Scenario): Answered[] {
  const accounts = runtimes(...scenario.groups.flat().map((name) => account(name)))
  const selectors = scenario.groups.map(
    (names, index) =>
      new GroupSelector(
        group(
          `g${index}`,
          names.map((name) => member(name)),
        ),
        accounts,
      ),
  )
  const answered: Answered[] = []
  const due = new Map<number, Request[]>()
  const schedule = (atMs: number, request: Request) => due.set(atMs, [...(due.get(atMs) ?? []), request])
  let connectionId = 0

  const finish = (request: Request, by: string | undefined) =>
    answered.push({ atMs: request.startedAtMs, by, attempts: request.attempts })

  const choose = (request: Request, selector: GroupSelector, nowMs: number): Request['again'] => {
    const { again, groupIndex, tried } = request
    request.again = undefined
    if (again !== undefined) return again
    const whenUnavailable = groupIndex === selectors.length - 1 ? 'TryLeastBad' : scenario.whenUnavailable
    const selection = selector.select({ model: 'm', nowMs, random: half, tried, whenUnavailable })
    return selection.kind === 'account' ? selection : undefined
  }

  const attempt = (request: Request, { runtime, model }: NonNullable<Request['again']>, atMs: number): Outcome => {
    const outcome = scenario.upstream(runtime.account.name, atMs)
    connectionId += 1
    runtime.health.record(model, outcome, { nowMs: START + atMs, connectionId })
    request.tried.add(runtime.account.name)
    request.attempts.push(runtime.account.name)
    return outcome
  }

  const step = (request: Request, atMs: number): void => {
    const selector = selectors[request.groupIndex]
    if (selector === undefined || request.attempts.length >= RETRY.maxAttempts) {
      finish(request, undefined)
      return
    }
    const nowMs = START + atMs
    const chosen = choose(request, selector, nowMs)
    if (chosen === undefined) {
      request.groupIndex += 1
      step(request, atMs)
      return
    }
    const outcome = attempt(request, chosen, atMs)
    if (outcome.kind === 'ok') {
      finish(request, chosen.runtime.account.name)
      return
    }
    const decision = decideRetry({
      outcome,
      attempt: request.attempts.length,
      policy: RETRY,
      otherAccount: selector.hasOther({ model: 'm', nowMs, tried: request.tried }) ? 'available' : 'none',
      sameAccountRetried: request.retried,
      remainingMs: 600_000,
      random: half,
    })
    if (decision.action === 'same-account') {
      request.retried = 'yes'
      request.again = chosen
      schedule(atMs + decision.delayMs, request)
      return
    }
    if (decision.action === 'next-group') request.groupIndex += 1
    if (decision.action === 'give-up') request.groupIndex = selectors.length
    step(request, atMs)
  }

  for (let atMs = 0; atMs <= scenario.untilMs + 10_000; atMs += scenario.everyMs / 2) {
    for (const request of due.get(atMs) ?? []) step(request, atMs)
    due.delete(atMs)
    if (atMs % scenario.everyMs !== 0 || atMs > scenario.untilMs) continue
    step({ startedAtMs: atMs, tried: new Set(), attempts: [], groupIndex: 0, retried: 'no', again: undefined }, atMs)
  }
  return answered.sort((left, right) => left.atMs - right.atMs)
}

const unanswered = (answers: readonly Answered[]) => answers.filter(({ by }) => by === undefined).length
const after = (answers: readonly Answered[], atMs: number) => answers.filter((answer) => answer.atMs >= atMs)
const by = (answers: readonly Answered[]) => [...new Set(answers.map((answer) => answer.by))].sort()

t.test('R2.6 flapping for 60 s: every request is answered, the primary is in use again within 30 s of the end', (t) => {
  for (const whenUnavailable of ['Skip', 'TryLeastBad'] as const) {
    const answers = run({
      groups: [['primary'], ['fallback']],
      upstream: (name, atMs) => (name === 'primary' && atMs < 60_000 && atMs % 6_000 < 4_000 ? RESET : OK),
      untilMs: 120_000,
      everyMs: 100,
      whenUnavailable,
    })
    t.equal(answers.length, 1_201)
    t.equal(unanswered(answers), 0)
    t.strictSame(by(after(answers, 90_000)), ['primary'])
  }
  t.end()
})

t.test(
  'R2.5 an outage of two minutes: the fallback answers, few requests touch the primary, which is back within 30 s',
  (t) => {
    const answers = run({
      groups: [['primary'], ['fallback']],
      upstream: (name, atMs) =>
        name === 'primary' && atMs >= 5_000 && atMs < 125_000 ? { kind: 'server-error', status: 500 } : OK,
      untilMs: 200_000,
      everyMs: 100,
      whenUnavailable: 'Skip',
    })
    t.equal(unanswered(answers), 0)
    t.strictSame(by(after(answers, 155_000)), ['primary'])
    const wasted = answers.filter((answer) => answer.by === 'fallback').flatMap(({ attempts }) => attempts.slice(0, -1))
    t.ok(wasted.length <= 40, `${wasted.length} attempts at the primary during its outage`)
    t.end()
  },
)

t.test('R2.3 three minutes without capacity: the primary is in use again within 30 s of the end', (t) => {
  const answers = run({
    groups: [['primary'], ['fallback']],
    upstream: (name, atMs) =>
      name === 'primary' && atMs < 180_000 ? { kind: 'overloaded', retryAfterMs: undefined } : OK,
    untilMs: 240_000,
    everyMs: 100,
    whenUnavailable: 'Skip',
  })
  t.equal(unanswered(answers), 0)
  t.strictSame(by(after(answers, 210_000)), ['primary'])
  t.end()
})

t.test('1 s of resets at 100 requests a second on all accounts: each is tried, full service within 35 s', (t) => {
  const answers = run({
    groups: [['a', 'b', 'c']],
    upstream: (_, atMs) => (atMs >= 1_000 && atMs < 2_000 ? RESET : OK),
    untilMs: 60_000,
    everyMs: 10,
    whenUnavailable: 'TryLeastBad',
  })
  t.equal(answers.length, 6_001)
  t.equal(answers.filter(({ attempts }) => attempts.length === 0).length, 0, 'at least one account is always tried')
  const recovered = after(answers, 2_000)
  t.equal(unanswered(recovered), 0)
  t.strictSame(by(after(answers, 36_000)), ['a', 'b', 'c'])
  const late = after(answers, 36_000).filter(({ attempts }) => attempts.length > 1)
  t.equal(late.length, 0)
  t.end()
})
