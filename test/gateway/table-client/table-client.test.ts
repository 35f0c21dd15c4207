import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { Controller } from '../../../src/controller/controller.ts'
import { ReconnectDelay } from '../../../src/gateway/table-client/reconnect-delay.ts'
import { TABLE_FORMATS, type TableFormat } from '../../../src/table/table-formats.ts'
import {
  type ClientRig,
  fastWorld,
  InProcessController,
  manifestSet,
  manifests,
  startClient,
  startController,
} from '../../helpers/controller-rig.ts'
import { scratch, waitFor } from '../../helpers/stack.ts'

const HINT = { urgent: true, highWater: { RoutingProfile: '100' } }

interface Pair {
  readonly controller: Controller
  readonly inProcess: InProcessController
  configure(options: Parameters<typeof manifests>[0], highWater?: Record<string, string>): Promise<string>
}

async function startPair(t: Test): Promise<Pair> {
  const controller = startController(t)
  const inProcess = new InProcessController(controller)
  return {
    controller,
    inProcess,
    configure: async (options, highWater = HINT.highWater) => {
      controller.configure(await manifestSet(t, manifests(options)), { urgent: true, highWater })
      return controller.published?.version ?? ''
    },
  }
}

function runs({ client }: ClientRig, version: string): Promise<string | undefined> {
  return waitFor(
    () => client.version,
    (found) => found === version,
  )
}

const first = <T>(items: readonly T[]): T | undefined => items[0]

t.test('F26 a table that is altered or broken is refused by name, and the last good one stays', async (t) => {
  const { controller, inProcess, configure } = await startPair(t)
  const good = await configure({})
  const rig = await startClient(t, { name: 'gateway-0', transport: inProcess.transport('gateway-0') })
  t.equal(await runs(rig, good), good)
  const refusals: readonly [(pair: InProcessController) => void, string][] = [
    [
      (pair) => {
        pair.alter = (_name, text) => text.slice(0, -3)
      },
      'KP-CONF-213',
    ],
    [
      (pair) => {
        pair.alterManifest = (manifest) => ({ ...(manifest as object), format: 7 })
      },
      'KP-CONF-212',
    ],
    [
      (pair) => {
        pair.alterManifest = () => ({ format: null })
      },
      'KP-CONF-223',
    ],
    [
      (pair) => {
        pair.alterManifest = (manifest) => {
          const digest = { sha256: '0'.repeat(64), size: 99_000_000 }
          return { ...(manifest as object), sections: { core: digest, clients: digest, credentials: digest } }
        }
      },
      'KP-CONF-214',
    ],
  ]
  for (const [at, [poison, code]] of refusals.entries()) {
    poison(inProcess)
    const bad = await configure({ displayName: `Bad ${at}` })
    const verdict = await waitFor(
      () => first(controller.gateways)?.verdict,
      (found) => found?.version === bad,
    )
    t.match(verdict, { result: 'NACK', version: bad, diagnostics: [{ code, severity: 'error' }] })
    t.equal(rig.client.version, good)
    t.equal(rig.gateway.ready, true)
    t.equal(rig.gateway.registry.find('default', 'a')?.account.displayName, 'Account A')
    inProcess.alter = (_name, text) => text
    inProcess.alterManifest = (manifest) => manifest
  }
  const better = await configure({ displayName: 'Better' })
  t.equal(await runs(rig, better), better)
  t.notMatch(rig.log(), /sk-secret/)
})

t.test('F26 a table that no gateway would take is not even published', async (t) => {
  const { controller, inProcess, configure } = await startPair(t)
  const good = await configure({})
  const rig = await startClient(t, { name: 'gateway-0', transport: inProcess.transport('gateway-0') })
  await runs(rig, good)
  const patterns = (family: number): string =>
    `{name: f${family}, patterns: [${Array.from({ length: 64 }, (_, at) => `"m-${family}-${at}-*"`).join(', ')}]}`
  const catalogs = Array.from(
    { length: 50 },
    (_, at) => `
apiVersion: korproxy.dev/v1alpha1
kind: ModelCatalog
metadata: {name: c${at}}
spec: {families: [${Array.from({ length: 32 }, (_, family) => patterns(at * 32 + family)).join(', ')}]}
---`,
  )
  controller.configure(await manifestSet(t, `${manifests()}${catalogs.join('')}`), HINT)
  t.match(controller.withheld, { code: 'KP-CONF-214' })
  t.equal(controller.published?.version, good)
  t.equal(rig.client.version, good)
})

t.test('R4.2 of a change of clients only the clients are fetched', async (t) => {
  const { inProcess, configure } = await startPair(t)
  const rig = await startClient(t, { name: 'gateway-0', transport: inProcess.transport('gateway-0') })
  await runs(rig, await configure({ clients: 1 }))
  inProcess.fetched.length = 0
  const next = await configure({ clients: 3 })
  t.equal(await runs(rig, next), next)
  t.strictSame(inProcess.fetched, ['gateway-0 clients'])
  t.equal(rig.gateway.table?.clients.size, 3)
})

t.test('F16 a controller that is behind does not turn a gateway back', async (t) => {
  const { controller, inProcess, configure } = await startPair(t)
  const rig = await startClient(t, { name: 'gateway-0', transport: inProcess.transport('gateway-0') })
  const current = await configure({}, { RoutingProfile: '100', ProviderAccount: '90' })
  await runs(rig, current)
  const late = startController(t)
  late.configure(await manifestSet(t, manifests({ displayName: 'Old' })), {
    urgent: false,
    highWater: { RoutingProfile: '95', ProviderAccount: '90' },
  })
  inProcess.use(late)
  controller.close()
  t.match(
    await waitFor(rig.log, (text) => text.includes('offers an older')),
    /the controller offers an older routing table/,
  )
  t.equal(rig.client.version, current)
  late.configure(await manifestSet(t, manifests({ displayName: 'New' })), {
    urgent: true,
    highWater: { RoutingProfile: '101', ProviderAccount: '90' },
  })
  t.equal(await runs(rig, late.published?.version ?? ''), late.published?.version, 'once it has caught up')
})

t.test(
  'F16 a table that is older is accepted when every controller has been that far back for five minutes',
  async (t) => {
    const { controller, inProcess, configure } = await startPair(t)
    const name = 'gateway-0'
    const rig = await startClient(t, { name, transport: inProcess.transport(name), world: fastWorld(1_000) })
    await runs(rig, await configure({}, { RoutingProfile: '100' }))
    const restored = await configure({ displayName: 'From a backup' }, { RoutingProfile: '40' })
    t.equal(await runs(rig, restored), restored)
    t.match(rig.log(), /the controller offers an older routing table/)
    t.equal(controller.published?.version, restored)
  },
)

t.test('R4.2 where streams do not come through, the gateway asks', async (t) => {
  for (const streams of ['HeldBack', 'Silent'] as const) {
    const { inProcess, configure } = await startPair(t)
    inProcess.streams = streams
    const name = 'gateway-0'
    const rig = await startClient(t, { name, transport: inProcess.transport(name), world: fastWorld(100) })
    const version = await configure({})
    t.equal(await runs(rig, version), version, streams)
    const next = await configure({ displayName: 'Next' })
    t.equal(await runs(rig, next), next, streams)
  }
})

t.test('R4.6 a stream that falls silent is dead, and another is opened', async (t) => {
  const { inProcess, configure } = await startPair(t)
  const name = 'gateway-0'
  const rig = await startClient(t, { name, transport: inProcess.transport(name), world: fastWorld(100) })
  await runs(rig, await configure({}))
  const { opened } = inProcess
  // The controller's own time does not run fast: its pings are late by far.
  t.ok(
    (await waitFor(
      () => inProcess.opened,
      (count) => count > opened,
    )) > opened,
  )
})

t.test('R4.5 a new pod without any controller starts from the last good table, if one is mounted', async (t) => {
  const { inProcess, configure } = await startPair(t)
  const folder = scratch(t)
  const keptTablePath = join(folder, 'kept', 'snapshot.gz')
  const donor = await startClient(t, { name: 'gateway-0', transport: inProcess.transport('gateway-0'), keptTablePath })
  const version = await configure({})
  await runs(donor, version)
  await waitFor(
    () => existsSync(keptTablePath),
    (exists) => exists,
  )
  t.equal(statSync(keptTablePath).mode & 0o777, 0o600)
  t.equal(statSync(join(folder, 'kept')).mode & 0o777, 0o700)
  await donor.stop()

  inProcess.use(undefined)
  const lastGoodPath = join(folder, 'mounted', 'snapshot.gz')
  const rig = await startClient(t, { name: 'gateway-1', transport: inProcess.transport('gateway-1'), lastGoodPath })
  t.equal(rig.gateway.ready, false)
  mkdirSync(join(folder, 'mounted'))
  writeFileSync(lastGoodPath, readFileSync(keptTablePath))
  t.equal(await runs(rig, version), version)
  t.equal(rig.gateway.ready, true)
})

t.test('R4.5 a kept table that is damaged is reported and of no use', async (t) => {
  const folder = scratch(t)
  const inProcess = new InProcessController(undefined)
  const donorPair = await startPair(t)
  const good = join(folder, 'good.gz')
  const donor = await startClient(t, {
    name: 'gateway-0',
    transport: donorPair.inProcess.transport('gateway-0'),
    keptTablePath: good,
  })
  await runs(donor, await donorPair.configure({}))
  await waitFor(
    () => existsSync(good),
    (exists) => exists,
  )
  const bytes = readFileSync(good)
  const altered = gzipSync(gunzipSync(bytes).toString('utf8').replace('Account A', 'Account X'))
  for (const damaged of [Buffer.alloc(0), Buffer.from('nonsense'), bytes.subarray(0, 100), altered]) {
    const keptTablePath = join(folder, 'kept.gz')
    writeFileSync(keptTablePath, damaged)
    const rig = await startClient(t, { name: 'gateway-1', transport: inProcess.transport('gateway-1'), keptTablePath })
    t.equal(rig.gateway.ready, false)
    t.match(rig.log(), /the kept routing table is of no use/)
    t.notMatch(rig.log(), /sk-secret/)
    await rig.stop()
  }
})

t.test('R4.5 a gateway serves even where it cannot keep its table', async (t) => {
  const { inProcess, configure } = await startPair(t)
  const folder = scratch(t)
  writeFileSync(join(folder, 'a-file'), '')
  chmodSync(folder, 0o700)
  const keptTablePath = join(folder, 'a-file', 'snapshot.gz')
  const version = await configure({})
  const rig = await startClient(t, { name: 'gateway-0', transport: inProcess.transport('gateway-0'), keptTablePath })
  t.equal(await runs(rig, version), version)
  await waitFor(rig.log, (text) => text.includes('cannot be kept'))
  t.match(rig.log(), /the routing table cannot be kept for the next start/)
})

t.test('R4.2 controllers and gateways of neighbouring formats understand each other', async (t) => {
  const [format1] = TABLE_FORMATS
  if (format1 === undefined) throw new Error('no format')
  const format2: TableFormat = {
    number: 2,
    write: ({ core, clients, credentials }) => ({ core: { wrapped: core }, clients, credentials }),
    read: ({ core, clients, credentials }) => ({ core: (core as { wrapped: unknown }).wrapped, clients, credentials }),
  }
  const controller = startController(t, { formats: [format2, format1] })
  const inProcess = new InProcessController(controller)
  controller.configure(await manifestSet(t, manifests()), HINT)
  const old = await startClient(t, { name: 'old', transport: inProcess.transport('old', [1]), formats: [format1] })
  const both = [format2, format1]
  const young = await startClient(t, { name: 'young', transport: inProcess.transport('young', [2, 1]), formats: both })
  const seen = (): unknown =>
    controller.facts()?.programmed.gateways.map(({ name, version, result }) => [name, version, result])
  const version = controller.published?.version
  t.strictSame(await waitFor(seen, (found) => JSON.stringify(found ?? '').split('ACK').length === 3), [
    ['old', version, 'ACK'],
    ['young', version, 'ACK'],
  ])
  t.not(old.client.version, young.client.version)
  t.equal(old.gateway.registry.find('default', 'a')?.account.displayName, 'Account A')
  t.equal(young.gateway.registry.find('default', 'a')?.account.displayName, 'Account A')
  await t.rejects(
    async () =>
      controller.service.openStream({ gateway: 'ancient' }, [0], { send: () => {}, ping: () => {}, end: () => {} }),
    { code: 'KP-CONF-212' },
  )
})

t.test('R4.4 the health of accounts comes back, at once when it changes', async (t) => {
  const { controller, inProcess, configure } = await startPair(t)
  const rig = await startClient(t, { name: 'gateway-0', transport: inProcess.transport('gateway-0') })
  await runs(rig, await configure({}))
  const account = rig.gateway.registry.find('default', 'a')
  const at = { nowMs: 1_800_000_000_000, errorCode: 'KP-RATE-401' } as const
  account?.health.record('gpt-5', { kind: 'quota-exhausted', retryAfterMs: 3_600_000_000, scope: 'account' }, at)
  const reports = (): unknown => controller.facts()?.reports.get('default/a') ?? []
  t.match(await waitFor(reports, (found) => JSON.stringify(found).includes('rate_limited')), [
    {
      gateway: 'gateway-0',
      state: 'rate_limited',
      lastError: { code: 'KP-RATE-401', message: 'quota-exhausted (model gpt-5)', atMs: 1_800_000_000_000 },
    },
  ])
  t.match(controller.facts()?.reports.get('default/b'), [{ gateway: 'gateway-0', state: 'available' }])
})

t.test('F27 reconnects are drawn from a range that doubles up to ten seconds', async (t) => {
  const highest = new ReconnectDelay(() => 1)
  t.strictSame(
    Array.from({ length: 9 }, () => highest.next()),
    [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000],
  )
  highest.reset()
  t.equal(highest.next(), 100)
  t.equal(new ReconnectDelay(() => 0).next(), 0)
  t.equal(new ReconnectDelay(() => 0.5).next(1_000), 1_050, 'what the controller asked for, and a part')
  t.equal(new ReconnectDelay(() => 0.5).next(3_600_000), 10_050, 'but never for hours')
})
