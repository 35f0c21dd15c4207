import t from 'tap'
import { ApiClient } from '../../../src/controller/kube/api-client.ts'
import { openConnection } from '../../../src/controller/kube/connection.ts'
import { SYSTEM_TIME_AND_CHANCE } from '../../../src/controller/kube/time-and-chance.ts'
import type { RosterEntry } from '../../../src/controller/publish/gateway-roster.ts'
import { preparePublication } from '../../../src/controller/publish/publication.ts'
import { TableHistory } from '../../../src/controller/publish/status-facts.ts'
import { GatewayPods } from '../../../src/controller/sources/gateway-pods.ts'
import { controlPlane } from '../../helpers/control-plane.ts'
import { manifests, sha256, tableOf } from '../../helpers/controller-rig.ts'
import { eventually } from '../../helpers/eventually.ts'
import { serviceAccount } from '../kube/service-account.ts'

function slice(name: string, service: string, endpoints: readonly object[]): object {
  const metadata = { name, labels: { 'kubernetes.io/service-name': service } }
  return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, addressType: 'IPv4', endpoints }
}

function endpoint(name: string, conditions: object): object {
  return { addresses: ['10.0.0.1'], conditions, targetRef: { kind: 'Pod', name } }
}

t.test('R4.4 the pods of the gateways are those behind their Service, ready or not, that are not ending', async (t) => {
  const plane = await controlPlane()
  const namespace = await plane.namespace(t)
  const apply = async (...slices: readonly object[]): Promise<void> => {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: slices })
    const { code, stderr } = await plane.kubectl(['--namespace', namespace, 'apply', '--filename', '-'], list)
    if (code !== 0) throw new Error(stderr)
  }
  const open = (kubeconfigPath: string, troubles: unknown[]): GatewayPods => {
    const client = new ApiClient(openConnection({ kubeconfigPath }))
    const stop = new AbortController()
    const pods = new GatewayPods({
      client,
      world: SYSTEM_TIME_AND_CHANCE,
      namespace,
      service: 'korproxy-gateway',
      onChange: () => {},
      onTrouble: (error) => troubles.push(error),
    })
    const running = pods.run(stop.signal)
    t.teardown(async () => {
      stop.abort()
      await running
      await client.close()
    })
    return pods
  }
  const pods = open(plane.kubeconfigPath, [])
  t.equal(pods.current(), undefined, 'no Service, no opinion')
  await apply(
    slice('one', 'korproxy-gateway', [endpoint('gw-a', { ready: true }), endpoint('gw-b', { ready: false })]),
    slice('two', 'korproxy-gateway', [endpoint('gw-c', { ready: false, serving: true, terminating: true })]),
    slice('three', 'another', [endpoint('other', { ready: true })]),
  )
  const names = () => [...(pods.current() ?? [])].toSorted()
  t.strictSame(await eventually(names, ({ length }) => length === 2), ['gw-a', 'gw-b'])

  const troubles: unknown[] = []
  const blind = open(await serviceAccount(t, plane, namespace, []), troubles)
  t.match(
    await eventually(
      () => troubles,
      ({ length }) => length > 0,
    ),
    [{ status: 403 }],
  )
  t.equal(blind.current(), undefined, 'without the right to look it counts those that are connected')
})

t.test('R4.4 a pod that never connected is missed, one that was deleted is not', async (t) => {
  const history = new TableHistory(sha256)
  const table = await tableOf(t, manifests())
  const publication = preparePublication({ table, highWater: {}, urgent: false }, sha256)
  if ('reason' in publication) throw new Error(publication.reason)
  history.add(publication, [])
  const entry = (name: string, connected: boolean): RosterEntry => ({
    ...{ name, connected, local: connected, runs: table.version },
    ...{ bootId: undefined, image: undefined, verdict: undefined, report: undefined },
  })
  const roster = [entry('gw-a', true), entry('gw-left', false), entry('gw-outside', true)]
  const shown = (pods: ReadonlySet<string> | undefined) =>
    history.programmed(table, roster, pods).gateways.map(({ name, connected }) => `${name} ${connected}`)
  t.strictSame(shown(undefined), ['gw-a true', 'gw-left false', 'gw-outside true'])
  t.strictSame(shown(new Set(['gw-a', 'gw-new'])), ['gw-a true', 'gw-outside true', 'gw-new false'])
})
