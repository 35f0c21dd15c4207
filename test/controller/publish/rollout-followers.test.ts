import t, { type Test } from 'tap'
import type { RosterEntry } from '../../../src/controller/publish/gateway-roster.ts'
import { type Publication, preparePublication } from '../../../src/controller/publish/publication.ts'
import { Rollout } from '../../../src/controller/publish/rollout.ts'
import { readRolloutWord } from '../../../src/controller/publish/rollout-word.ts'
import { manifests, sha256, tableOf } from '../../helpers/controller-rig.ts'

const PLAN = { gateways: 1, observeMs: 30_000 }
/** The first is at the leader, the others at the controller that follows. */
const NAMES = ['gateway-b', 'gateway-a', 'gateway-c']

async function publication(t: Test, displayName: string): Promise<Publication> {
  const table = await tableOf(t, manifests({ displayName }))
  const prepared = preparePublication({ table, highWater: {}, urgent: false }, sha256)
  if ('reason' in prepared) throw new Error(prepared.reason)
  return prepared
}

interface Pair {
  readonly leader: Rollout
  readonly follower: Rollout
  /** What each gateway should run, by display name. */
  targets(): (string | undefined)[]
  /** Every gateway runs what it should; `refuses` = it refuses what is tried. */
  roster(refuses?: string): RosterEntry[]
  /** The follower reads the leader's Lease. */
  tell(): void
}

function startPair(): Pair {
  const leader = new Rollout(() => 'Decides')
  const follower = new Rollout(() => 'Follows')
  const homeOf = (name: string): Rollout => (name === 'gateway-b' ? leader : follower)
  return {
    leader,
    follower,
    targets: () =>
      NAMES.map(
        (name) => homeOf(name).targetOf(name)?.publication.table.core.tenants['default']?.accounts['a']?.displayName,
      ),
    roster: (refuses) =>
      NAMES.toSorted().map((name) => {
        const version = homeOf(name).targetOf(name)?.publication.table.version ?? ''
        const verdict = { version, result: name === refuses ? 'NACK' : 'ACK', diagnostics: [], atMs: 0 } as const
        const local = name === 'gateway-b'
        return { name, bootId: 'boot', image: '1', connected: true, local, runs: version, verdict, report: undefined }
      }),
    tell: () => follower.heard(readRolloutWord(JSON.stringify(leader.word)) ?? { stable: '' }),
  }
}

t.test('R4.2 R4.6 a change is tried on one gateway of all controllers, as the leader decides', async (t) => {
  const { leader, follower, targets, roster, tell } = startPair()
  const [before, after] = await Promise.all([publication(t, 'Before'), publication(t, 'After')])
  for (const rollout of [leader, follower]) rollout.offer(before, PLAN)
  for (const rollout of [leader, follower]) rollout.offer(after, PLAN)
  t.strictSame(targets(), ['Before', 'Before', 'Before'])
  leader.step(roster(), 0)
  follower.step(roster(), 0)
  t.match(leader.state, { phase: 'Applying', gateways: ['gateway-a'] })
  t.strictSame(targets(), ['Before', 'Before', 'Before'], 'the follower has not heard of it')
  tell()
  t.strictSame(targets(), ['Before', 'After', 'Before'])
  leader.step(roster(), 1_000)
  t.match(leader.state, { phase: 'Observing' })
  follower.step(roster(), 90_000)
  t.strictSame(targets(), ['Before', 'After', 'Before'], 'the follower decides nothing')
  leader.step(roster(), 31_000)
  t.strictSame(targets(), ['After', 'After', 'Before'])
  tell()
  t.strictSame(targets(), ['After', 'After', 'After'])
})

t.test('R4.4 R4.6 what a canary of another controller refuses goes no further anywhere', async (t) => {
  const { leader, follower, targets, roster, tell } = startPair()
  const [before, after] = await Promise.all([publication(t, 'Before'), publication(t, 'After')])
  for (const rollout of [leader, follower]) rollout.offer(before, PLAN)
  for (const rollout of [leader, follower]) rollout.offer(after, PLAN)
  leader.step(roster(), 0)
  tell()
  leader.step(roster('gateway-a'), 1_000)
  tell()
  t.match(follower.state, { phase: 'Held', gateways: ['gateway-a'], reason: 'gateway-a refused it' })
  t.strictSame(targets(), ['Before', 'Before', 'Before'])
  t.equal(follower.targetOf('gateway-a')?.takenBack, true)
})

t.test('R4.6 who takes over goes on with the change that was being tried, and old words change nothing', async (t) => {
  let role: 'Decides' | 'Follows' = 'Follows'
  const rollout = new Rollout(() => role)
  const [before, after, urgent] = await Promise.all(['Before', 'After', 'Urgent'].map((name) => publication(t, name)))
  if (before === undefined || after === undefined || urgent === undefined) throw new Error('not made')
  rollout.offer(before, PLAN)
  rollout.offer(after, PLAN)
  t.equal(rollout.state, undefined)
  role = 'Decides'
  rollout.step([], 0)
  t.equal(rollout.stable, after, 'nobody to try it on')
  role = 'Follows'
  rollout.offer({ ...urgent, urgent: true }, PLAN)
  rollout.heard({
    stable: before.table.version,
    candidate: { version: after.table.version, phase: 'Applying', gateways: ['x'] },
  })
  t.equal(rollout.stable?.table, urgent.table)
  t.equal(rollout.targetOf('x')?.publication.table, urgent.table)
  t.equal(readRolloutWord('{"stable":7}'), undefined)
  t.equal(readRolloutWord('nonsense'), undefined)
})
