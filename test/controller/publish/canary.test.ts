import t, { type Test } from 'tap'
import type { Controller } from '../../../src/controller/controller.ts'
import {
  fastWorld,
  InProcessController,
  manifestSet,
  manifests,
  startClient,
  startController,
} from '../../helpers/controller-rig.ts'
import { waitFor } from '../../helpers/stack.ts'

const CANARY = `
apiVersion: korproxy.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default}
spec: {rollout: {strategy: Canary, canary: {gateways: 1, observe: 30s}}}
---`
const NAMES = ['gateway-0', 'gateway-1', 'gateway-2']

interface Fleet {
  readonly controller: Controller
  readonly inProcess: InProcessController
  /** Requests so far, and failures, by gateway. */
  readonly traffic: Record<string, { requests: number; failures: number }>
  /** Display name of account `a` by gateway: which table each of them runs. */
  shown(): (string | undefined)[]
  configure(displayName: string, hint?: { urgent: boolean }): Promise<void>
}

/** Ten seconds of the fleet are one second here. */
async function startFleet(t: Test): Promise<Fleet> {
  const world = fastWorld(10)
  const controller = startController(t, { world })
  const inProcess = new InProcessController(controller)
  let highWater = 100
  const configure: Fleet['configure'] = async (displayName, { urgent } = { urgent: false }) => {
    highWater += 1
    const set = await manifestSet(t, `${manifests({ displayName })}${CANARY}`)
    controller.configure(set, { urgent, highWater: { ProviderAccount: String(highWater) } })
  }
  const traffic: Fleet['traffic'] = Object.fromEntries(NAMES.map((name) => [name, { requests: 0, failures: 0 }]))
  await configure('Before')
  const rigs = await Promise.all(
    NAMES.map((name) =>
      startClient(t, {
        name,
        world,
        transport: inProcess.transport(name),
        traffic: () => traffic[name] ?? { requests: 0, failures: 0 },
      }),
    ),
  )
  const shown: Fleet['shown'] = () =>
    rigs.map(({ gateway }) => gateway.registry.find('default', 'a')?.account.displayName)
  await waitFor(shown, (names) => names.every((name) => name === 'Before'))
  await waitFor(
    () => controller.gateways.filter(({ report }) => report !== undefined).length,
    (count) => count === 3,
  )
  return { controller, inProcess, traffic, shown, configure }
}

const all = (name: string) => (names: (string | undefined)[]) => names.every((found) => found === name)

t.test('R4.2 a change is tried on one gateway, and goes to all when that one does well', async (t) => {
  const { controller, shown, configure } = await startFleet(t)
  await configure('After')
  await waitFor(
    () => controller.rollout?.phase,
    (phase) => phase === 'Observing',
  )
  t.strictSame(shown(), ['After', 'Before', 'Before'])
  t.match(controller.rollout, { phase: 'Observing', gateways: ['gateway-0'] })
  t.strictSame(await waitFor(shown, all('After')), ['After', 'After', 'After'])
  t.equal(controller.rollout, undefined)
})

t.test('R4.2 what an operator does in anger is tried on nobody', async (t) => {
  const { controller, shown, configure } = await startFleet(t)
  await configure('Slow')
  await configure('Urgent', { urgent: true })
  t.equal(controller.rollout, undefined)
  t.strictSame(await waitFor(shown, all('Urgent')), ['Urgent', 'Urgent', 'Urgent'])
})

t.test('R4.4 a table that the canary refuses goes no further', async (t) => {
  const { controller, inProcess, shown, configure } = await startFleet(t)
  inProcess.alterManifest = () => null
  await configure('After')
  await waitFor(
    () => controller.rollout?.phase,
    (phase) => phase === 'Held',
  )
  t.match(controller.rollout, { phase: 'Held', gateways: ['gateway-0'], reason: /^gateway-0 refused it: / })
  t.strictSame(shown(), ['Before', 'Before', 'Before'])
  inProcess.alterManifest = (manifest) => manifest
  await configure('Repaired')
  t.strictSame(await waitFor(shown, all('Repaired')), ['Repaired', 'Repaired', 'Repaired'])
})

t.test('R4.4 a table with which requests fail more often is taken back from the canary', async (t) => {
  const { controller, traffic, shown, configure } = await startFleet(t)
  await configure('After')
  await waitFor(
    () => controller.rollout?.phase,
    (phase) => phase === 'Observing',
  )
  traffic['gateway-0'] = { requests: 100, failures: 40 }
  traffic['gateway-1'] = { requests: 100, failures: 1 }
  await waitFor(
    () => controller.rollout?.phase,
    (phase) => phase === 'Held',
  )
  t.match(controller.rollout, { phase: 'Held', reason: 'requests fail more often since' })
  t.strictSame(await waitFor(shown, all('Before')), ['Before', 'Before', 'Before'])
})

t.test('a provider that fails everywhere is no fault of the table', async (t) => {
  const { controller, traffic, shown, configure } = await startFleet(t)
  await configure('After')
  await waitFor(
    () => controller.rollout?.phase,
    (phase) => phase === 'Observing',
  )
  for (const name of NAMES) traffic[name] = { requests: 100, failures: 40 }
  t.strictSame(await waitFor(shown, all('After')), ['After', 'After', 'After'])
})
