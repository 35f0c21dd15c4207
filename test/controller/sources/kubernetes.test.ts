import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { ApiClient } from '../../../src/controller/kube/api-client.ts'
import { openConnection } from '../../../src/controller/kube/connection.ts'
import { SYSTEM_TIME_AND_CHANCE } from '../../../src/controller/kube/time-and-chance.ts'
import { type KubernetesSet, KubernetesSource } from '../../../src/controller/sources/kubernetes.ts'
import { type ControlPlane, controlPlane } from '../../helpers/control-plane.ts'
import { serviceAccount } from '../kube/service-account.ts'

const plane = await controlPlane()

function manifest(kind: string, name: string, spec: object, labels: object = {}): object {
  return { apiVersion: 'korproxy.dev/v1alpha1', kind, metadata: { name, labels }, spec }
}
const openAi = (name: string, secret: string) =>
  manifest('ProviderAccount', name, { provider: 'OpenAI', auth: { secretKeyRef: { name: secret } } })
const secret = (name: string, apiKey: string, labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, labels },
  stringData: { apiKey },
})
const WATCHED = { 'korproxy.dev/credential': 'true' }

interface Rig {
  readonly source: KubernetesSource
  readonly told: { readonly set: KubernetesSet; readonly urgent: boolean }[]
  apply(...objects: readonly object[]): Promise<void>
  kubectl(...args: readonly string[]): ReturnType<ControlPlane['kubectl']>
  until(holds: (set: KubernetesSet) => boolean): Promise<KubernetesSet>
}

async function rig(t: Test, ...objects: readonly object[]): Promise<Rig> {
  return rigIn(t, await plane.namespace(t), { kubeconfigPath: plane.kubeconfigPath, objects })
}

async function rigIn(
  t: Test,
  namespace: string,
  { kubeconfigPath, objects }: { readonly kubeconfigPath: string; readonly objects: readonly object[] },
): Promise<Rig> {
  const kubectl = async (...args: readonly string[]) => plane.kubectl(['-n', namespace, ...args])
  const apply = async (...more: readonly object[]): Promise<void> => {
    const items = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: more })
    const { code, stderr } = await plane.kubectl(['-n', namespace, 'apply', '--server-side', '-f', '-'], items)
    if (code !== 0) throw new Error(stderr)
  }
  await apply(...objects)
  const client = new ApiClient(openConnection({ kubeconfigPath }))
  const told: { set: KubernetesSet; urgent: boolean }[] = []
  const source = new KubernetesSource({
    client,
    world: SYSTEM_TIME_AND_CHANCE,
    namespaces: [namespace],
    log: { warn: (details, message) => t.comment(message, details) },
    onChange: (set, { urgent }) => told.push({ set, urgent }),
  })
  t.teardown(async () => {
    await source.close()
    await client.close()
  })
  await source.start()
  const until = async (holds: (set: KubernetesSet) => boolean): Promise<KubernetesSet> => {
    while (!holds(source.current())) await sleep(10)
    return source.current()
  }
  return { source, told, apply, kubectl, until }
}

const names = ({ resources }: KubernetesSet) =>
  resources.map(({ kind, metadata }) => `${kind}/${metadata.name}`).toSorted()
const keys = ({ secrets }: KubernetesSet) => secrets.map(({ name, data }) => `${name}=${data['apiKey']}`)

t.test('R4.2 resources and the Secrets they name, and no others', async (t) => {
  const { source, told } = await rig(
    t,
    openAi('a', 'labelled'),
    openAi('b', 'plain'),
    openAi('c', 'missing'),
    secret('labelled', 'k1', WATCHED),
    secret('plain', 'k2'),
    secret('unused', 'k3', WATCHED),
    manifest('RoutingProfile', 'work', { defaultProviderGroup: { name: 'g' } }),
  )
  const set = source.current()
  t.strictSame(names(set), ['ProviderAccount/a', 'ProviderAccount/b', 'ProviderAccount/c', 'RoutingProfile/work'])
  t.strictSame(keys(set), ['labelled=k1', 'plain=k2'])
  t.strictSame(set.problems, [])
  t.strictSame(told, [])
  t.equal(source.stale, false)
  t.match(set.secrets[0], { uid: /^[0-9a-f-]{36}$/, resourceVersion: /^\d+$/ })
  t.match(source.objects()[0], { generation: 1, uid: /^[0-9a-f-]{36}$/ })
})

t.test('R4.2 a rotated credential, a Secret that comes later, one that loses its label', async (t) => {
  const { apply, until, kubectl, told } = await rig(t, openAi('a', 'key'), secret('key', 'k1', WATCHED))
  await apply(secret('key', 'k2', WATCHED))
  await until((set) => keys(set).includes('key=k2'))
  await apply(openAi('b', 'late'))
  await until((set) => names(set).includes('ProviderAccount/b'))
  await apply(secret('late', 'k3', WATCHED))
  await until((set) => keys(set).includes('late=k3'))
  await kubectl('label', 'secret', 'key', 'korproxy.dev/credential-')
  await apply(manifest('ProviderAccount', 'mark', { provider: 'Mock' }))
  await until((set) => names(set).includes('ProviderAccount/mark'))
  await apply(openAi('d', 'plain'), secret('plain', 'k4'))
  await until((set) => keys(set).includes('plain=k4'))
  t.ok(
    told.every(({ set }) => keys(set).some((key) => key.startsWith('key='))),
    'the account was never without its key',
  )
})

t.test('R4.2 labels, changes and deletions count', async (t) => {
  const { apply, until, kubectl, source } = await rig(t, manifest('ProviderAccount', 'a', { provider: 'Mock' }))
  await kubectl('label', 'pacct', 'a', 'tier=paid')
  await until(({ resources }) => resources[0]?.metadata.labels['tier'] === 'paid')
  await apply(manifest('ProviderAccount', 'a', { provider: 'Mock', displayName: 'Other' }))
  await until(({ resources }) => resources[0]?.metadata.generation === 2)
  await kubectl('delete', 'pacct', 'a')
  await until(({ resources }) => resources.length === 0)
  t.strictSame(source.objects(), [])
})

t.test('R4.4 our own writing of status is no change; R1.5 a switch of profile is urgent', async (t) => {
  const config = (name: string) => manifest('GatewayConfig', 'default', { activeProfileRef: { name } })
  const { told, apply, until, kubectl, source } = await rig(t, config('work'))
  const observed = await kubectl(
    'patch',
    'kpgw',
    'default',
    '--subresource=status',
    '--type=merge',
    '-p',
    '{"status":{"activeProfile":"work"}}',
  )
  t.equal(observed.code, 0, observed.stderr)
  while (JSON.stringify(source.objects()[0]?.status) !== '{"activeProfile":"work"}') await sleep(10)
  t.strictSame(told, [])
  await apply(config('home'))
  await until(({ resources }) => resources[0]?.metadata.generation === 2)
  t.strictSame(
    told.map(({ urgent }) => urgent),
    [true],
  )
})

t.test('R5.1 a Role that may read Secrets by name, and nothing else of them, is enough', async (t) => {
  const namespace = await plane.namespace(t)
  const kubeconfigPath = await serviceAccount(t, plane, namespace, [
    { apiGroups: ['korproxy.dev'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['mine'], verbs: ['get'] },
  ])
  const objects = [openAi('a', 'mine'), openAi('b', 'theirs'), secret('mine', 'k1', WATCHED), secret('theirs', 'k2')]
  const { source, apply, until } = await rigIn(t, namespace, { kubeconfigPath, objects })
  t.strictSame(keys(source.current()), ['mine=k1'])
  await apply(manifest('ProviderAccount', 'c', { provider: 'Mock' }))
  await until((set) => names(set).includes('ProviderAccount/c'))
  t.strictSame(keys(source.current()), ['mine=k1'])
})
