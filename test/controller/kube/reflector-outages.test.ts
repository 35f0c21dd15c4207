import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { request } from 'undici'
import { ApiClient } from '../../../src/controller/kube/api-client.ts'
import { resourceOfKind } from '../../../src/controller/kube/api-resource.ts'
import { openConnection } from '../../../src/controller/kube/connection.ts'
import type { KubeObject } from '../../../src/controller/kube/kube-object.ts'
import { Reflector } from '../../../src/controller/kube/reflector.ts'
import { SYSTEM_TIME_AND_CHANCE } from '../../../src/controller/kube/time-and-chance.ts'
import { type OwnControlPlane, ownControlPlane } from '../../helpers/control-plane.ts'
import { until } from './manual-time.ts'

const versions = (objects: Iterable<KubeObject>) =>
  [...objects].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).toSorted()

/** Makes etcd forget everything but the present. */
async function compact(plane: OwnControlPlane): Promise<void> {
  const command = readFileSync(join(dirname(plane.kubeconfigPath), 'cmd', 'etcd'), 'utf8')
  const url = command.match(/--listen-client-urls=(http:\/\/[^ ]+)/)?.[1] ?? ''
  const post = async (path: string, body: object): Promise<unknown> =>
    (await request(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) })).body.json()
  const range = await post('/v3/kv/range', { key: Buffer.from('/').toString('base64') })
  const { revision } = (range as { header: { revision: string } }).header
  await post('/v3/kv/compaction', { revision, physical: true })
}

t.test('F15 F17 restarts of etcd and of the API server, and compaction: the copy equals a fresh list', async (t) => {
  const plane = await ownControlPlane(t)
  const namespace = await plane.namespace(t)
  const client = new ApiClient(openConnection({ kubeconfigPath: plane.kubeconfigPath }))
  const address = { resource: resourceOfKind('ProviderAccount'), namespace }
  const create = (name: string) =>
    client.create(address, {
      metadata: { name },
      apiVersion: 'korproxy.dev/v1alpha1',
      kind: 'ProviderAccount',
      spec: { provider: 'Mock' },
    })
  const counts: Record<string, number> = {}
  const told: string[] = []
  const reflector = new Reflector({
    client,
    address,
    world: SYSTEM_TIME_AND_CHANCE,
    listener: {
      changed: (changes) => {
        for (const { before, after } of changes) {
          told.push(after === undefined ? `-${before?.metadata.name}` : `+${after.metadata.name}`)
        }
      },
      troubled: (error) => t.comment(String(error)),
      counted: (counter, amount) => {
        counts[counter] = (counts[counter] ?? 0) + amount
      },
      synced: () => {},
    },
  })
  const stop = new AbortController()
  const running = reflector.run(stop.signal)
  t.teardown(async () => {
    stop.abort()
    await running
    await client.close()
  })
  const isTrue = async (): Promise<boolean> => {
    const list = await client.list(address)
    return JSON.stringify(versions(list.items)) === JSON.stringify(versions(reflector.objects.values()))
  }
  await until(() => reflector.synced)
  await create('a')
  await until(() => told.includes('+a'))

  await plane.restart('etcd', 1)
  await plane.ready()
  await create('b')
  await until(() => told.includes('+b'))
  t.ok(await isTrue(), 'after a restart of etcd')

  await plane.restart('kube-apiserver', 1)
  await plane.ready()
  await create('c')
  await until(() => told.includes('+c'))
  t.ok(await isTrue(), 'after a restart of the API server')

  const restarting = plane.restart('kube-apiserver', 2)
  await compact(plane)
  await restarting
  await plane.ready()
  await client.delete({ ...address, name: 'a' })
  await until(() => told.includes('-a'))
  await create('d')
  await until(() => told.includes('+d'))
  t.ok(await isTrue(), 'after a compaction')
  t.strictSame([...reflector.objects.values()].map(({ metadata }) => metadata.name).toSorted(), ['b', 'c', 'd'])
  t.equal(counts['CacheMismatches'], undefined)
})
