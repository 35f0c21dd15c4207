import t from 'tap'
import { controlPlane } from '../helpers/control-plane.ts'
import { eventually } from '../helpers/eventually.ts'
import { type FleetRig, startFleetRig } from './fleet-rig.ts'
import { failureOf, startTraffic } from './traffic.ts'

function list(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
}

function object(kind: string, name: string, spec: object): object {
  return { apiVersion: 'korproxy.dev/v1alpha1', kind, metadata: { name }, spec }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at)
}

/** 50 × 32 × 63 patterns. */
const GLOBS = numbers(50).map((catalog) => {
  const families = numbers(32).map((family) => ({
    name: `f-${catalog}-${family}`,
    patterns: numbers(63).map((at) => `m-${catalog}-${family}-${at}-*`),
  }))
  return object('ModelCatalog', `catalog-${catalog}`, { families })
})

async function apply({ fleet }: FleetRig, items: readonly object[]): Promise<void> {
  for (let at = 0; at < items.length; at += 5) {
    await fleet.kubectl(['apply', '--server-side', '--filename', '-'], list(items.slice(at, at + 5)))
  }
}

t.test('F26 what gateways could not take is refused with a reason, and they serve on', async (t) => {
  const plane = await controlPlane()
  t.setTimeout(240_000)
  const rig = await startFleetRig(t, plane)
  const { fleet, becomes, field, namespace } = rig
  const controller = await fleet.startController('controller-0')
  const gateway = await fleet.startGateway('gateway-0')
  t.match(await becomes('routingprofile/work', /^True Programmed/), 'True Programmed')
  const traffic = startTraffic(gateway.url)
  t.teardown(() => traffic.stop())
  const messageOf = (name: string): Promise<string> =>
    field(name, '{.status.conditions[?(@.type=="Programmed")].message}')

  await t.test('100,000 globs', async (t) => {
    await apply(rig, GLOBS)
    t.match(await becomes('modelcatalog/catalog-49', /^False TableWithheld/), 'False TableWithheld')
    t.match(await messageOf('modelcatalog/catalog-49'), /^KP-CONF-214 .* The last good table stays in use\.$/)
    t.match(
      await becomes('routingprofile/work', /^True Programmed/),
      'True Programmed',
      'what it does not touch stays live',
    )
    const path = 'jsonpath={range .items[*]}{.reason}/{.involvedObject.name} {end}'
    const events = () => fleet.kubectl(['get', 'events', '--output', path])
    t.match(await eventually(events, (text) => text.includes('TableWithheld')), /TableWithheld\/catalog-/)
    await fleet.kubectl(['delete', 'modelcatalogs', '--all'])
  })

  await t.test('references to nothing, to themselves and blank ones', async (t) => {
    const group = (fallback: string): object =>
      object('ProviderGroup', fallback === 'ring-b' ? 'ring-a' : 'ring-b', {
        accountRefs: [{ name: 'openai' }],
        fallbackGroupRefs: [{ name: fallback }],
      })
    await apply(rig, [
      group('ring-a'),
      group('ring-b'),
      object('ProviderGroup', 'lost', { accountRefs: [{ name: 'nobody' }] }),
    ])
    const refs = (name: string) => () =>
      field(`providergroup/${name}`, '{.status.conditions[?(@.type=="ResolvedRefs")].reason}')
    const reasons = () => Promise.all(['ring-a', 'ring-b', 'lost'].map((name) => refs(name)()))
    t.strictSame(
      (await eventually(reasons, (found) => found.includes('CyclicReference') && found[2] !== ''))[2],
      'ReferenceNotFound',
    )
    const blank = list([object('ProviderGroup', 'blank', { accountRefs: [{ name: '' }] })])
    const refused = await plane.kubectl(['--namespace', namespace, 'apply', '--server-side', '--filename', '-'], blank)
    t.match(refused, { code: 1, stderr: /accountRefs\[0\]\.name/ })
    await fleet.kubectl(['delete', 'providergroups', 'ring-a', 'ring-b', 'lost'])
  })

  await fleet.kubectl([
    'patch',
    'provideraccount',
    'openai',
    '--type=merge',
    '--patch',
    '{"spec":{"displayName":"Well again"}}',
  ])
  t.match(await becomes('provideraccount/openai', /^True Programmed 2/), 'True Programmed 2')
  await traffic.stop()
  t.strictSame(traffic.failures, [])
  t.equal(await failureOf(gateway.url), undefined)
  t.strictSame([controller.process.running, gateway.process.running], [true, true])
  t.strictSame([...controller.process.stray, ...gateway.process.stray], [])
})

t.test('R4.4 a pod that never connects is missed; R2.8 health is reset by annotation', async (t) => {
  const plane = await controlPlane()
  const { fleet, becomes, field } = await startFleetRig(t, plane)
  await fleet.startController('controller-0')
  const gateway = await fleet.startGateway('gateway-0')
  t.match(await becomes('routingprofile/work', /^True Programmed/), 'True Programmed')
  const endpoint = (name: string): object => ({ addresses: ['10.0.0.1'], targetRef: { kind: 'Pod', name } })
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'gateways', labels: { 'kubernetes.io/service-name': 'korproxy-gateway' } },
    addressType: 'IPv4',
    endpoints: [endpoint('gateway-0'), endpoint('gateway-1')],
  }
  await fleet.kubectl(['apply', '--server-side', '--filename', '-'], JSON.stringify(slice))
  t.match(await becomes('routingprofile/work', /^False GatewaysLagging/), 'False GatewaysLagging')
  t.equal(await field('routingprofile/work', '{.status.programmedGateways}'), '1/2')

  await fleet.kubectl(['annotate', 'provideraccount', 'openai', 'korproxy.dev/reset-health=now'])
  const told = await gateway.process.logged('command of the controller', ({ command }) => command === 'health-reset')
  t.equal(told.component, 'table-client')
  const events = () => fleet.kubectl(['get', 'events', '--output', 'jsonpath={.items[*].reason}'])
  t.match(await eventually(events, (text) => text.includes('HealthReset')), /HealthReset/)
})
