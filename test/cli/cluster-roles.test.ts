import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { controlPlane } from '../helpers/control-plane.ts'
import { eventually } from '../helpers/eventually.ts'
import { startRoles } from './cluster-rig.ts'

const KEY = 'kp-test-key'

function resources(simulator: string): string {
  return `
apiVersion: v1
kind: Secret
metadata: {name: account, labels: {korproxy.dev/credential: "true"}}
stringData: {apiKey: sk-one}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: one}
spec:
  provider: OpenAI
  baseURL: "${simulator}/v1"
  auth: {secretKeyRef: {name: account}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: pool}
spec: {accountRefs: [{name: one}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: work}
spec: {defaultProviderGroup: {name: pool}}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: ci}
spec:
  credentials: [{name: key, sha256: ${createHash('sha256').update(KEY).digest('hex')}}]
`
}

t.test('R4.2 R4.4 R4.5 from resources on a real API server to live gateways, and back as status', async (t) => {
  const plane = await controlPlane()
  const namespace = await plane.namespace(t)
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const kubectl = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await plane.kubectl(['--namespace', namespace, ...args], stdin)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  await kubectl(['apply', '--server-side', '--filename', '-'], resources(simulator.url))

  const { controller, gateway, folder, log } = await startRoles(t, { plane, namespace })
  const probe = async (port: number, path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).status
  t.equal(
    await eventually(
      () => probe(gateway.statusPort, '/readyz'),
      (status) => status === 200,
    ),
    200,
  )
  t.equal(await probe(controller.statusPort, '/readyz'), 200)
  const ask = async (model: string): Promise<{ status: number; model: string }> => {
    const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    })
    const body = (await reply.json()) as { model: string }
    return { status: reply.status, model: body.model }
  }
  t.strictSame(await ask('gpt-5'), { status: 200, model: 'gpt-5' })
  t.equal((await fetch(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${KEY}` } })).status, 404)

  await kubectl(['wait', '--for=condition=Programmed', '--timeout=20s', 'routingprofile/work', 'provideraccount/one'])
  t.match(await kubectl(['get', 'routingprofile', 'work', '--output', 'jsonpath={.status.programmedGateways}']), '1/1')

  const patch = '{"spec":{"models":{"aliases":[{"name":"smart","upstream":"gpt-5-pro"}]}}}'
  await kubectl(['patch', 'provideraccount', 'one', '--type=merge', '--patch', patch])
  t.strictSame(
    await eventually(
      () => ask('smart'),
      ({ model }) => model === 'gpt-5-pro',
    ),
    { status: 200, model: 'gpt-5-pro' },
  )

  await kubectl(['patch', 'secret', 'account', '--type=merge', '--patch', '{"stringData":{"apiKey":"sk-two"}}'])
  const credential = (): unknown => gateway.gateway.registry.find(namespace, 'one')?.credential
  const live = await eventually(credential, (found) => JSON.stringify(found).includes('sk-two'))
  t.match(live, { type: 'APIKey', apiKey: 'sk-two' }, 'a rotated key is live without a restart')

  t.match(
    await (await fetch(`http://127.0.0.1:${controller.statusPort}/metrics`)).text(),
    /korproxy_controller_leader 1/,
  )
  t.ok(
    await eventually(
      async () => (await plane.kubectl(['--namespace', namespace, 'get', 'secret', 'korproxy-last-good'])).code === 0,
      (exists) => exists,
    ),
    'the last good table is kept in its Secret',
  )
  await controller.drain()
  t.equal(await kubectl(['get', 'lease', 'korproxy-controller', '--output', 'jsonpath={.spec.holderIdentity}']), '')
  t.strictSame(await ask('smart'), { status: 200, model: 'gpt-5-pro' }, 'it serves on without a controller')
  t.ok(existsSync(join(folder, 'table', 'snapshot.gz')))
  t.notMatch(log(), /sk-one|sk-two/, 'no credential in any log')
})
