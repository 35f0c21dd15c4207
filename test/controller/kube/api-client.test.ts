import t from 'tap'
import { ApiClient } from '../../../src/controller/kube/api-client.ts'
import { isLastingRefusal } from '../../../src/controller/kube/api-error.ts'
import { LEASES, resourceOfKind, SECRETS } from '../../../src/controller/kube/api-resource.ts'
import { openConnection } from '../../../src/controller/kube/connection.ts'
import { EventRecorder } from '../../../src/controller/kube/event-recorder.ts'
import { LeaderElection } from '../../../src/controller/kube/leader-election.ts'
import { reviewToken } from '../../../src/controller/kube/review-token.ts'
import { SYSTEM_TIME_AND_CHANCE } from '../../../src/controller/kube/time-and-chance.ts'
import { type ControlPlane, controlPlane } from '../../helpers/control-plane.ts'
import { until } from './manual-time.ts'
import { serviceAccount } from './service-account.ts'

const plane: ControlPlane = await controlPlane()
const client = new ApiClient(openConnection({ kubeconfigPath: plane.kubeconfigPath }))
t.teardown(() => client.close())

const ACCOUNTS = resourceOfKind('ProviderAccount')
const account = (name: string) => ({
  apiVersion: 'korproxy.dev/v1alpha1',
  kind: 'ProviderAccount',
  metadata: { name },
  spec: { provider: 'Mock' },
})
const condition = (status: string) => ({
  type: 'Ready',
  status,
  observedGeneration: 1,
  lastTransitionTime: '2026-11-21T12:00:00Z',
  reason: 'Because',
  message: '',
})

t.test('lists come page by page, as of one moment', async (t) => {
  const namespace = await plane.namespace(t)
  const address = { resource: ACCOUNTS, namespace }
  const items = Array.from({ length: 510 }, (_, at) => account(`a${at}`))
  const list = JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: items.map((it) => ({ ...it, metadata: { ...it.metadata, namespace } })),
  })
  const created = await plane.kubectl(['create', '-f', '-'], list)
  t.equal(created.code, 0, created.stderr)
  const { items: found, resourceVersion } = await client.list(address)
  t.equal(found.length, 510)
  t.match(resourceVersion, /^\d+$/)
  t.match(found[0], { apiVersion: 'korproxy.dev/v1alpha1', kind: 'ProviderAccount' })
  t.notOk('managedFields' in (found[0]?.metadata ?? {}))
})

t.test('R4.4 status by server-side apply: the spec is untouched, and a field left out is taken away', async (t) => {
  const namespace = await plane.namespace(t)
  await client.create({ resource: ACCOUNTS, namespace }, account('a'))
  const address = { resource: ACCOUNTS, namespace, name: 'a', subresource: 'status' }
  const manager = { fieldManager: 'korproxy-controller' }
  await client.apply(
    address,
    {
      metadata: { name: 'a' },
      status: { health: 'erroring', lastErrorCode: 'KP-NET-300', conditions: [condition('True')] },
    },
    manager,
  )
  const after = await client.apply(
    address,
    { metadata: { name: 'a' }, status: { health: 'available', conditions: [condition('False')] } },
    manager,
  )
  t.match(after, { metadata: { generation: 1 }, status: { health: 'available', conditions: [{ status: 'False' }] } })
  t.notOk('lastErrorCode' in (after['status'] as object))
})

t.test('what the schema of a kind refuses is a lasting refusal', async (t) => {
  const namespace = await plane.namespace(t)
  await client.create({ resource: ACCOUNTS, namespace }, account('a'))
  const address = { resource: ACCOUNTS, namespace, name: 'a', subresource: 'status' }
  for (const status of [{ nope: 1 }, { health: 'fine' }, { conditions: 'all' }]) {
    const error: unknown = await client
      .apply(address, { metadata: { name: 'a' }, status }, { fieldManager: 'korproxy-controller' })
      .catch((cause: unknown) => cause)
    t.ok(isLastingRefusal(error), `${JSON.stringify(status)}: ${String(error)}`)
  }
  await t.rejects(client.create({ resource: ACCOUNTS, namespace }, account('a')), {
    code: 'KP-SYS-530',
    status: 409,
    details: { reason: 'AlreadyExists' },
  })
  await t.rejects(client.get({ resource: SECRETS, namespace, name: 'nope' }), { code: 'KP-SYS-530', status: 404 })
})

t.test('R4.6 two replicas and a real Lease', async (t) => {
  const namespace = await plane.namespace(t)
  const replica = (identity: string) => {
    const told: string[] = []
    const stop = new AbortController()
    const election = new LeaderElection({
      client,
      world: SYSTEM_TIME_AND_CHANCE,
      namespace,
      name: 'korproxy-controller',
      identity,
      address: `${identity}:8443`,
      listener: {
        started: (term) => told.push(`leads ${term}`),
        lost: () => told.push('lost'),
        observed: () => {},
        troubled: (error) => told.push(String(error)),
      },
    })
    return { election, told, stop, running: election.run(stop.signal) }
  }
  const a = replica('a')
  await until(() => a.election.leads)
  const b = replica('b')
  await until(() => b.election.leader !== undefined)
  t.match(b.election.leader, { holder: 'a', address: 'a:8443' })
  a.stop.abort()
  await a.running
  await until(() => b.election.leads)
  t.strictSame([a.told, b.told], [['leads 1'], ['leads 2']])
  const lease = await client.get({ resource: LEASES, namespace, name: 'korproxy-controller' })
  t.match(lease, { spec: { holderIdentity: 'b', leaseTransitions: 2, leaseDurationSeconds: 15 } })
  b.stop.abort()
  await b.running
})

t.test('R4.4 an Event that kubectl shows, and its count', async (t) => {
  const namespace = await plane.namespace(t)
  const failures: unknown[] = []
  let minute = 0
  const recorder = new EventRecorder({
    client,
    world: { ...SYSTEM_TIME_AND_CHANCE, monotonic: () => minute * 60_000 },
    instance: 'controller-0',
    onFailure: (error) => failures.push(error),
  })
  const ref = { kind: 'ProviderAccount', namespace, name: 'a' }
  const event = {
    ref,
    uid: 'u',
    type: 'Warning',
    reason: 'AccountErroring',
    action: 'Observe',
    note: 'It fails.',
  } as const
  await recorder.record(event)
  minute = 1
  await recorder.record(event)
  t.strictSame(failures, [])
  const shown = await plane.kubectl([
    '-n',
    namespace,
    'events',
    '--for',
    'provideraccount.korproxy.dev/a',
    '--no-headers',
  ])
  t.match(shown.stdout, /Warning +AccountErroring +ProviderAccount\/a +It fails\./)
  const { stdout } = await plane.kubectl([
    '-n',
    namespace,
    'get',
    'events.events.k8s.io',
    '-o',
    'jsonpath={.items[*].series.count}',
  ])
  t.equal(stdout, '2')
})

t.test('R4.2 a token is reviewed for its audience', async (t) => {
  const namespace = await plane.namespace(t)
  await serviceAccount(t, plane, namespace, [])
  const create = ['-n', namespace, 'create', 'token', 'limited', '--audience=korproxy-controller']
  const token = (await plane.kubectl(create)).stdout.trim()
  t.strictSame(await reviewToken(client, token, 'korproxy-controller'), {
    username: `system:serviceaccount:${namespace}:limited`,
  })
  t.equal(await reviewToken(client, token, 'somebody-else'), undefined)
  t.equal(await reviewToken(client, 'nonsense', 'korproxy-controller'), undefined)
})

t.test('R5.1 what a Role does not grant is refused with its reason', async (t) => {
  const namespace = await plane.namespace(t)
  const kubeconfigPath = await serviceAccount(t, plane, namespace, [])
  const limited = new ApiClient(openConnection({ kubeconfigPath }))
  t.teardown(() => limited.close())
  await t.rejects(limited.list({ resource: SECRETS, namespace }), {
    code: 'KP-SYS-530',
    status: 403,
    details: { reason: 'Forbidden' },
  })
})

t.test('an API server that is not there', async (t) => {
  const { stdout } = await plane.kubectl(['config', 'view', '--raw', '--flatten', '--output=json'])
  const folder = t.testdir({ kubeconfig: stdout.replaceAll(plane.url, 'https://127.0.0.1:1') })
  const nobody = new ApiClient(openConnection({ kubeconfigPath: `${folder}/kubeconfig` }))
  t.teardown(() => nobody.close())
  await t.rejects(nobody.list({ resource: SECRETS }), { code: 'KP-SYS-531' })
  t.throws(() => openConnection({ kubeconfigPath: `${folder}/nope` }), { code: 'KP-SYS-531' })
})
