import { join } from 'node:path'
import type { Test } from 'tap'
import type { Controller } from '../../src/controller/controller.ts'
import type { ControllerTransport } from '../../src/gateway/table-client/controller-transport.ts'
import { manifestSet, manifests, startClient } from '../helpers/controller-rig.ts'
import { scratch, waitFor } from '../helpers/stack.ts'

/** Something that carries what a controller and its gateways say to each other. */
export interface Carrier {
  readonly controller: Controller
  transport(gateway: string): Promise<ControllerTransport>
  /** The controller ends, without a word. */
  stop(): Promise<void>
  /** A new one takes its place; it knows nothing yet. */
  restart(): Promise<Controller>
}

const HINT = { urgent: false, highWater: { GatewayClient: '10' } }

/** What holds between controller and gateways, whatever carries their words. */
export function tableClientContract(t: Test, startCarrier: (t: Test) => Promise<Carrier>): void {
  t.test('R4.2 every gateway applies a table, then its change, and acknowledges both', async (t) => {
    const carrier = await startCarrier(t)
    carrier.controller.configure(await manifestSet(t, manifests()), HINT)
    const names = ['gateway-0', 'gateway-1', 'gateway-2']
    const clients = await Promise.all(
      names.map(async (name) => startClient(t, { name, transport: await carrier.transport(name) })),
    )
    const runs = (): (string | undefined)[] => carrier.controller.gateways.map((gateway) => gateway.runs)
    const first = carrier.controller.published?.version
    t.strictSame(await waitFor(runs, (all) => all.length === 3 && all.every((version) => version === first)), [
      first,
      first,
      first,
    ])

    carrier.controller.configure(await manifestSet(t, manifests({ displayName: 'Renamed' })), HINT)
    const second = await waitFor(
      () => carrier.controller.published?.version,
      (version) => version !== first,
    )
    t.strictSame(await waitFor(runs, (all) => all.every((version) => version === second)), [second, second, second])
    t.strictSame(
      clients.map(({ gateway }) => gateway.registry.find('default', 'a')?.account.displayName),
      ['Renamed', 'Renamed', 'Renamed'],
    )
    t.strictSame(
      carrier.controller.gateways.map(({ verdict }) => verdict?.result),
      ['ACK', 'ACK', 'ACK'],
    )
  })

  t.test(
    'R4.5 a gateway serves on without its controller, restarts on what it kept, and follows the next one',
    async (t) => {
      const carrier = await startCarrier(t)
      const keptTablePath = join(scratch(t), 'table', 'snapshot.gz')
      carrier.controller.configure(await manifestSet(t, manifests()), HINT)
      const name = 'gateway-0'
      const before = await startClient(t, { name, transport: await carrier.transport(name), keptTablePath })
      await waitFor(
        () => before.gateway.ready,
        (ready) => ready,
      )
      await carrier.stop()
      t.equal(before.gateway.ready, true)
      await before.stop()

      const after = await startClient(t, { name, transport: await carrier.transport(name), keptTablePath })
      t.equal(after.gateway.ready, true, 'at once, with nobody to ask')
      t.equal(after.gateway.registry.find('default', 'a')?.credential.type, 'APIKey')

      const next = await carrier.restart()
      next.configure(await manifestSet(t, manifests({ displayName: 'Renamed' })), HINT)
      const name2 = await waitFor(
        () => after.gateway.registry.find('default', 'a')?.account.displayName,
        (found) => found === 'Renamed',
      )
      t.equal(name2, 'Renamed')
      t.strictSame(
        (
          await waitFor(
            () => next.gateways,
            ([gateway]) => gateway?.runs === next.published?.version,
          )
        ).map((gateway) => [gateway.name, gateway.connected]),
        [['gateway-0', true]],
      )
    },
  )

  t.test('R4.2 a drained controller loses its gateways at once, and they come back', async (t) => {
    const carrier = await startCarrier(t)
    const set = await manifestSet(t, manifests())
    carrier.controller.configure(set, HINT)
    const { client } = await startClient(t, { name: 'gateway-0', transport: await carrier.transport('gateway-0') })
    await waitFor(
      () => client.version,
      (version) => version !== undefined,
    )
    carrier.controller.service.drain()
    t.equal(
      await waitFor(
        () => carrier.controller.service.streams,
        (streams) => streams === 0,
      ),
      0,
    )
    await carrier.stop()
    const next = await carrier.restart()
    next.configure(set, HINT)
    t.equal(
      await waitFor(
        () => next.service.streams,
        (streams) => streams === 1,
      ),
      1,
    )
  })

  t.test('F27 50 gateways that come back at once are all current', async (t) => {
    const carrier = await startCarrier(t)
    const set = await manifestSet(t, manifests())
    carrier.controller.configure(set, HINT)
    const names = Array.from({ length: 50 }, (_, at) => `gateway-${at}`)
    const clients = await Promise.all(
      names.map(async (name) => startClient(t, { name, transport: await carrier.transport(name) })),
    )
    const count = (controller: Controller): number =>
      controller.gateways.filter(({ runs, connected }) => connected && runs === controller.published?.version).length
    const all = async (controller: Controller): Promise<number> => {
      let found = 0
      for (let round = 0; round < 5 && found < 50; round += 1) {
        found = await waitFor(
          () => count(controller),
          (now) => now === 50,
        )
      }
      return found
    }
    t.equal(await all(carrier.controller), 50)
    await carrier.stop()
    const next = await carrier.restart()
    next.configure(await manifestSet(t, manifests({ displayName: 'Renamed' })), HINT)
    t.equal(await all(next), 50)
    t.strictSame([...new Set(clients.map(({ client }) => client.version))], [next.published?.version])
  })

  t.test('R4.2 a gateway does what the controller commands', async (t) => {
    const carrier = await startCarrier(t)
    carrier.controller.configure(await manifestSet(t, manifests()), HINT)
    const { gateway, logLevels } = await startClient(t, {
      name: 'gateway-0',
      transport: await carrier.transport('gateway-0'),
    })
    await waitFor(
      () => gateway.ready,
      (ready) => ready,
    )
    const account = gateway.registry.find('default', 'a')
    account?.health.record('gpt-5', { kind: 'bad-credential' }, { nowMs: 1_800_000_000_000, errorCode: 'KP-PROV-101' })
    t.equal(account?.health.state(undefined, 1_800_000_000_000).state, 'erroring')
    carrier.controller.service.command({ kind: 'health-reset', tenant: 'default', account: 'a' })
    carrier.controller.service.command({ kind: 'log-level', component: 'gateway', level: 'debug' })
    await waitFor(
      () => logLevels['gateway'],
      (level) => level === 'debug',
    )
    t.equal(logLevels['gateway'], 'debug')
    t.equal(account?.health.state(undefined, 1_800_000_000_000).state, 'available')
  })
}
