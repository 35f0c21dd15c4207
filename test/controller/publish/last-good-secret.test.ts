import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LastGoodSecret } from '../../../src/controller/publish/last-good-secret.ts'
import { type Publication, preparePublication } from '../../../src/controller/publish/publication.ts'
import { InProcessController, manifests, sha256, startClient, tableOf } from '../../helpers/controller-rig.ts'
import { scratch, waitFor } from '../../helpers/stack.ts'
import { ManualTime } from '../kube/manual-time.ts'
import { FakeObjects } from './fake-objects.ts'

t.test('R4.5 the leader keeps the last good table in a Secret, from which a gateway starts', async (t) => {
  const [objects, world] = [new FakeObjects(), new ManualTime()]
  let leads = false
  const troubles: unknown[] = []
  const kept = new LastGoodSecret({
    client: objects,
    world,
    namespace: 'korproxy',
    name: 'last-good',
    leads: () => leads,
    onTrouble: (error) => troubles.push(error),
  })
  const publish = async (displayName: string): Promise<Publication> => {
    const table = await tableOf(t, manifests({ displayName }))
    const publication = preparePublication({ table, highWater: { Secret: '7' }, urgent: false }, sha256)
    if ('reason' in publication) throw new Error(publication.reason)
    kept.keep(publication)
    return publication
  }
  /** Compression takes real time. */
  const pass = async (delayMs: number): Promise<void> => {
    await world.advance(delayMs)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await publish('One')
  await pass(5_000)
  t.equal(objects.writes, 0, 'whoever does not lead writes nothing')
  leads = true
  kept.takeOver()
  await pass(0)
  t.equal(objects.writes, 1)
  await publish('Two')
  const { table } = await publish('Three')
  await pass(5_000)
  t.equal(objects.writes, 2, 'changes gather')
  await publish('Three')
  await pass(5_000)
  t.equal(objects.writes, 2, 'the same is not written again')
  kept.close()
  t.strictSame(troubles, [])

  const lastGoodPath = join(scratch(t), 'snapshot.gz')
  writeFileSync(lastGoodPath, Buffer.from(objects.read('Secret', 'last-good')?.['snapshot.gz'] ?? '', 'latin1'))
  const nobody = new InProcessController(undefined)
  const rig = await startClient(t, { name: 'gateway-0', transport: nobody.transport('gateway-0'), lastGoodPath })
  t.equal(
    await waitFor(
      () => rig.client.version,
      (version) => version !== undefined,
    ),
    table.version,
  )
})

t.test('R4.5 a failed write is told and tried again', async (t) => {
  const world = new ManualTime()
  const troubles: unknown[] = []
  let calls = 0
  const kept = new LastGoodSecret({
    client: {
      apply: async () => {
        calls += 1
        throw new Error('away')
      },
    },
    world,
    namespace: 'korproxy',
    name: 'last-good',
    leads: () => true,
    onTrouble: (error) => troubles.push(error),
  })
  const table = await tableOf(t, manifests())
  const publication = preparePublication({ table, highWater: {}, urgent: false }, sha256)
  if ('reason' in publication) throw new Error(publication.reason)
  kept.keep(publication)
  for (const delayMs of [5_000, 30_000]) {
    await world.advance(delayMs)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  t.equal(calls, 2)
  t.match(troubles, [{ message: 'away' }, { message: 'away' }])
  kept.close()
})
