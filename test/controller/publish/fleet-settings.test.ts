import t, { type Test } from 'tap'
import { compile } from '../../../src/compile/compile.ts'
import { FleetSettings } from '../../../src/controller/publish/fleet-settings.ts'
import type { Resource } from '../../../src/resources/resource.ts'
import type { RoutingTable } from '../../../src/table/routing-table.ts'
import { manifestSet, sha256 } from '../../helpers/controller-rig.ts'

interface Wanted {
  readonly displayName?: string
  /** `spec` of the namespace's GatewayConfig. */
  readonly config?: string
  readonly clientKey?: string
}

async function configured(
  t: Test,
  namespaces: Readonly<Record<string, Wanted>>,
): Promise<{ readonly resources: readonly Resource[]; readonly table: RoutingTable }> {
  const text = Object.entries(namespaces).map(([namespace, { displayName = 'A', config, clientKey = 'key' }]) => {
    const account = `
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: a, namespace: ${namespace}}
spec: {provider: Mock, displayName: ${displayName}}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: c, namespace: ${namespace}}
spec: {credentials: [{name: key, sha256: ${sha256(`${namespace} ${clientKey}`)}}]}
---`
    if (config === undefined) return account
    return `${account}
apiVersion: korproxy.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default, namespace: ${namespace}}
spec: ${config}
---`
  })
  const set = await manifestSet(t, text.join(''))
  return { resources: set.resources, table: compile(set, { defaultNamespace: 'home', sha256 }).table }
}

const CANARY = '{rollout: {strategy: Canary, canary: {gateways: 2, observe: 1m}}}'

t.test('R4.2 a change is tried as the namespaces want it that it belongs to', async (t) => {
  const before = await configured(t, { home: {}, careful: { config: CANARY }, other: {} })
  const plan = async (namespaces: Readonly<Record<string, Wanted>>) => {
    const after = await configured(t, namespaces)
    return new FleetSettings(after.resources, 'home').canaryPlan(before.table, after.table)
  }
  const careful = { config: CANARY }
  t.equal(await plan({ home: {}, careful, other: {} }), undefined, 'nothing changed')
  t.equal(await plan({ home: {}, careful, other: { displayName: 'B' } }), undefined)
  const own = { gateways: 2, observeMs: 60_000 }
  t.strictSame(await plan({ home: {}, careful: { ...careful, displayName: 'B' }, other: {} }), own)
  t.strictSame(await plan({ home: {}, careful: { ...careful, clientKey: 'new' }, other: {} }), own)
  const both = { careful: { ...careful, displayName: 'B' }, other: { displayName: 'B' } }
  t.strictSame(await plan({ home: {}, ...both }), own)
})

t.test("R4.2 the gateways' own namespace speaks for those without a GatewayConfig", async (t) => {
  const home = { config: CANARY }
  const before = await configured(t, { home, bold: { config: '{}' }, other: {} })
  const plan = async (namespaces: Readonly<Record<string, Wanted>>) => {
    const after = await configured(t, namespaces)
    return new FleetSettings(after.resources, 'home').canaryPlan(before.table, after.table)
  }
  t.match(await plan({ home, bold: { config: '{}' }, other: { displayName: 'B' } }), { gateways: 2 })
  t.equal(await plan({ home, bold: { config: '{}', displayName: 'B' }, other: {} }), undefined)
})

t.test('the gateways log as their own namespace says, or as any other that wants most', async (t) => {
  const level = async (namespaces: Readonly<Record<string, Wanted>>) =>
    new FleetSettings((await configured(t, namespaces)).resources, 'home').logLevel
  const says = (name: string) => ({ config: `{logging: {level: ${name}}}` })
  t.equal(await level({ home: {}, other: {} }), 'info')
  t.equal(await level({ home: says('warn'), other: says('debug') }), 'warn')
  t.equal(await level({ home: {}, one: says('error'), other: says('warn') }), 'warn')
})
