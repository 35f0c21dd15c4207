import t from 'tap'
import type { AccountRuntime } from '../../../src/routing/account-runtime.ts'
import type { Candidate, PickAccount, PickFacts } from '../../../src/routing/strategies/pick-account.ts'
import { STRATEGIES } from '../../../src/routing/strategies/strategies.ts'
import { account, half, member, runtime, seeded } from '../table-fixtures.ts'

const NOW = 1_800_000_000_000

function candidates(weights: Readonly<Record<string, number>>): Candidate[] {
  return Object.entries(weights).map(([name, weight]) => ({
    runtime: runtime(account(name)),
    member: member(name, weight),
    model: 'm',
  }))
}

const facts = (given: Partial<PickFacts> = {}): PickFacts => ({ nowMs: NOW, random: half, ...given })

function picks(pick: PickAccount, from: readonly Candidate[], times: number, given = facts()): string[] {
  return Array.from({ length: times }, () => pick(from, given)?.member.account ?? '')
}

const count = (names: readonly string[], name: string) => names.filter((picked) => picked === name).length

function find(from: readonly Candidate[], name: string): AccountRuntime {
  const found = from.find((candidate) => candidate.member.account === name)
  if (found === undefined) throw new Error(`no candidate ${name}`)
  return found.runtime
}

t.test('R2.1 round robin takes equals in turn', (t) => {
  const pick = STRATEGIES.RoundRobin()
  t.strictSame(picks(pick, candidates({ a: 100, b: 100, c: 100 }), 6), ['a', 'b', 'c', 'a', 'b', 'c'])
  t.end()
})

t.test('R2.1 weights are smooth, not bursty', (t) => {
  for (const strategy of ['Weighted', 'RoundRobin'] as const) {
    t.strictSame(picks(STRATEGIES[strategy](), candidates({ a: 5, b: 1, c: 1 }), 14), [
      ...['a', 'a', 'b', 'a', 'c', 'a', 'a'],
      ...['a', 'a', 'b', 'a', 'c', 'a', 'a'],
    ])
  }
  const names = picks(STRATEGIES.Weighted(), candidates({ a: 70, b: 30 }), 1_000)
  t.equal(count(names, 'a'), 700)
  t.notOk(names.join('').includes('bb'), 'the lighter one never twice in a row')
  t.notOk(names.join('').includes('aaaa'))
  t.end()
})

t.test('R2.1 nobody starves while others come and go', (t) => {
  const pick = STRATEGIES.Weighted()
  const all = candidates({ a: 10, b: 1, c: 5 })
  const without = all.filter(({ member }) => member.account !== 'c')
  const names = Array.from(
    { length: 600 },
    (_, index) => pick(index % 3 === 0 ? without : all, facts())?.member.account ?? '',
  )
  t.ok(count(names, 'b') >= 35, `b: ${count(names, 'b')}`)
  t.ok(count(names, 'c') >= 100, `c: ${count(names, 'c')}`)
  t.end()
})

t.test('R2.1 random follows the weights', (t) => {
  const from = candidates({ a: 1, b: 3 })
  const pick = STRATEGIES.Random()
  const at = (value: number) => pick(from, facts({ random: () => value }))?.member.account
  t.strictSame([at(0), at(0.249), at(0.25), at(0.999)], ['a', 'a', 'b', 'b'])
  const names = picks(pick, from, 4_000, facts({ random: seeded(1) }))
  t.ok(Math.abs(count(names, 'b') - 3_000) < 120, `b: ${count(names, 'b')}`)
  t.end()
})

t.test('R2.1 priority fills the first', (t) => {
  t.strictSame(picks(STRATEGIES.Priority(), candidates({ a: 1, b: 100 }), 3), ['a', 'a', 'a'])
  t.end()
})

t.test('R2.1 least in flight takes the least busy for its weight, equals in turn', (t) => {
  const from = candidates({ a: 1, b: 1, c: 2 })
  find(from, 'a').inFlight = 2
  find(from, 'b').inFlight = 1
  find(from, 'c').inFlight = 2
  t.strictSame(picks(STRATEGIES.LeastInFlight(), from, 4), ['b', 'c', 'b', 'c'])
  t.end()
})

t.test('R2.1 latency aware prefers the fast, the idle and the sound one', (t) => {
  const answer = (account: AccountRuntime, latencyMs: number) =>
    account.health.record('m', { kind: 'ok', latencyMs, firstTokenMs: latencyMs }, { nowMs: NOW })
  const pick = STRATEGIES.LatencyAware()
  const from = candidates({ slow: 1, fast: 1 })
  answer(find(from, 'slow'), 1_000)
  t.strictSame(picks(pick, from, 1), ['fast'], 'an unmeasured one is measured first')
  answer(find(from, 'fast'), 100)
  t.strictSame(picks(pick, from, 2), ['fast', 'fast'])
  find(from, 'fast').inFlight = 20
  t.strictSame(picks(pick, from, 1), ['slow'])
  find(from, 'fast').inFlight = 0
  for (let failures = 0; failures < 30; failures += 1) {
    find(from, 'fast').health.record('other', { kind: 'server-error', status: 500 }, { nowMs: NOW })
  }
  t.strictSame(picks(pick, from, 1), ['slow'])
  t.end()
})

t.test('R2.1 latency aware asks a slow account again after a while', (t) => {
  const from = candidates({ slow: 1, fast: 1 })
  const pick = STRATEGIES.LatencyAware()
  const latency = { slow: 2_000, fast: 100 } as const
  const picked: string[] = []
  for (let second = 0; second < 600; second += 1) {
    const nowMs = NOW + second * 1_000
    const chosen = pick(from, facts({ nowMs }))
    const name = chosen?.member.account === 'slow' ? 'slow' : 'fast'
    chosen?.runtime.health.record('m', { kind: 'ok', latencyMs: latency[name], firstTokenMs: undefined }, { nowMs })
    picked.push(name)
  }
  t.ok(count(picked, 'slow') >= 3, `slow: ${count(picked, 'slow')}`)
  t.ok(count(picked, 'slow') <= 30, `slow: ${count(picked, 'slow')}`)
  t.end()
})

t.test('R2.1 latency aware compares two of many, never one with itself', (t) => {
  const from = candidates({ a: 1, b: 1, c: 1, d: 1 })
  for (const { runtime: account } of from) {
    account.health.record('m', { kind: 'ok', latencyMs: 100, firstTokenMs: undefined }, { nowMs: NOW })
  }
  find(from, 'a').inFlight = 50
  const names = picks(STRATEGIES.LatencyAware(), from, 1_000, facts({ random: seeded(2) }))
  t.equal(count(names, 'a'), 0)
  t.ok(Math.min(count(names, 'b'), count(names, 'c'), count(names, 'd')) > 150)
  t.end()
})

t.test('R2.1 lowest cost takes the cheapest, equals in turn, unknown prices last', (t) => {
  const from = candidates({ a: 1, b: 1, c: 1, d: 1 })
  const price: Readonly<Record<string, number | undefined>> = { a: 5, b: 2, c: 2, d: undefined }
  const costOf: NonNullable<PickFacts['costOf']> = ({ name }) => price[name]
  t.strictSame(picks(STRATEGIES.LowestCost(), from, 4, facts({ costOf })), ['b', 'c', 'b', 'c'])
  t.strictSame(picks(STRATEGIES.LowestCost(), from, 4), ['a', 'b', 'c', 'd'], 'without prices in turn')
  t.end()
})

t.test('R2.1 sticky keeps a key at one account and moves only the keys of one that goes', (t) => {
  const from = candidates({ a: 100, b: 100, c: 100 })
  const pick = STRATEGIES.Sticky()
  const keys = Array.from({ length: 3_000 }, (_, index) => `session-${index}`)
  const place = (candidatesNow: readonly Candidate[]) =>
    keys.map((affinityKey) => pick(candidatesNow, facts({ affinityKey }))?.member.account ?? '')
  const before = place(from)
  t.strictSame(place(from), before)
  for (const name of ['a', 'b', 'c'])
    t.ok(Math.abs(count(before, name) - 1_000) < 150, `${name}: ${count(before, name)}`)
  const after = place(from.filter(({ member }) => member.account !== 'b'))
  const moved = keys.filter((_, index) => before[index] !== after[index])
  t.equal(moved.length, count(before, 'b'))
  t.strictSame(picks(pick, from, 3), ['a', 'b', 'c'], 'without a key in turn')
  t.end()
})

t.test('R2.1 sticky gives shares by weight', (t) => {
  const pick = STRATEGIES.Sticky()
  const from = candidates({ a: 300, b: 100 })
  const names = Array.from(
    { length: 4_000 },
    (_, index) => pick(from, facts({ affinityKey: `k${index}` }))?.member.account ?? '',
  )
  t.ok(Math.abs(count(names, 'a') - 3_000) < 150, `a: ${count(names, 'a')}`)
  t.end()
})
