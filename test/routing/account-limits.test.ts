import t from 'tap'
import { AccountLimits } from '../../src/routing/account-limits.ts'

const START = 1_800_000_000_000

t.test('R6.3 requests per minute slide: the oldest second frees its share', (t) => {
  const limits = new AccountLimits({ requestsPerMinute: 3 })
  limits.noteRequest(START)
  limits.noteRequest(START + 10_000)
  t.equal(limits.blockedUntilMs(START + 10_000), undefined)
  limits.noteRequest(START + 20_000)
  t.equal(limits.blockedUntilMs(START + 20_000), START + 60_000)
  t.equal(limits.blockedUntilMs(START + 59_999), START + 60_000)
  t.equal(limits.blockedUntilMs(START + 60_000), undefined)
  t.end()
})

t.test('R6.3 tokens per minute count what finished requests used', (t) => {
  const limits = new AccountLimits({ tokensPerMinute: 1_000 })
  limits.noteUsage(999, START)
  t.equal(limits.blockedUntilMs(START), undefined)
  limits.noteUsage(5_000, START + 30_000)
  t.equal(limits.blockedUntilMs(START + 30_000), START + 90_000)
  t.equal(limits.blockedUntilMs(START + 60_000), START + 90_000)
  t.equal(limits.blockedUntilMs(START + 90_000), undefined)
  t.end()
})

t.test('a changed limit counts at once, no limit never blocks', (t) => {
  const limits = new AccountLimits({})
  for (let count = 0; count < 1_000; count += 1) limits.noteRequest(START)
  t.equal(limits.blockedUntilMs(START), undefined)
  t.equal(limits.hasRoomFor(1_000), true)
  limits.configure({ requestsPerMinute: 10, maxInFlight: 2 })
  t.equal(limits.blockedUntilMs(START), START + 60_000)
  t.equal(limits.hasRoomFor(1), true)
  t.equal(limits.hasRoomFor(2), false)
  t.end()
})
