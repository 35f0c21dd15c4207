import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type GatewayRole, type GatewayRoleOptions, startGatewayRole } from '../../src/cli/gateway-role.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { AccessLog } from '../../src/telemetry/access-log.ts'
import { manifestSet, readableLog } from '../helpers/controller-rig.ts'
import { type HttpsController, startHttpsController } from '../helpers/https-controller.ts'
import { scratch, waitFor } from '../helpers/stack.ts'

const HINT = { urgent: true, highWater: {} }

function objects(simulator: string, namespace: string): string {
  return `
apiVersion: korproxy.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default, namespace: ${namespace}}
spec: {clientAuth: {mode: Disabled}}
---
apiVersion: v1
kind: Secret
metadata: {name: a, namespace: ${namespace}}
stringData: {apiKey: sk-${namespace}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: a, namespace: ${namespace}}
spec: {provider: OpenAI, baseURL: "${simulator}/v1", auth: {secretKeyRef: {name: a}}}
---`
}

async function start(
  t: Test,
  server: HttpsController,
  namespace: string,
  options: Pick<GatewayRoleOptions, 'accessLog'> = {},
): Promise<GatewayRole> {
  const tokenPath = join(scratch(t), 'token')
  writeFileSync(tokenPath, 'token-gateway-0')
  return startGatewayRole({
    name: 'gateway-0',
    namespace,
    host: '127.0.0.1',
    port: 0,
    statusPort: 0,
    controllerUrl: server.url,
    tokenPath,
    authorityPath: server.authorityPath,
    privateAddresses: 'Allow',
    loggers: readableLog().logger,
    ...options,
  })
}

const probe = async ({ statusPort }: GatewayRole, path: string): Promise<number> =>
  (await fetch(`http://127.0.0.1:${statusPort}${path}`)).status

const chat = (url: string, stream: boolean): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5', stream, messages: [{ role: 'user', content: 'hello' }] }),
  })

t.test('R4.5 a gateway is not ready before its first table and while it drains, and lets streams end', async (t) => {
  const simulator = await startSimulator({ chunks: 20, gapMs: 50 })
  t.teardown(() => simulator.close())
  const server = await startHttpsController(t)
  const role = await start(t, server, 'default')
  t.equal(await probe(role, '/livez'), 200)
  t.equal(await probe(role, '/readyz'), 503)
  t.equal(await probe(role, '/nothing'), 404)
  t.equal((await chat(role.url, false)).headers.get('x-korproxy-error'), 'KP-SYS-503')

  server.controller.configure(await manifestSet(t, objects(simulator.url, 'default')), HINT)
  t.equal(
    await waitFor(
      () => probe(role, '/readyz'),
      (status) => status === 200,
    ),
    200,
  )
  t.match(
    await (await fetch(`http://127.0.0.1:${role.statusPort}/metrics`)).text(),
    /korproxy_config_info\{version="sha256:/,
  )
  const { url } = role
  const stream = await chat(url, true)
  const drained = role.drain(5_000)
  t.equal(await probe(role, '/readyz'), 503)
  t.match(await stream.text(), /data: \[DONE\]\n\n$/)
  await drained
  await t.rejects(chat(url, false))
})

t.test('gateways of one controller serve different namespaces', async (t) => {
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const server = await startHttpsController(t)
  const both = `${objects(simulator.url, 'default')}${objects(simulator.url, 'team-a')}`
  server.controller.configure(await manifestSet(t, both), HINT)
  const directory = scratch(t)
  const accessLog = new AccessLog({ directory, log: { error: (fields) => t.fail(JSON.stringify(fields)) } })
  const role = await start(t, server, 'team-a', { accessLog })
  await waitFor(
    () => role.gateway.ready,
    (ready) => ready,
  )
  t.equal((await chat(role.url, false)).status, 200)
  t.equal(role.gateway.table?.defaultTenant.tenant.name, 'team-a')
  await role.close()
  const [file = ''] = readdirSync(directory)
  t.match(JSON.parse(readFileSync(join(directory, file), 'utf8')), { tenant: 'team-a', status: 200 }, 'R7.6 logged')
})
