import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { controlPlane } from '../helpers/control-plane.ts'
import { runProgram } from '../helpers/run-program.ts'
import {
  CHART,
  EVERYTHING,
  FRESH_CLUSTER,
  find,
  helm,
  type Manifest,
  readManifests,
  render,
  template,
  valuesFile,
} from './helm.ts'

/** What other releases of the cluster have, and kinds of operators that the test cluster does not have. */
const VALUES = {
  ...EVERYTHING,
  crds: { enabled: false },
  admissionPolicies: { enabled: false },
  httpRoute: { enabled: false },
  monitoring: { dashboard: { enabled: true } },
}

const BARE = { crds: { enabled: false }, admissionPolicies: { enabled: false } }

t.test('R5.1 R5.5 install, upgrade and uninstall on a real API server', async (t) => {
  const plane = await controlPlane()
  const namespace = await plane.namespace(t)
  const run = async (command: readonly string[], values?: object) => {
    const flags = ['--kubeconfig', plane.kubeconfigPath, '--namespace', namespace]
    return helm([...command, ...flags, ...(values === undefined ? [] : ['--values', valuesFile(values)])])
  }
  const list = async (kinds: string): Promise<string[]> => {
    const { stdout } = await plane.kubectl(['get', kinds, '--namespace', namespace, '--output', 'name'])
    return stdout.split('\n').filter((name) => name !== '')
  }
  const specOf = async (account: string): Promise<Manifest> =>
    JSON.parse((await plane.kubectl(['get', `pacct/${account}`, '--namespace', namespace, '--output=json'])).stdout)
      .spec

  const install = await run(['install', 'demo', CHART], {
    ...VALUES,
    accounts: { simulator: { provider: 'Mock', displayName: 'One' } },
  })
  t.match(install, { code: 0 })
  t.match(install.stdout, `http://demo-gateway.${namespace}.svc/v1`)
  t.match(install.stdout, 'curl http://127.0.0.1:1337/v1/chat/completions')
  t.notMatch(install.stdout, 'Bearer', 'no key is needed')
  t.notMatch(install.stdout, 'There are no provider accounts')
  t.match(await specOf('simulator'), { displayName: 'One' })
  t.strictSame((await list('deployments,pdb,hpa,lease')).sort(), [
    'deployment.apps/demo-controller',
    'deployment.apps/demo-gateway',
    'horizontalpodautoscaler.autoscaling/demo-gateway',
    'lease.coordination.k8s.io/demo-controller',
    'poddisruptionbudget.policy/demo-controller',
    'poddisruptionbudget.policy/demo-gateway',
  ])

  const state = [
    'patch',
    'secret/demo-controller-ca',
    '--namespace',
    namespace,
    '--patch',
    '{"stringData":{"tls.key":"kept"}}',
  ]
  t.match(await plane.kubectl(state), { code: 0 })
  const upgrade = await run(['upgrade', 'demo', CHART], { ...VALUES, clients: {}, gatewayConfig: {}, accounts: {} })
  t.match(upgrade, { code: 0 })
  t.match(upgrade.stdout, 'Bearer <key of a GatewayClient>')
  t.match(upgrade.stdout, 'There are no provider accounts')
  const kept = ['get', 'secret/demo-controller-ca', '--namespace', namespace, '--output', 'jsonpath={.data.tls\\.key}']
  t.match(await plane.kubectl(kept), { stdout: 'a2VwdA==' }, 'what the controller wrote stays')
  t.strictSame((await list('pacct,pgrp,rprof,gwclient,kpgw')).sort(), [
    'providergroup.korproxy.dev/all',
    'routingprofile.korproxy.dev/default',
  ])

  const bundle = ['create', 'configmap', 'demo-controller-ca', '--namespace', namespace]
  t.match(await plane.kubectl(bundle), { code: 0 }, 'as the controller does')
  t.match(await run(['uninstall', 'demo']), { code: 0 })
  const everything = 'all,cm,secret,sa,role,rolebinding,netpol,pdb,hpa,ing,lease,pacct,pgrp,rprof,gwclient,kpgw'
  const left = (await list(everything)).filter(
    (name) => !/^(configmap\/kube-root-ca.crt|serviceaccount\/default)$/.test(name),
  )
  t.strictSame(left, [])
})

t.test('R5.2 a namespace that enforces the restricted standard admits every pod', async (t) => {
  const plane = await controlPlane()
  const namespace = await plane.namespace(t)
  const label = ['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']
  t.match(await plane.kubectl(label), { code: 0 })
  const pods = (await render(EVERYTHING, FRESH_CLUSTER)).flatMap(({ kind, metadata, spec }) => {
    if (kind === 'Pod') return [{ name: metadata.name, spec }]
    return ['Deployment', 'Job'].includes(kind) ? [{ name: metadata.name, spec: spec.template.spec }] : []
  })
  t.equal(pods.length, 4)
  for (const { name, spec } of pods) {
    // The API server of the tests makes no ServiceAccounts.
    const { serviceAccountName: _, ...rest } = spec
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: { ...rest, automountServiceAccountToken: false },
    }
    await plane.kubectl(['create', 'serviceaccount', 'default', '--namespace', namespace])
    const create = ['create', '--dry-run=server', '--validate=strict', '--filename=-']
    t.match(await plane.kubectl(create, JSON.stringify(pod)), { code: 0 }, name)
  }
})

t.test('R4.8 R5.1 the API server takes CRDs and admission policies as the chart renders them', async (t) => {
  const plane = await controlPlane()
  const { stdout } = await template({})
  const wide = readManifests(stdout).filter(({ kind }) =>
    /^(CustomResourceDefinition|ValidatingAdmissionPolicy)/.test(kind),
  )
  t.equal(wide.filter(({ kind }) => kind === 'CustomResourceDefinition').length, 7)
  t.ok(wide.length > 7)
  const apply = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict', '--filename=-']
  const { code, stderr } = await plane.kubectl(apply, wide.map((object) => JSON.stringify(object)).join('\n---\n'))
  t.equal(code, 0, stderr)
})

t.test('R5.1 what the bootstrap job made becomes a part of the release with the first upgrade', async (t) => {
  const plane = await controlPlane()
  const namespace = await plane.namespace(t)
  const folder = t.testdir()
  const kubectl = async (args: readonly string[], stdin = ''): Promise<string> => {
    const { code, stdout, stderr } = await plane.kubectl([...args, '--namespace', namespace], stdin)
    t.equal(code, 0, stderr)
    return stdout
  }
  const release = (command: readonly string[], values?: object) => {
    const flags = ['--kubeconfig', plane.kubeconfigPath, '--namespace', namespace]
    return helm([...command, ...flags, ...(values === undefined ? [] : ['--values', valuesFile(values)])])
  }
  /** Does what the job does: no pod runs here. */
  const runJob = async (hooks: readonly Manifest[]): Promise<void> => {
    const rights = hooks.filter(({ kind }) => ['ServiceAccount', 'Role', 'RoleBinding'].includes(kind))
    t.equal(rights.length, 3)
    await kubectl(['apply', '--filename=-'], rights.map((object) => JSON.stringify(object)).join('\n---\n'))
    const { data } = find(hooks, 'ConfigMap', 'demo-bootstrap')
    const [, , , , ...rest] = find(hooks, 'Job', 'demo-bootstrap').spec.template.spec.containers[0].command
    for (const [name, content] of Object.entries<string>(data)) writeFileSync(join(folder, name), content)
    writeFileSync(join(folder, 'token'), await kubectl(['create', 'token', 'demo-bootstrap']))
    const authority = await kubectl([
      'config',
      'view',
      '--raw',
      '--output=jsonpath={.clusters[0].cluster.certificate-authority-data}',
    ])
    writeFileSync(join(folder, 'ca.crt'), Buffer.from(authority, 'base64'))
    const { hostname, port } = new URL(plane.url)
    const environment = [`KUBERNETES_SERVICE_HOST=${hostname}`, `KUBERNETES_SERVICE_PORT=${port}`]
    const trust = `NODE_EXTRA_CA_CERTS=${join(folder, 'ca.crt')}`
    const script = [join(folder, 'bootstrap.mjs'), join(folder, 'resources.json'), join(folder, 'token'), ...rest]
    t.match(await runProgram('env', [...environment, trust, process.execPath, ...script]), { code: 0 })
  }
  const accounts = async (): Promise<Manifest> => {
    const { items } = JSON.parse(await kubectl(['get', 'provideraccounts', '--output=json']))
    return items.map(({ metadata, spec }: Manifest) => [
      metadata.name,
      spec.displayName,
      metadata.labels['korproxy.dev/bootstrap'],
    ])
  }
  const values = (specs: object): object => ({ ...BARE, accounts: specs })

  t.match(await release(['install', 'demo', CHART], values({})), { code: 0 })
  const first = await template(values({ keep: { provider: 'Mock', displayName: 'One' }, drop: { provider: 'Mock' } }), {
    ...FRESH_CLUSTER,
    namespace,
  })
  await runJob(readManifests(first.stdout).filter(({ metadata }) => metadata.name === 'demo-bootstrap'))
  t.strictSame(await accounts(), [
    ['drop', undefined, 'demo'],
    ['keep', 'One', 'demo'],
  ])

  const second = values({ keep: { provider: 'Mock', displayName: 'Two' } })
  t.match(await release(['upgrade', 'demo', CHART, '--no-hooks'], second), { code: 0 })
  await runJob(readManifests((await release(['get', 'hooks', 'demo'])).stdout))
  t.strictSame(await accounts(), [['keep', 'Two', undefined]], 'changed, and the other one removed')

  const third = values({ keep: { provider: 'Mock', displayName: 'Three' } })
  t.match(await release(['upgrade', 'demo', CHART], third), { code: 0 }, 'no job, or this would wait for it')
  t.strictSame(await accounts(), [['keep', 'Three', undefined]])
  t.match(await release(['uninstall', 'demo']), { code: 0 })
  t.strictSame(await accounts(), [])
})
