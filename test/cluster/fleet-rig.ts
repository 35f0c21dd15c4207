import type { Test } from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'
import type { ControlPlane } from '../helpers/control-plane.ts'
import { eventually } from '../helpers/eventually.ts'
import { scratch } from '../helpers/stack.ts'
import { Fleet } from './fleet.ts'

/** Busy machines are slow; a test that waits in vain fails all the same. */
const PATIENCE_MS = 60_000

export interface FleetRig {
  readonly fleet: Fleet
  readonly namespace: string
  /** `Programmed` of an object of this kind and name: status, reason, generation; empty while there is none. */
  programmed(object: string): Promise<string>
  /** Waits until that is as wanted; gives what it was last. */
  becomes(object: string, wanted: RegExp): Promise<string>
  /** One field by JSONPath. */
  field(object: string, path: string): Promise<string>
}

/** A fleet that serves one account, `openai`, of a simulated provider; requests need no key. Nobody has been started yet. */
export async function startFleetRig(t: Test, plane: ControlPlane): Promise<FleetRig> {
  const namespace = await plane.namespace(t)
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const fleet = new Fleet({ plane, namespace, folder: scratch(t) })
  await fleet.open()
  t.teardown(() => fleet.close())
  await fleet.kubectl(['apply', '--server-side', '--filename', '-'], objects(simulator.url))
  const field: FleetRig['field'] = (object, path) => fleet.kubectl(['get', object, '--output', `jsonpath=${path}`])
  const condition = (name: string): string => `{.status.conditions[?(@.type=="Programmed")].${name}}`
  const programmed: FleetRig['programmed'] = (object) =>
    field(object, `${condition('status')} ${condition('reason')} ${condition('observedGeneration')}`)
  return {
    fleet,
    namespace,
    field,
    programmed,
    becomes: (object, wanted) =>
      eventually(
        () => programmed(object),
        (found) => wanted.test(found),
        PATIENCE_MS,
      ),
  }
}

function objects(simulator: string): string {
  return `
apiVersion: v1
kind: Secret
metadata: {name: account, labels: {korproxy.dev/credential: "true"}}
stringData: {apiKey: sk-one}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: openai}
spec: {provider: OpenAI, baseURL: "${simulator}/v1", auth: {secretKeyRef: {name: account}}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: pool}
spec: {accountRefs: [{name: openai}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: work}
spec: {defaultProviderGroup: {name: pool}}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default}
spec: {clientAuth: {mode: Disabled}}
`
}
