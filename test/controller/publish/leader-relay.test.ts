import { readFileSync } from 'node:fs'
import t from 'tap'
import { LeaderRelay } from '../../../src/controller/publish/leader-relay.ts'
import { manifestSet, manifests, startClient } from '../../helpers/controller-rig.ts'
import { startHttpsController } from '../../helpers/https-controller.ts'
import { waitFor } from '../../helpers/stack.ts'

const HINT = { urgent: false, highWater: {} }

t.test('R4.6 the leader hears what gateways say to the other controllers', async (t) => {
  const leader = await startHttpsController(t)
  const troubles: string[] = []
  let address: string | undefined = new URL(leader.url).host
  const relay = new LeaderRelay({
    leader: () => address,
    authorities: () => readFileSync(leader.authorityPath, 'utf8'),
    serverName: 'localhost',
    onTrouble: (error) => troubles.push(String(error)),
  })
  t.teardown(() => relay.close())
  const other = await startHttpsController(t, { relay })
  const set = await manifestSet(t, manifests())
  leader.controller.configure(set, HINT)
  other.controller.configure(set, HINT)
  t.equal(leader.controller.published?.version, other.controller.published?.version, 'both compile the same')
  const { gateway } = await startClient(t, { name: 'gateway-0', transport: await other.transport('gateway-0') })
  const programmed = (): unknown => leader.controller.facts()?.programmed.gateways ?? []
  t.match(await waitFor(programmed, (found) => JSON.stringify(found).includes('ACK')), [
    { name: 'gateway-0', connected: true, version: leader.controller.published?.version, result: 'ACK' },
  ])
  const at = { nowMs: 1_800_000_000_000, errorCode: 'KP-PROV-101' } as const
  gateway.registry.find('default', 'a')?.health.record('gpt-5', { kind: 'bad-credential' }, at)
  const reports = (): unknown => leader.controller.facts()?.reports.get('default/a') ?? []
  t.match(await waitFor(reports, (found) => JSON.stringify(found).includes('erroring')), [
    { gateway: 'gateway-0', state: 'erroring' },
  ])
  t.strictSame(troubles, [])

  await leader.stop()
  other.controller.audienceChanged()
  t.match(
    await waitFor(
      () => troubles,
      (found) => found.length > 0,
    ),
    [/ECONNREFUSED|other side closed|UND_ERR/],
  )
  address = undefined
  troubles.length = 0
  other.controller.audienceChanged()
  t.match(other.controller.facts()?.programmed.gateways, [{ name: 'gateway-0', connected: true }])
})
