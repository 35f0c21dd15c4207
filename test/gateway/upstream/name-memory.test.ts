import type { LookupAddress } from 'node:dns'
import t from 'tap'
import { NameMemory } from '../../../src/gateway/upstream/name-memory.ts'

const FIRST: readonly LookupAddress[] = [{ address: '192.0.2.1', family: 4 }]
const SECOND: readonly LookupAddress[] = [{ address: '192.0.2.2', family: 4 }]

function failure(code: string): Error {
  return Object.assign(new Error(`getaddrinfo ${code} api.test`), { code })
}

/** A resolver that answers by a script, and a clock that is set. */
function rig() {
  const asked: string[] = []
  const reports: string[] = []
  const clock = { nowMs: 1_000 }
  let answer: () => Promise<readonly LookupAddress[]> = () => Promise.resolve(FIRST)
  const memory = new NameMemory({
    lookup: (hostname) => {
      asked.push(hostname)
      return answer()
    },
    monotonic: () => clock.nowMs,
    report: (hostname, error) => reports.push(`${hostname}: ${error.message}`),
  })
  return {
    asked,
    reports,
    clock,
    lookup: () => memory.lookup('api.test'),
    answers: (next: typeof answer) => {
      answer = next
    },
  }
}

t.test('F13 a name is resolved anew for each connection, so a new address counts at once', async (t) => {
  const { lookup, answers, asked } = rig()
  t.strictSame(await lookup(), FIRST)
  answers(() => Promise.resolve(SECOND))
  t.strictSame(await lookup(), SECOND)
  t.equal(asked.length, 2)
})

t.test('connections that begin together ask once', async (t) => {
  const { lookup, asked } = rig()
  t.strictSame(await Promise.all([lookup(), lookup(), lookup()]), [FIRST, FIRST, FIRST])
  t.equal(asked.length, 1)
})

t.test(
  'F13 while the resolver does not answer the last address serves, for five minutes, and it is said',
  async (t) => {
    const { lookup, answers, clock, reports, asked } = rig()
    await lookup()
    answers(() => Promise.reject(failure('EAI_AGAIN')))
    clock.nowMs += 60_000
    t.strictSame(await lookup(), FIRST)
    t.strictSame(reports, ['api.test: getaddrinfo EAI_AGAIN api.test'])
    t.strictSame(await lookup(), FIRST, 'within five seconds nobody asks again')
    t.equal(asked.length, 2)
    clock.nowMs += 239_000
    t.strictSame(await lookup(), FIRST)
    clock.nowMs += 6_000
    await t.rejects(lookup(), { code: 'EAI_AGAIN' }, 'after five minutes it is too old')
    answers(() => Promise.resolve(SECOND))
    clock.nowMs += 5_000
    t.strictSame(await lookup(), SECOND)
  },
)

t.test('F13 a resolver that hangs is not waited for when there is a last address', async (t) => {
  const { lookup, answers, asked } = rig()
  await lookup()
  const late = Promise.withResolvers<readonly LookupAddress[]>()
  answers(() => late.promise)
  t.strictSame(await lookup(), FIRST)
  t.strictSame(await lookup(), FIRST)
  t.equal(asked.length, 2, 'the second still waits for the first question')
  late.resolve(SECOND)
  answers(() => Promise.resolve(SECOND))
  t.strictSame(await lookup(), SECOND)
})

t.test('F13 a name that does not exist any more has no address, and is asked for every five seconds', async (t) => {
  const { lookup, answers, clock, asked, reports } = rig()
  await lookup()
  answers(() => Promise.reject(failure('ENOTFOUND')))
  await t.rejects(lookup(), { code: 'ENOTFOUND' })
  clock.nowMs += 4_999
  await t.rejects(lookup(), { code: 'ENOTFOUND' })
  t.equal(asked.length, 2)
  answers(() => Promise.resolve(SECOND))
  clock.nowMs += 1
  t.strictSame(await lookup(), SECOND)
  t.strictSame(reports, [])
})

t.test('a name that was never resolved fails with what the resolver says', async (t) => {
  const { lookup, answers } = rig()
  answers(() => Promise.reject(failure('EAI_AGAIN')))
  await t.rejects(lookup(), { code: 'EAI_AGAIN' })
})
