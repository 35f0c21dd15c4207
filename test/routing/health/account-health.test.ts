import t from 'tap'
import type { Outcome } from '../../../src/table/outcome.ts'
import {
  BAD_CREDENTIAL,
  FAILED,
  limited,
  OK,
  REFUSED_CONNECTION,
  RESET,
  START,
  trip,
  watch,
} from './watched-account.ts'

t.test('R2.5 three failures in a row over a second make the model erroring', (t) => {
  for (const outcome of [FAILED, RESET, { kind: 'bad-reply' }, { kind: 'timed-out', phase: 'first-byte' }] as const) {
    const account = watch()
    account.record(0, outcome)
    account.record(500, outcome)
    t.equal(account.state(500), 'available')
    account.record(1_000, outcome)
    t.equal(account.state(1_000), 'erroring')
    t.equal(account.state(1_000, 'other'), 'available')
  }
  t.end()
})

t.test('R2.5 a blip below a second on one connection ejects nothing, on two it does', (t) => {
  const one = watch()
  for (let count = 0; count < 10; count += 1) one.record(count * 10, RESET, 'm', 7)
  t.equal(one.state(100), 'available')
  const two = watch()
  two.record(0, RESET, 'm', 7)
  two.record(10, RESET, 'm', 8)
  t.equal(two.state(10), 'available')
  two.record(20, RESET, 'm', 7)
  t.equal(two.state(20), 'erroring')
  t.end()
})

t.test('R2.5 a success between failures starts the count again', (t) => {
  const account = watch()
  account.record(0, FAILED)
  account.record(1_000, FAILED)
  account.record(1_500, OK)
  account.record(2_000, FAILED)
  account.record(3_000, FAILED)
  t.equal(account.state(3_000), 'available')
  account.record(4_000, FAILED)
  t.equal(account.state(4_000), 'erroring')
  t.end()
})

t.test('R2.5 failing half of twenty requests in 30 s is erroring too', (t) => {
  const account = watch()
  for (let count = 0; count < 19; count += 1) account.record(count * 1_000, count % 2 === 0 ? OK : FAILED)
  t.equal(account.state(18_000), 'available')
  account.record(19_000, FAILED)
  t.equal(account.state(19_000), 'erroring')
  const seldom = watch()
  for (let count = 0; count < 40; count += 1) seldom.record(count * 2_000, count % 2 === 0 ? OK : FAILED)
  t.equal(seldom.state(80_000), 'available')
  t.end()
})

t.test("two erroring models make the account erroring; a third one's success ends that", (t) => {
  const account = watch()
  trip(account, 0, 'a')
  t.equal(account.state(1_000, 'c'), 'available')
  trip(account, 2_000, 'b')
  t.equal(account.state(3_000, 'c'), 'erroring')
  t.equal(account.probe(13_000, 'c'), true)
  account.record(13_200, OK, 'c')
  t.equal(account.state(13_200, 'c'), 'available')
  t.equal(account.state(13_200, 'a'), 'erroring')
  t.end()
})

t.test("failing to connect is the account's matter", (t) => {
  const account = watch()
  account.record(0, REFUSED_CONNECTION, 'a')
  account.record(500, { kind: 'timed-out', phase: 'connect' }, 'b')
  account.record(1_000, REFUSED_CONNECTION, 'c')
  t.equal(account.state(1_000, 'd'), 'erroring')
  t.end()
})

t.test('R2.5 probes go after 10 s, 20 s, then every 30 s for five minutes, then doubling to the cap', (t) => {
  const account = watch()
  trip(account)
  let atMs = 1_000
  const waits = [
    10_000,
    20_000,
    ...Array.from({ length: 10 }, () => 30_000),
    60_000,
    120_000,
    240_000,
    480_000,
    960_000,
  ]
  for (const waitMs of [...waits, 1_800_000, 1_800_000]) {
    t.equal(account.probe(atMs + waitMs - 1), false)
    atMs += waitMs
    t.equal(account.health.state('m', START + atMs).halfOpen, true)
    t.equal(account.probe(atMs), true, `probe after ${waitMs} ms`)
    account.record(atMs, FAILED)
    t.equal(account.state(atMs), 'erroring')
  }
  t.end()
})

t.test('R2.5 one probe at a time; its success makes the account available', (t) => {
  const account = watch()
  trip(account)
  t.equal(account.probe(11_000), true)
  t.equal(account.probe(11_001), false)
  t.equal(account.health.state('m', START + 11_001).halfOpen, false)
  account.record(11_500, OK)
  t.equal(account.state(11_500), 'available')
  t.end()
})

t.test('a probe that says nothing frees its slot and leaves the schedule', (t) => {
  const silent: readonly Outcome[] = [
    { kind: 'aborted' },
    { kind: 'refused', reason: 'invalid' },
    { kind: 'model-not-found' },
    { kind: 'timed-out', phase: 'total' },
  ]
  const account = watch()
  trip(account)
  for (const outcome of silent) {
    t.equal(account.probe(11_000), true)
    account.record(11_000, outcome)
  }
  t.equal(account.probe(11_000), true)
  t.equal(account.probe(130_999), false)
  t.equal(account.probe(131_000), true, 'a lost probe is given up after two minutes')
  t.end()
})

t.test('a probe that is told to wait ends the outage: the account is limited, not erroring', (t) => {
  const account = watch()
  trip(account)
  account.probe(11_000)
  account.record(11_000, limited('model', 5_000))
  t.equal(account.state(11_000), 'rate_limited')
  t.equal(account.state(16_000), 'available')
  t.end()
})

t.test('an answer that began before the outage does not end it, one sent for want of better does', (t) => {
  const account = watch()
  trip(account)
  account.record(2_000, { kind: 'ok', latencyMs: 60_000, firstTokenMs: undefined })
  t.equal(account.state(2_000), 'erroring')
  account.record(3_000, OK)
  t.equal(account.state(3_000), 'available')
  t.end()
})

t.test("R2.5 the caller's own faults and aborts never count", (t) => {
  const account = watch()
  for (let count = 0; count < 100; count += 1) {
    account.record(count * 100, { kind: 'refused', reason: 'context-length' })
    account.record(count * 100, { kind: 'aborted' })
    account.record(count * 100, { kind: 'model-not-found' }, `name-${count}`)
    account.record(count * 100, { kind: 'timed-out', phase: 'total' })
  }
  t.equal(account.state(10_000), 'available')
  t.strictSame(account.health.snapshot().models, {})
  t.end()
})

t.test('a refused credential is erroring at once, until it changes or 30 minutes have passed', (t) => {
  const account = watch()
  account.record(0, BAD_CREDENTIAL)
  t.equal(account.state(0, 'any'), 'erroring')
  t.equal(account.health.state('any', START).cause, 'credential')
  t.equal(account.probe(1_799_999, 'any'), false)
  t.equal(account.probe(1_800_000, 'any'), true)
  account.record(1_800_000, BAD_CREDENTIAL)
  t.equal(account.probe(3_599_999, 'any'), false)
  account.health.credentialChanged(START + 2_000_000)
  t.equal(account.state(2_000_000, 'any'), 'available')
  t.end()
})

t.test('R3.6 a refusal of the old credential that comes late does not condemn the new one', (t) => {
  const account = watch()
  account.health.credentialChanged(START)
  account.record(1_000, BAD_CREDENTIAL)
  t.equal(account.probe(9_999), false)
  t.equal(account.probe(10_000), true)
  account.record(10_000, BAD_CREDENTIAL)
  t.equal(account.probe(1_809_999), false)
  t.end()
})

t.test('R2.8 an operator disables, enables and resets', (t) => {
  const account = watch()
  account.health.disable()
  t.equal(account.state(0), 'disabled')
  account.record(0, OK)
  t.equal(account.state(0), 'disabled')
  account.health.enable()
  t.equal(account.state(0), 'available')
  trip(account)
  account.record(2_000, limited('account'))
  account.health.reset(START + 3_000)
  t.equal(account.state(3_000), 'available')
  t.strictSame(account.health.unavailableModels(START + 3_000), [])
  t.end()
})

t.test('R2.9 what was learnt survives a restart through JSON', (t) => {
  const before = watch()
  trip(before, 0, 'broken')
  before.record(1_500, limited('model'), 'busy')
  before.record(1_600, OK, 'fine')
  const after = watch()
  after.health.restore(JSON.parse(JSON.stringify(before.health.snapshot())), START + 5_000)
  t.equal(after.state(5_000, 'broken'), 'erroring')
  t.equal(after.probe(10_999, 'broken'), false)
  t.equal(after.probe(11_000, 'broken'), true)
  t.equal(after.state(5_000, 'busy'), 'rate_limited')
  t.equal(after.untilMs(5_000, 'busy'), 31_500)
  t.equal(after.state(5_000, 'fine'), 'available')
  t.equal(after.health.lastSuccessMs, START + 1_600)
  after.record(31_500, limited('model'), 'busy')
  t.equal(after.untilMs(31_500, 'busy'), 91_500, 'the ladder goes on where it was')
  t.end()
})

t.test('R2.9 a clock that went back leaves no account resting for years', (t) => {
  const before = watch()
  trip(before)
  before.record(0, limited('model'), 'busy')
  const after = watch()
  const lateMs = -10_000_000_000
  after.health.restore(before.health.snapshot(), START + lateMs)
  t.equal(after.state(lateMs, 'busy'), 'available')
  t.equal(after.probe(lateMs, 'm'), true)
  t.end()
})

t.test('R2.9 a credential that was refused before the restart may be tried at once', (t) => {
  const before = watch()
  before.record(0, BAD_CREDENTIAL)
  const after = watch()
  after.health.restore(before.health.snapshot(), START + 1_000)
  t.equal(after.state(1_000), 'erroring')
  t.equal(after.probe(1_000), true)
  t.end()
})

t.test('R2.4 the last error is told without secrets', (t) => {
  const account = watch()
  account.health.record('m', BAD_CREDENTIAL, { nowMs: START, errorCode: 'KP-PROV-102' })
  t.strictSame(account.health.state('m', START).lastError, {
    kind: 'bad-credential',
    model: 'm',
    atMs: START,
    code: 'KP-PROV-102',
  })
  t.end()
})

t.test('R2.7 the score follows success rate and latency and fades', (t) => {
  const { health, record } = watch()
  t.strictSame(health.score(START), { successRate: 1, latencyMs: undefined })
  record(0, { kind: 'ok', latencyMs: 900, firstTokenMs: 400 })
  t.strictSame(health.score(START), { successRate: 1, latencyMs: 400 })
  record(0, { kind: 'ok', latencyMs: 900, firstTokenMs: undefined })
  t.strictSame(health.score(START), { successRate: 1, latencyMs: 450 })
  record(0, FAILED)
  t.equal(health.score(START).successRate, 0.9)
  t.equal(Math.round(health.score(START + 60_000).latencyMs ?? 0), 166)
  t.ok(health.score(START + 600_000).successRate > 0.99)
  t.end()
})

t.test('models are remembered in a bounded number', (t) => {
  const { health, record } = watch()
  for (let count = 0; count < 1_000; count += 1) record(count, FAILED, `model-${count}`)
  t.equal(Object.keys(health.snapshot().models).length, 256)
  t.end()
})

t.test('F20 after the clock was set back an erroring account is probed at once, and the probe heals it', (t) => {
  const account = watch()
  trip(account)
  t.equal(account.probe(2_000), false)
  t.equal(account.state(-3_600_000), 'erroring')
  t.equal(account.probe(-3_600_000), true)
  t.equal(account.probe(-3_600_000), false, 'one at a time')
  account.record(-3_599_900, OK)
  t.equal(account.state(-3_599_900), 'available')
  t.end()
})
