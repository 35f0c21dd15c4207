import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { eventually } from '../helpers/eventually.ts'
import { auditOf, type Role, refusals, unusedRights } from './grants.ts'
import { IMAGE, startReleaseRig, VALUES } from './rig.ts'
import { loadPod, shopPods } from './shop/pods.ts'

const rig = await startReleaseRig()
const { kubectl } = rig
const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const CONTROLLER = 'korproxy:korproxy-controller'
const GATEWAY = 'app.kubernetes.io/instance=korproxy,app.kubernetes.io/component=gateway'
const RESTRICTED = 'pod-security.kubernetes.io/enforce=restricted'

interface Answer {
  readonly text: string
  readonly finish: string
  readonly pieces?: number
  readonly headers: Readonly<Record<string, string>>
  readonly failed?: string
}

interface LoadReport {
  readonly requests: { readonly ok: number; readonly failed: number }
  readonly streams: { readonly ok: number; readonly failed: number }
  readonly failures: Readonly<Record<string, unknown>>
}

// The workload answers in this form.
const chat = async (): Promise<Partial<Answer>> =>
  (await rig.ask('workload', '/chat').catch((error: unknown) => ({ failed: String(error) }))) as Partial<Answer>
const script = (rule: object): Promise<unknown> =>
  rig.ask('provider', '/__mock/script', { port: 1340, method: 'POST', body: JSON.stringify(rule) })
const condition = (pods: string, timeoutS: number): Promise<string> =>
  kubectl(['wait', '--for=condition=Ready', `--timeout=${timeoutS}s`, '--namespace=shop', ...pods.split(' ')])
const accountOne = async (): Promise<string> =>
  (await kubectl(['get', 'pacct/one', '--namespace=shop', '--no-headers', '--output=wide'])).replaceAll(/ +/g, ' ')

for (const namespace of ['korproxy', 'shop']) {
  await kubectl(['create', 'namespace', namespace])
  await kubectl(['label', 'namespace', namespace, RESTRICTED])
}
await kubectl(['wait', '--for=create', '--timeout=30s', '--namespace=shop', 'sa/default', 'cm/kube-root-ca.crt'])
await kubectl(['wait', '--for=create', '--timeout=30s', '--namespace=korproxy', 'sa/default', 'cm/kube-root-ca.crt'])
const before = new Set(await rig.inventory())
await kubectl(['apply', '--server-side', '--filename=-'], await shopPods(IMAGE))

t.test('R5.1 R5.2 helm install on a fresh cluster: every pod is admitted as restricted, and is ready', async (t) => {
  t.match(await rig.release('install', { accounts: { starter: { provider: 'Mock' } } }), 'KorProxy 0.1.0 is installed')
  const deployments = await kubectl(['get', 'deployments', '--namespace=korproxy', '--no-headers'])
  t.match(deployments, /korproxy-controller +2\/2 .*\nkorproxy-gateway +3\/3 /)
  t.match(await kubectl(['get', 'pacct/starter', '--namespace=korproxy']), 'starter', 'made of the values')
})

t.test('R4.4 the complete example is accepted, and every object of it is programmed', async (t) => {
  await condition('pod/provider pod/workload', 60)
  // Before the example, with which every change is tried on one gateway for a while.
  await kubectl(['apply', '--namespace=shop', '--filename=-'], read('shop/shop.yaml'))
  await kubectl(['apply', '--namespace=korproxy', '--filename=-'], read('../resources/all.yaml'))
  for (const [namespace, count] of [
    ['korproxy', 12],
    ['shop', 9],
  ] as const) {
    const names = (await kubectl(['get', 'korproxy', `--namespace=${namespace}`, '--output=name'])).split('\n')
    t.equal(names.length, count, namespace)
    const wait = ['wait', '--for=condition=Programmed', '--timeout=120s', `--namespace=${namespace}`, ...names]
    t.equal((await kubectl(wait)).split('\n').length, count, `${namespace}: programmed`)
  }
})

t.test('R1.1 a pod with the OpenAI SDK is answered through the Service, streams too', async (t) => {
  t.match(await eventually(chat, ({ failed }) => failed === undefined), {
    finish: 'stop',
    text: /\S/,
    headers: { 'x-korproxy-profile': 'day', 'x-korproxy-provider-group': 'pair', 'x-korproxy-account': 'one' },
  })
  t.match(await rig.ask('workload', '/stream?model=gpt-4o-mini--chunks30--gap10'), {
    finish: 'stop',
    pieces: 30,
    headers: { 'x-korproxy-profile': 'day' },
  })
})

async function switchProfile(t: Test, profile: string, expected: object): Promise<void> {
  const patch = JSON.stringify({ spec: { activeProfileRef: { name: profile } } })
  await kubectl(['patch', 'kpgw/default', '--namespace=shop', '--type=merge', `--patch=${patch}`])
  const patchedAt = performance.now()
  const answer = await eventually(chat, ({ headers }) => headers?.['x-korproxy-profile'] === profile)
  t.comment(`${profile}: followed ${Math.round(performance.now() - patchedAt)} ms after kubectl patch`)
  t.match(answer, { finish: 'stop', headers: expected })
  const row = (): Promise<string> => kubectl(['get', `rprof/${profile}`, '--namespace=shop', '--no-headers'])
  t.match(await eventually(row, (text) => text.includes('true')), / true /, 'and kubectl get says so')
}

const NIGHT = { 'x-korproxy-provider-group': 'single', 'x-korproxy-account': 'three' }
const DAY = { 'x-korproxy-provider-group': 'pair', 'x-korproxy-account': 'one' }

t.test('R1.6 kubectl patch of the active profile: requests follow, on the connection that is open', async (t) => {
  await switchProfile(t, 'night', NIGHT)
  await switchProfile(t, 'day', DAY)
})

t.test('R2.3 R4.4 an account that answers 429 is passed over, and seen in kubectl get', async (t) => {
  // Nothing in it speaks of a model: the limit is the account's.
  const failure = { status: 429, retryAfterS: 3, message: 'Too many requests' }
  await script({ match: { key: 'sk-one' }, times: 1, script: { failure } })
  t.match(await chat(), { finish: 'stop', headers: { 'x-korproxy-account': 'two', 'x-korproxy-attempts': '2' } })
  const limited = await eventually(accountOne, (row) => row.includes('rate_limited'))
  t.match(
    limited,
    /^one OpenAI rate_limited 1 True \S+Z KP-\S+ /,
    'kubectl get provideraccounts tells it, and until when',
  )
  t.match(await eventually(accountOne, (row) => row.includes('available')), /^one OpenAI available 1 True /)
  t.match(await eventually(chat, ({ headers }) => headers?.['x-korproxy-account'] === 'one'), { finish: 'stop' })
})

t.test(
  'R13.1 F22 no request fails and no stream is cut while gateways are replaced, taken away and added',
  async (t) => {
    await kubectl(['apply', '--filename=-'], loadPod(IMAGE, { requestsPerSecond: 200, streams: 100 }))
    await condition('pod/load', 60)
    const report = async (path = '/', method = 'GET'): Promise<LoadReport | undefined> => {
      // The load answers in this form.
      return (await rig.ask('load', path, { method }).catch(() => undefined)) as LoadReport | undefined
    }
    const answered = async (): Promise<number> => (await report())?.requests.ok ?? 0
    const gateways = async (): Promise<string> =>
      kubectl(['get', 'pods', '--namespace=korproxy', `--selector=${GATEWAY}`, '--no-headers'])
    const settled = (count: number) => (rows: string) => rows.split('\n').length === count && !/Terminating/.test(rows)
    const rolledOut = (): Promise<string> =>
      kubectl(['rollout', 'status', 'deployment/korproxy-gateway', '--namespace=korproxy', '--timeout=120s'])
    const note = async (what: string): Promise<void> => {
      t.comment(`${what}: ${JSON.stringify(await report())}`)
    }
    t.ok((await eventually(answered, (count) => count > 1_000)) > 1_000, 'the load runs')

    await rig.release('upgrade', { gateway: { ...VALUES.gateway, podAnnotations: { revision: '2' } } })
    await note('upgraded')
    for (const replicas of [1, 3]) {
      await kubectl(['scale', 'deployment/korproxy-gateway', '--namespace=korproxy', `--replicas=${replicas}`])
      await kubectl(['rollout', 'status', 'deployment/korproxy-gateway', '--namespace=korproxy', '--timeout=120s'])
      await note(`scaled to ${replicas}`)
    }
    await kubectl(['rollout', 'restart', 'deployment/korproxy-gateway', '--namespace=korproxy'])
    await rolledOut()
    await note('restarted')
    const rows = await eventually(gateways, settled(3), 200_000)
    t.ok(settled(3)(rows), `what was to end has ended: ${rows}`)
    t.ok((await eventually(answered, (count) => count >= 10_000, 120_000)) >= 10_000, '10,000 requests')
    const last = await report('/stop', 'POST')
    t.comment(JSON.stringify(last))
    t.match(last, { requests: { failed: 0 }, streams: { failed: 0 }, failures: {} })
    t.ok((last?.streams.ok ?? 0) > 500, 'streams')
  },
)

t.test('R5.2 the token in a gateway is good for its controller only', async (t) => {
  const program = `
    import { existsSync, readFileSync } from 'node:fs'
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    const authorization = 'Bearer ' + readFileSync('/var/run/secrets/korproxy/token', 'utf8')
    const url = 'https://' + process.env.KUBERNETES_SERVICE_HOST + ':' + process.env.KUBERNETES_SERVICE_PORT + '/version'
    const { status } = await fetch(url, { headers: { authorization } })
    console.log(status, existsSync('/var/run/secrets/kubernetes.io'))`
  const inside = ['exec', '--namespace=korproxy', 'deployment/korproxy-gateway', '--', '/nodejs/bin/node']
  t.equal(await kubectl([...inside, '--no-warnings', '--input-type=module', '--eval', program]), '401 false')
})

t.test('R5.2 the audit log: nothing was refused, and no right is granted that nobody uses', async (t) => {
  // More than a minute after the first time: an Event that comes again is counted, which needs a right of its own.
  await switchProfile(t, 'night', NIGHT)
  const { auditLogPath } = rig.cluster
  t.strictSame(refusals(auditOf(auditLogPath, CONTROLLER)), [])
  t.strictSame(auditOf(auditLogPath, 'korproxy:korproxy-gateway'), [], 'gateways ask the API server for nothing')
  const select = ['--all-namespaces', '--selector=app.kubernetes.io/instance=korproxy', '--output=json']
  const { items }: { items: Role[] } = JSON.parse(await kubectl(['get', 'roles,clusterroles', ...select]))
  t.equal(items.length, 4)
  // Lists are for servers that cannot stream them, and for a look every ten minutes whether all was told.
  const unused = async (): Promise<readonly string[]> =>
    unusedRights(items, auditOf(auditLogPath, CONTROLLER)).filter((right) => !right.startsWith('list '))
  t.strictSame(await eventually(unused, ({ length }) => length === 0, 10_000), [])

  const bootstrap = auditOf(auditLogPath, 'korproxy:korproxy-bootstrap')
  t.strictSame(refusals(bootstrap), [])
  const hooks = parseAllDocuments(await rig.helm(['get', 'hooks', 'korproxy'])).map((document) => document.toJS())
  const roles: Role[] = hooks.filter((hook) => hook?.kind === 'Role')
  t.equal(roles.length, 1)
  const ofAccounts = unusedRights(roles, bootstrap).filter((right) => right.endsWith('/provideraccounts'))
  t.strictSame(ofAccounts, [], 'the values had no other kind')
})

t.test('R5.5 helm uninstall leaves nothing but the CRDs, and what is not part of the release', async (t) => {
  await kubectl(['delete', 'pod', '--all', '--namespace=shop'])
  await rig.helm(['uninstall', 'korproxy', '--wait'])
  for (const [namespace, manifests] of [
    ['korproxy', read('../resources/all.yaml')],
    ['shop', read('shop/shop.yaml')],
  ] as const) {
    const remove = ['delete', `--namespace=${namespace}`, '--ignore-not-found', '--filename=-']
    // The API server may heed an admission policy for a moment after it is gone.
    const { code, stderr } = await eventually(
      () => rig.cluster.kubectl(remove, manifests),
      (finished) => finished.code === 0,
    )
    t.match({ code, stderr }, { code: 0 })
  }
  await kubectl(['delete', 'service/provider', 'configmap/programs', '--namespace=shop'])
  const added = async (): Promise<readonly string[]> => (await rig.inventory()).filter((name) => !before.has(name))
  t.strictSame(await eventually(added, ({ length }) => length === 8, 120_000), [
    'APIService <none>/v1alpha1.korproxy.dev',
    'CustomResourceDefinition <none>/gatewayclients.korproxy.dev',
    'CustomResourceDefinition <none>/gatewayconfigs.korproxy.dev',
    'CustomResourceDefinition <none>/modelcatalogs.korproxy.dev',
    'CustomResourceDefinition <none>/provideraccounts.korproxy.dev',
    'CustomResourceDefinition <none>/providergroups.korproxy.dev',
    'CustomResourceDefinition <none>/routingprofiles.korproxy.dev',
    'CustomResourceDefinition <none>/usagepolicies.korproxy.dev',
  ])
})
