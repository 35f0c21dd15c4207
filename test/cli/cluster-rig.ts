import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createControllerRole } from '../../src/cli/controller-role.ts'
import type { ControllerRole } from '../../src/cli/controller-role-options.ts'
import { startGatewayRole } from '../../src/cli/gateway-role.ts'
import type { ControlPlane } from '../helpers/control-plane.ts'
import { readableLog } from '../helpers/controller-rig.ts'
import { scratch } from '../helpers/stack.ts'

const PODS = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: korproxy-gateway}
---
apiVersion: v1
kind: Pod
metadata: {name: gateway-0}
spec:
  serviceAccountName: korproxy-gateway
  containers: [{name: gateway, image: none.example/none}]
`

export interface Roles {
  readonly controller: Pick<ControllerRole, 'statusPort' | 'drain'>
  readonly gateway: Awaited<ReturnType<typeof startGatewayRole>>
  /** What the gateway keeps: its token, the certificate of the controller, `table/`. */
  readonly folder: string
  /** What both have logged. */
  readonly log: () => string
}

/** A controller for one namespace of a real API server and a gateway, both in this process, as their pods run them. */
export async function startRoles(
  t: Test,
  { plane, namespace }: { readonly plane: ControlPlane; readonly namespace: string },
): Promise<Roles> {
  const kubectl = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await plane.kubectl(['--namespace', namespace, ...args], stdin)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  await kubectl(['apply', '--server-side', '--filename', '-'], PODS)
  const folder = scratch(t)
  const { logger: controllerLog, text: controllerText } = readableLog()
  const controller = createControllerRole({
    name: 'controller-0',
    podIp: '127.0.0.1',
    namespace,
    watchNamespaces: [namespace],
    host: '127.0.0.1',
    port: 0,
    statusPort: 0,
    service: 'korproxy-controller',
    gatewayServiceAccount: 'korproxy-gateway',
    lease: 'korproxy-controller',
    lastGoodSecret: 'korproxy-last-good',
    tls: { kind: 'OwnAuthority', secret: 'korproxy-ca', configMap: 'korproxy-ca' },
    kubeconfigPath: plane.kubeconfigPath,
    loggers: controllerLog,
  })
  let draining: Promise<void> | undefined
  const drain = async (): Promise<void> => {
    draining ??= controller.drain()
    await draining
  }
  t.teardown(drain)
  await controller.start()

  const authorityPath = join(folder, 'ca.crt')
  writeFileSync(
    authorityPath,
    await kubectl(['get', 'configmap', 'korproxy-ca', '--output', 'jsonpath={.data.ca\\.crt}']),
  )
  const tokenPath = join(folder, 'token')
  const bound = ['--bound-object-kind=Pod', '--bound-object-name=gateway-0']
  writeFileSync(
    tokenPath,
    await kubectl(['create', 'token', 'korproxy-gateway', '--audience=korproxy-controller', ...bound]),
  )
  const { logger: gatewayLog, text: gatewayText } = readableLog()
  const gateway = await startGatewayRole({
    name: 'gateway-0',
    namespace,
    host: '127.0.0.1',
    port: 0,
    statusPort: 0,
    controllerUrl: `https://127.0.0.1:${controller.port}`,
    tokenPath,
    authorityPath,
    tableDirectory: join(folder, 'table'),
    privateAddresses: 'Allow',
    loggers: gatewayLog,
  })
  t.teardown(() => gateway.close())
  return {
    controller: { statusPort: controller.statusPort, drain },
    gateway,
    folder,
    log: () => controllerText() + gatewayText(),
  }
}
