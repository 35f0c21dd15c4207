import { createHash } from 'node:crypto'
import t from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { startRoles } from './cluster-rig.ts'
import { clusterUser } from './cluster-user.ts'

// Each waits more than it computes.
t.jobs = 2

const KEY = 'kp-test-key'

function objects(simulator: string): string {
  return `
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: one}
spec: {provider: Mock, baseURL: "${simulator}", models: {list: [gpt-5]}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: pool}
spec: {accountRefs: [{name: one}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: work}
spec:
  defaultProviderGroup: {name: pool}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: weekend}
spec:
  displayName: Weekend
  rules: [{name: all, modelOverride: gpt-5-mini, providerGroups: [{name: pool}]}]
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: ci}
spec:
  credentials: [{name: key, sha256: ${createHash('sha256').update(KEY).digest('hex')}}]
`
}

t.test(
  'R10.1 what is applied is live, is stuck, is live again; a profile is switched for the next request',
  async (t) => {
    const user = await clusterUser(t)
    const simulator = await startSimulator()
    t.teardown(() => simulator.close())
    await user.apply(objects(simulator.url))
    const { gateway } = await startRoles(t, user)
    const live = await user.cli('status', '--wait', '30')
    t.match(live, { code: 0, out: /\nObjects {5}all 5 live\n$/ })

    const reference = (name: string) =>
      user.kubectl(
        'patch',
        'providergroup/pool',
        '--type=merge',
        '--patch',
        `{"spec":{"accountRefs":[{"name":"one"},{"name":"${name}"}]}}`,
      )
    await reference('nobody')
    let stuck = await user.cli('status')
    for (let tries = 0; tries < 50 && !stuck.out.includes('stuck'); tries += 1) stuck = await user.cli('status')
    t.equal(stuck.code, 1)
    t.match(
      stuck.out,
      /\nProviderGroup +pool +2 +stuck +\S+ +ResolvedRefs +KP-CONF-207 spec\.accountRefs\[1\]\.name: ProviderAccount nobody does not exist\.\n/,
    )
    await user.kubectl(
      'patch',
      'providergroup/pool',
      '--type=merge',
      '--patch',
      '{"spec":{"accountRefs":[{"name":"one"}]}}',
    )
    t.match(await user.cli('status', '--wait', '30'), { code: 0 })

    const model = async (): Promise<string> => {
      const reply = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: 'hello' }] }),
      })
      return ((await reply.json()) as { model: string }).model
    }
    t.strictSame(await user.cli('profile', 'switch', 'weekend', '--wait', '30'), {
      code: 0,
      out: `${user.namespace}: weekend is the active profile by GatewayConfig default, live on 1/1 gateways (before: default).\n`,
      err: '',
    })
    t.equal(await model(), 'gpt-5-mini')
    const json = JSON.parse((await user.cli('profile', 'switch', 'work', '--wait', '30', '-o', 'json')).out)
    t.strictSame(json, {
      namespace: user.namespace,
      profile: 'work',
      before: 'weekend',
      config: 'default',
      progress: { state: 'live', gateways: '1/1' },
    })
    t.equal(await model(), 'gpt-5')

    const { out } = await user.cli('profile', 'list')
    t.match(out, / work +work +yes +0 +pool +live +1\/1 +-\n/)
    t.match(out, / weekend +Weekend +no +1 +- +live +1\/1 +-\n/)
    t.match(await user.cli('provider', 'list'), { code: 0, out: / one +Mock +Enabled +available +- +- +-\n/ })
  },
)

t.test('R10.1 a profile that does not exist is told with the one that was meant, and nothing changes', async (t) => {
  const user = await clusterUser(t)
  await user.apply(objects('http://127.0.0.1:9'))
  const { code, out, err } = await user.cli('profile', 'switch', 'weekand')
  t.equal(code, 1)
  t.equal(out, '')
  t.match(err, /^korproxy: KP-CONF-219 Profile weekand \(did you mean weekend\?\) does not exist\.\n/)
  t.equal(await user.kubectl('get', 'gatewayconfigs', '--output=name'), '')
})

t.test('without a controller a switch is not live, and says so', async (t) => {
  const user = await clusterUser(t)
  await user.apply(objects('http://127.0.0.1:9'))
  const { code, out, err } = await user.cli('profile', 'switch', 'weekend', '--wait', '1')
  t.equal(code, 1)
  t.match(out, 'weekend is the active profile by GatewayConfig default (before: default).\n')
  t.equal(err, 'Not live after 1 s: Observed: No controller has looked at it yet.\n')
  t.match(await user.cli('profile', 'switch', 'weekend', '--wait', '0'), {
    code: 0,
    out: / \(as before\)\.\n$/,
    err: '',
  })
})

t.test('a switch changes the GatewayConfig that counts, and tells who else writes it', async (t) => {
  const user = await clusterUser(t)
  const config = (name: string, labels = '{}'): string => `
apiVersion: korproxy.dev/v1alpha1
kind: GatewayConfig
metadata: {name: ${name}, labels: ${labels}}
spec: {clientAuth: {mode: Required}}
---`
  await user.apply(`${objects('http://127.0.0.1:9')}---${config('only', '{app.kubernetes.io/managed-by: Helm}')}`)
  const switched = await user.cli('profile', 'switch', 'weekend', '--wait', '0')
  t.match(switched.out, 'weekend is the active profile by GatewayConfig only (before: default).\n')
  t.equal(switched.err, 'GatewayConfig only is managed by Helm, which may set it back: change it there too.\n')
  t.equal(
    await user.kubectl(
      'get',
      'gatewayconfig/only',
      '--output=jsonpath={.spec.activeProfileRef.name} {.spec.clientAuth.mode}',
    ),
    'weekend Required',
  )
  await user.apply(config('another'))
  t.match(
    (await user.cli('profile', 'switch', 'work')).err,
    /^korproxy: KP-CONF-224 Namespace \S+ has the GatewayConfigs another, only, none of them named default/,
  )
})
