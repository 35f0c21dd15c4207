import t from 'tap'
import type { AccountRuntime } from '../../src/routing/account-runtime.ts'
import { GroupSelector, type Selection, type SelectRequest } from '../../src/routing/select-account.ts'
import type { Outcome } from '../../src/table/outcome.ts'
import type { Account, Group } from '../../src/table/routing-table.ts'
import { account, group, HEALTH, half, member, runtimes } from './table-fixtures.ts'

const START = 1_800_000_000_000
const FAILED: Outcome = { kind: 'server-error', status: 500 }

function pool(members: Group['members'], changes: Partial<Group> = {}, accounts: readonly Account[] = []) {
  const named = new Map(accounts.map((given) => [given.name, given]))
  const all = runtimes(...members.map(({ account: name }) => named.get(name) ?? account(name)))
  const selector = new GroupSelector(group('g', members, changes), all, { fast: 'm' })
  const request = (given: Partial<SelectRequest>): SelectRequest => ({
    model: 'm',
    nowMs: START,
    random: half,
    tried: new Set(),
    ...given,
  })
  const find = (name: string): AccountRuntime => {
    const found = all.get(name)
    if (found === undefined) throw new Error(`no account ${name}`)
    return found
  }
  return {
    find,
    select: (given: Partial<SelectRequest> = {}) => selector.select(request(given)),
    hasOther: (given: Partial<SelectRequest> = {}) => selector.hasOther(request(given)),
    survey: (given: Partial<SelectRequest> = {}) => selector.survey(request(given)),
    record: (name: string, outcome: Outcome, atMs = 0) =>
      find(name).health.record('m', outcome, { nowMs: START + atMs }),
    trip: (name: string, atMs = 0) => {
      for (const offset of [0, 500, 1_000]) find(name).health.record('m', FAILED, { nowMs: START + atMs + offset })
    },
  }
}

/** What matters of a selection, short enough for a table. */
function told(selection: Selection): string {
  if (selection.kind === 'none') return `none ${selection.reason} ${selection.retryAfterMs ?? '-'}`
  const marks = `${selection.probe ? ' probe' : ''}${selection.panic ? ' panic' : ''}`
  return `${selection.runtime.account.name} ${selection.reason}${marks}`
}

const limited = (retryAfterMs?: number): Outcome => ({ kind: 'rate-limited', retryAfterMs, scope: 'account' })
const AT = (ms: number) => ({ nowMs: START + ms })

t.test('R2.2 only available accounts are picked, and the others say why', (t) => {
  const { select, record, trip } = pool([member('a'), member('b'), member('c')])
  record('a', limited(5_000))
  trip('b', -1_000)
  const selection = select()
  t.equal(told(selection), 'c RoundRobin')
  t.strictSame(selection.skipped, [
    { account: 'a', reason: 'rate-limited', untilMs: START + 5_000 },
    { account: 'b', reason: 'erroring', untilMs: START + 10_000 },
  ])
  t.end()
})

t.test('R2.2 draining and disabled accounts never get a request', (t) => {
  const { select, find } = pool([member('a'), member('b'), member('c')], {}, [
    account('a', { state: 'Draining' }),
    account('b', { state: 'Disabled' }),
  ])
  find('c').health.disable()
  const selection = select()
  t.equal(told(selection), 'none all-unhealthy -')
  t.strictSame(selection.skipped, [
    { account: 'a', reason: 'draining' },
    { account: 'b', reason: 'disabled' },
    { account: 'c', reason: 'disabled' },
  ])
  t.end()
})

t.test('R2.1 the lowest tier with an available account gives it, whatever the strategy', (t) => {
  for (const strategy of ['RoundRobin', 'LeastInFlight', 'Priority', 'Sticky'] as const) {
    const { select, record } = pool([member('spare', 100, 1), member('first', 1, 0)], { strategy })
    t.equal(told(select()), `first ${strategy}`)
    record('first', limited())
    t.equal(told(select()), `spare ${strategy}`)
  }
  t.end()
})

t.test('R2.1 weight 0 is used only when nothing else is left', (t) => {
  const { select, record } = pool([member('reserve', 0, 0), member('a', 1, 0), member('b', 1, 9)])
  t.equal(told(select()), 'a RoundRobin')
  record('a', limited())
  t.equal(told(select()), 'b RoundRobin')
  record('b', limited())
  t.equal(told(select()), 'reserve RoundRobin')
  t.end()
})

t.test('R1.8 only accounts that serve the model, under its name there', (t) => {
  const { select } = pool([member('a'), member('b')], {}, [
    account('a', { models: { allow: ['other'], deny: [], aliases: {}, list: [] } }),
    account('b', { models: { allow: [], deny: [], aliases: { m: 'm-2026' }, list: [] } }),
  ])
  const selection = select()
  t.equal(selection.kind === 'account' ? selection.model : '', 'm-2026')
  const byAlias = select({ model: 'fast' })
  t.equal(byAlias.kind === 'account' ? byAlias.model : '', 'm-2026', 'an alias of the catalogue leads there too')
  t.equal(told(select({ model: 'other', tried: new Set(['b']) })), 'a RoundRobin')
  const addressed = select({ model: 'a/other' })
  t.equal(addressed.kind === 'account' ? `${addressed.runtime.account.name} ${addressed.model}` : '', 'a other')
  t.end()
})

t.test('R1.8 a model that no account serves is told as such', (t) => {
  const models = { allow: ['x'], deny: [], aliases: {}, list: [] }
  const selection = pool([member('a')], {}, [account('a', { models })]).select()
  t.equal(told(selection), 'none no-model -')
  t.strictSame(selection.skipped, [{ account: 'a', reason: 'model-not-served' }])
  t.equal(told(pool([]).select()), 'none no-model -')
  t.end()
})

t.test('R2.6 an account is tried once a request; what is left is told', (t) => {
  const { select, hasOther, record } = pool([member('a'), member('b')])
  t.equal(told(select({ tried: new Set(['a']) })), 'b RoundRobin')
  t.equal(hasOther({ tried: new Set(['a']) }), true)
  t.equal(hasOther({ tried: new Set(['a', 'b']) }), false)
  t.equal(told(select({ tried: new Set(['a', 'b']) })), 'none tried-all -')
  record('a', limited(9_000))
  t.equal(told(select({ tried: new Set(['a', 'b']) })), 'none tried-all 9000')
  t.end()
})

t.test("maxInFlight and the account's own rates are respected", (t) => {
  const { select, find } = pool([member('a'), member('b')], {}, [
    account('a', { limits: { maxInFlight: 1 } }),
    account('b', { limits: { requestsPerMinute: 2 } }),
  ])
  find('a').inFlight = 1
  t.equal(told(select()), 'b RoundRobin')
  t.equal(told(select()), 'b RoundRobin')
  const full = select({ nowMs: START + 1_000 })
  t.equal(told(full), 'none at-capacity 59000')
  t.strictSame(full.skipped, [
    { account: 'a', reason: 'at-capacity' },
    { account: 'b', reason: 'account-limit', untilMs: START + 60_000 },
  ])
  find('a').inFlight = 0
  t.equal(told(select()), 'a RoundRobin')
  t.end()
})

t.test('R2.4 all limited: the least recently limited is tried, marked panic', (t) => {
  const { select, record } = pool([member('a'), member('b')])
  record('b', limited(60_000), -2_000)
  record('a', limited(5_000), -1_000)
  t.equal(told(select()), 'b LeastRecentlyLimited panic')
  t.equal(told(select({ whenUnavailable: 'Skip' })), 'none all-limited 4000')
  t.end()
})

t.test('R2.4 all limited and FailFast: the wait until the first is free again', (t) => {
  const { select, record } = pool([member('a'), member('b')], { health: { ...HEALTH, whenAllUnavailable: 'FailFast' } })
  record('a', limited(8_000))
  record('b', limited(5_000))
  t.equal(told(select()), 'none all-limited 5000')
  t.end()
})

t.test('the last account of a group is always tried, even if erroring', (t) => {
  const { select, trip } = pool([member('a')], { health: { ...HEALTH, whenAllUnavailable: 'FailFast' } })
  trip('a')
  t.equal(told(select(AT(2_000))), 'a LeastBad panic')
  t.equal(told(select({ ...AT(2_000), whenUnavailable: 'Skip' })), 'none all-unhealthy 9000')
  t.end()
})

t.test('with all erroring they are tried in turn; a refused credential only when nothing else is there', (t) => {
  const { select, trip, record } = pool([member('dead'), member('a'), member('b')])
  record('dead', { kind: 'bad-credential' })
  trip('a')
  trip('b')
  t.strictSame(
    [1, 2, 3].map(() => told(select(AT(2_000)))),
    ['a LeastBad panic', 'b LeastBad panic', 'a LeastBad panic'],
  )
  const alone = pool([member('dead')])
  alone.record('dead', { kind: 'bad-credential' })
  const selection = alone.select()
  t.equal(told(selection), 'dead LeastBad panic')
  t.strictSame(selection.skipped, [{ account: 'dead', reason: 'bad-credential', untilMs: START + 1_800_000 }])
  t.end()
})

t.test('a retry does not panic while half of the group is healthy', (t) => {
  const two = pool([member('a'), member('b')])
  two.trip('b')
  t.equal(told(two.select({ ...AT(2_000), tried: new Set(['a']) })), 'none all-unhealthy 9000')
  const three = pool([member('a'), member('b'), member('c')])
  three.trip('b')
  three.trip('c')
  t.equal(told(three.select({ ...AT(2_000), tried: new Set(['a']) })), 'b LeastBad panic')
  t.end()
})

t.test('R2.5 one request at a time probes an account that is due, then it is back', (t) => {
  const { select, trip, record } = pool([member('a'), member('b')])
  trip('a')
  t.equal(told(select(AT(10_999))), 'b RoundRobin')
  t.equal(told(select(AT(11_000))), 'a Probe probe')
  const during = select(AT(11_001))
  t.equal(told(during), 'b RoundRobin')
  t.strictSame(during.skipped, [{ account: 'a', reason: 'probing' }])
  record('a', { kind: 'ok', latencyMs: 100, firstTokenMs: undefined }, 11_200)
  t.strictSame([1, 2].map(() => told(select(AT(11_300)))).sort(), ['a RoundRobin', 'b RoundRobin'])
  t.end()
})

t.test('R2.5 a retry probes only when nobody else is left', (t) => {
  const { select, trip } = pool([member('a'), member('b'), member('c')])
  trip('a')
  t.equal(told(select({ ...AT(11_000), tried: new Set(['b']) })), 'c RoundRobin')
  t.equal(told(select({ ...AT(11_000), tried: new Set(['b', 'c']) })), 'a Probe probe')
  t.end()
})

t.test('an account of a later tier is not probed while the first tier serves', (t) => {
  const { select, trip } = pool([member('a', 100, 0), member('b', 100, 1)])
  trip('b')
  t.equal(told(select(AT(20_000))), 'a RoundRobin')
  t.end()
})

t.test('affinity keeps a key at an account, and is a preference, never a pin', (t) => {
  const { select, record } = pool([member('a'), member('b'), member('c')], { affinity: { by: 'Client' } })
  const kept = [1, 2, 3, 4].map(() => told(select({ affinityKey: 'ci-bots' })))
  t.strictSame(new Set(kept).size, 1)
  const preferred = kept[0]?.split(' ')[0] ?? ''
  record(preferred, limited(5_000))
  const other = told(select({ affinityKey: 'ci-bots' }))
  t.match(other, / Affinity$/)
  t.not(other, kept[0])
  t.equal(told(select({ affinityKey: 'ci-bots', ...AT(5_000) })), kept[0])
  t.end()
})

t.test('without affinity in the group a key means nothing', (t) => {
  const { select } = pool([member('a'), member('b')])
  t.strictSame(
    [1, 2].map(() => told(select({ affinityKey: 'k' }))),
    ['a RoundRobin', 'b RoundRobin'],
  )
  t.end()
})

t.test('explain sees every account and changes nothing', (t) => {
  const models = { allow: ['x'], deny: [], aliases: {}, list: [] }
  const { survey, select, trip } = pool([member('a'), member('b'), member('c')], {}, [account('c', { models })])
  trip('b')
  const seen = () => survey(AT(11_000)).map(({ account, verdict }) => `${account} ${verdict.kind}`)
  t.strictSame(seen(), ['a ready', 'b due', 'c skip'])
  t.strictSame(seen(), ['a ready', 'b due', 'c skip'])
  t.equal(told(select(AT(11_000))), 'b Probe probe')
  t.end()
})
