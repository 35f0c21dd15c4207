import t from 'tap'
import { LeaderElection } from '../../../src/controller/kube/leader-election.ts'
import { FakeLease } from './fake-lease.ts'
import { ManualTime, settle } from './manual-time.ts'

function replica(lease: FakeLease, world: ManualTime, identity: string) {
  const told: string[] = []
  const election = new LeaderElection({
    client: lease,
    world,
    namespace: 'korproxy',
    name: 'korproxy-controller',
    identity,
    address: `${identity}:8443`,
    listener: {
      started: (term) => told.push(`leads, term ${term}`),
      lost: () => told.push('lost'),
      observed: (leader) => told.push(`sees ${leader?.holder ?? 'nobody'} at ${leader?.address ?? '-'}`),
      troubled: () => told.push('troubled'),
    },
  })
  const stop = new AbortController()
  return { election, told, stop, running: election.run(stop.signal) }
}

t.test('R4.6 one leads, the other waits, and follows when the first goes', async (t) => {
  const [lease, world] = [new FakeLease(), new ManualTime()]
  const a = replica(lease, world, 'a')
  await settle()
  const b = replica(lease, world, 'b')
  await settle()
  t.strictSame(a.told, ['sees a at a:8443', 'leads, term 1'])
  t.match(lease.spec, {
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    leaseTransitions: 1,
    acquireTime: '2026-11-21T12:00:00.000000Z',
  })
  await world.advance(60_000)
  t.strictSame(b.told, ['sees a at a:8443'])
  t.equal(a.election.leads, true)
  t.equal(b.election.leads, false)
  t.equal(b.election.leader?.address, 'a:8443')
  a.stop.abort()
  await a.running
  t.match(lease.spec, { holderIdentity: '', leaseTransitions: 1 }, 'given back')
  t.equal(a.election.leads, false)
  await world.advance(2_500)
  t.strictSame(b.told.slice(1), ['sees nobody at -', 'sees b at b:8443', 'leads, term 2'])
  b.stop.abort()
  await b.running
})

t.test('F16 a leader that falls silent is replaced after its lease, and not before', async (t) => {
  const [lease, world] = [new FakeLease(), new ManualTime()]
  await lease.create(undefined, {
    metadata: {},
    spec: { holderIdentity: 'dead', leaseDurationSeconds: 15, leaseTransitions: 7 },
  })
  const b = replica(lease, world, 'b')
  await settle()
  await world.advance(14_000)
  t.equal(b.election.leads, false)
  await world.advance(4_000)
  t.equal(b.election.leads, true)
  t.equal(b.election.term, 8, 'a higher term than that of the other')
  b.stop.abort()
  await b.running
})

t.test('F16 a leader that was frozen knows at once that it leads no more', async (t) => {
  const [lease, world] = [new FakeLease(), new ManualTime()]
  const a = replica(lease, world, 'a')
  await settle()
  t.equal(a.election.leads, true)
  lease.failure = new Error('away')
  await world.advance(9_000)
  t.equal(a.election.leads, true, 'one failed renewal is no reason')
  await world.advance(1_000)
  t.equal(a.election.leads, false, 'no timer had to fire for that')
  await world.advance(2_000)
  t.equal(a.told.at(-1), 'lost')
  await a.running
})

t.test('F16 a leader whose lease was taken stops', async (t) => {
  const [lease, world] = [new FakeLease(), new ManualTime()]
  const a = replica(lease, world, 'a')
  await settle()
  const { metadata } = await lease.get()
  await lease.update(undefined, {
    metadata,
    spec: { holderIdentity: 'b', leaseDurationSeconds: 15, leaseTransitions: 2 },
  })
  await world.advance(2_000)
  t.equal(a.told.at(-1), 'lost')
  t.equal(a.election.leads, false)
  await a.running
  t.match(lease.spec, { holderIdentity: 'b' }, 'the lease of another is not given back')
})
