import t, { type Test } from 'tap'
import { Debounce } from '../../../src/controller/publish/debounce.ts'
import { GatewayRoster } from '../../../src/controller/publish/gateway-roster.ts'
import { PublishService } from '../../../src/controller/publish/publish-service.ts'
import { Publisher } from '../../../src/controller/publish/publisher.ts'
import type { KorProxyError } from '../../../src/errors/korproxy-error.ts'
import type { StreamEvent } from '../../../src/table/messages.ts'
import { manifests, sha256, tableOf } from '../../helpers/controller-rig.ts'
import { ManualTime, settle } from '../kube/manual-time.ts'

const GATEWAY = { gateway: 'gateway-0' }
const ACK = { gateway: 'gateway-0', bootId: 'boot', image: '1', formats: [1], diagnostics: [] }

interface Rig {
  readonly world: ManualTime
  readonly publisher: Publisher
  readonly roster: GatewayRoster
  readonly service: PublishService
  readonly withheld: KorProxyError[]
  offer(displayName: string, urgent?: 'Urgent'): Promise<string>
}

function startRig(t: Test): Rig {
  const world = new ManualTime()
  const withheld: KorProxyError[] = []
  const roster = new GatewayRoster(world, () => publisher.rosterChanged())
  const publisher = new Publisher({
    world,
    sha256,
    roster,
    listener: {
      targetsChanged: () => service.targetsChanged(),
      prepared: () => {},
      published: () => {},
      withheldChanged: (found) => (found === undefined ? undefined : withheld.push(found.error)),
      rolloutChanged: () => {},
    },
  })
  const service = new PublishService({ world, publisher, roster, greeting: () => [] })
  return {
    world,
    publisher,
    roster,
    service,
    withheld,
    offer: async (displayName, urgent) => {
      const table = await tableOf(t, manifests({ displayName }))
      const offer = { table, highWater: {}, urgent: urgent === 'Urgent' }
      publisher.offer(() => ({ offer, plan: undefined }), urgent === undefined ? 'Gather' : 'AtOnce')
      return table.version
    },
  }
}

function listen({ service }: Rig): {
  readonly events: StreamEvent[]
  readonly leave: () => void
  readonly pings: () => number
} {
  const events: StreamEvent[] = []
  let pings = 0
  const sink = {
    send: (event: StreamEvent) => void events.push(event),
    ping: () => {
      pings += 1
    },
    end: () => {},
  }
  const leave = service.openStream(GATEWAY, [1], sink)
  return { events, leave, pings: () => pings }
}

t.test('R4.3 changes gather for 100 ms of quiet, 1 s at most; urgent ones for nothing', async (t) => {
  const world = new ManualTime()
  const delivered: string[] = []
  const debounce = new Debounce<string>(world, (change) => delivered.push(change))
  debounce.add('a')
  await world.advance(99)
  debounce.add('b')
  await world.advance(99)
  t.strictSame(delivered, [])
  await world.advance(1)
  t.strictSame(delivered, ['b'])
  for (let at = 0; at < 30; at += 1) {
    debounce.add(`c${at}`)
    await world.advance(50)
  }
  t.strictSame(delivered, ['b', 'c19'], 'after a second, however busy it is')
  debounce.addUrgent('d')
  t.strictSame(delivered, ['b', 'c19', 'd'])
  await world.advance(1_000)
  t.strictSame(delivered, ['b', 'c19', 'd'], 'what waited has been overtaken')
})

t.test('R4.2 the first table is published at once, the next after the pause, and each is told once', async (t) => {
  const rig = startRig(t)
  t.throws(() => listen(rig), { code: 'KP-SYS-503' }, 'before the first table there is nothing to wait for')
  const first = await rig.offer('One')
  const { events, leave, pings } = listen(rig)
  t.match(events, [{ event: 'snapshot', data: { version: first, urgent: false } }])
  const second = await rig.offer('Two')
  t.equal(events.length, 1)
  await rig.world.advance(100)
  t.match(events.slice(1), [{ event: 'snapshot', data: { version: second } }])
  await rig.offer('Two')
  await rig.world.advance(100)
  t.equal(events.length, 2, 'the same table is no news')
  const third = await rig.offer('Three', 'Urgent')
  t.match(events.slice(2), [{ event: 'snapshot', data: { version: third, urgent: true } }])
  await rig.world.advance(15_000)
  t.equal(pings(), 1)
  leave()
  await rig.offer('Four', 'Urgent')
  t.equal(events.length, 3)
})

t.test('R4.2 the last versions are served by name, their sections compressed', async (t) => {
  const rig = startRig(t)
  const first = await rig.offer('One')
  const second = await rig.offer('Two', 'Urgent')
  t.equal(rig.service.manifest(first)?.version, first)
  t.equal(rig.service.manifest(second)?.version, second)
  t.equal(await rig.service.section(first, 'clients'), await rig.service.section(second, 'clients'), 'kept once')
  t.strictSame((await rig.service.section(second, 'core'))?.subarray(0, 2), Buffer.of(0x1f, 0x8b))
  t.equal(rig.service.manifest('sha256:unknown'), undefined)
  t.equal(await rig.service.section('sha256:unknown', 'core'), undefined)
  for (let at = 0; at < 20; at += 1) await rig.offer(`Next ${at}`, 'Urgent')
  t.equal(rig.service.manifest(first), undefined, 'the oldest are forgotten')
})

t.test('R4.2 a gateway without a stream is told when it asks, at once or when something changes', async (t) => {
  const rig = startRig(t)
  const first = await rig.offer('One')
  const ask = (has: string | undefined): Promise<unknown> =>
    rig.service.current(GATEWAY, { formats: [1], has, waitMs: 55_000, signal: new AbortController().signal })
  t.match(await ask(undefined), { version: first })
  const waiting = ask(first)
  await settle()
  const second = await rig.offer('Two', 'Urgent')
  t.match(await waiting, { version: second })
  const inVain = ask(second)
  await settle()
  await rig.world.advance(55_000)
  t.equal(await inVain, undefined)
})

t.test('R4.4 the roster knows what each gateway runs, refused, and when it left', async (t) => {
  const rig = startRig(t)
  const version = await rig.offer('One')
  const { leave } = listen(rig)
  rig.service.acknowledge(GATEWAY, { ...ACK, version, result: 'ACK' })
  t.match(rig.roster.all(), [{ name: 'gateway-0', connected: true, local: true, runs: version, image: '1' }])
  const diagnostics = [{ ref: '', path: '', severity: 'error', code: 'KP-CONF-213', message: 'cut' }]
  const other = `sha256:${'a'.repeat(64)}`
  rig.service.acknowledge(GATEWAY, { ...ACK, version: other, result: 'NACK', diagnostics })
  t.match(rig.roster.all(), [{ runs: version, verdict: { result: 'NACK', version: other, diagnostics } }])
  const report = { gateway: 'gateway-0', bootId: 'boot-2', startedAtMs: 1, accounts: [], requests: 5, failures: 1 }
  rig.service.report(GATEWAY, report)
  t.match(rig.roster.all(), [{ bootId: 'boot-2', runs: undefined, verdict: undefined, report }], 'a new process')
  leave()
  t.match(rig.roster.all(), [{ connected: false, local: false }])
  await rig.world.advance(61_000)
  t.strictSame(rig.roster.all(), [])
})

t.test('a gateway that another controller speaks for counts as long as it is heard', async (t) => {
  const rig = startRig(t)
  await rig.offer('One')
  rig.service.report(GATEWAY, {
    gateway: 'gateway-0',
    bootId: 'b',
    startedAtMs: 1,
    accounts: [],
    requests: 0,
    failures: 0,
  })
  t.match(rig.roster.all(), [{ connected: true, local: false }])
  await rig.world.advance(26_000)
  t.match(rig.roster.all(), [{ connected: false }])
})

t.test('what is no message, or that of another gateway, is refused', async (t) => {
  const rig = startRig(t)
  const version = await rig.offer('One')
  t.throws(() => rig.service.acknowledge(GATEWAY, null), { code: 'KP-SYS-516' })
  t.throws(() => rig.service.report(GATEWAY, { gateway: 'gateway-0' }), { code: 'KP-SYS-516' })
  const foreign = { ...ACK, gateway: 'gateway-9', version, result: 'ACK' }
  t.throws(() => rig.service.acknowledge(GATEWAY, foreign), { code: 'KP-AUTH-010' })
  t.strictSame(rig.roster.all(), [])
})

t.test('while it drains a controller takes nobody in', async (t) => {
  const rig = startRig(t)
  await rig.offer('One')
  const { events } = listen(rig)
  rig.service.drain()
  t.match(events.at(-1), { event: 'drain', data: { reconnectWithinMs: 2_000 } })
  t.throws(() => listen(rig), { code: 'KP-SYS-503', retryAfterMs: 1_000 })
})
