import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { runCli } from '../cli/run-cli.ts'
import { mustRun } from '../helpers/run-program.ts'
import { CHART, EVERYTHING, FRESH_CLUSTER, find, helm, type Manifest, render, template, valuesFile } from './helm.ts'

t.test('R5.1 helm lint finds nothing, strictly', async (t) => {
  for (const values of [{}, EVERYTHING]) {
    t.match(await helm(['lint', '--strict', CHART, '--values', valuesFile(values)]), { code: 0 })
  }
})

t.test(
  'R5.1 the package has the templates of helm test, and nothing that only makes and tests the chart',
  async (t) => {
    const folder = t.testdir()
    t.match(await helm(['package', CHART, '--destination', folder]), { code: 0 })
    const list = await mustRun('tar', ['--list', '--gzip', '--file', `${folder}/korproxy-0.1.0.tgz`])
    const names = list.split('\n')
    t.ok(names.includes('korproxy/templates/tests/connection.yaml'))
    t.ok(names.includes('korproxy/README.md'))
    t.strictSame(
      names.filter((name) => name.startsWith('korproxy/tests/') || name.endsWith('.gotmpl')),
      [],
    )
  },
)

t.test('R5.1 CRDs are rendered as they are, but for the mark that keeps them', async (t) => {
  const { stdout: kept } = await template({})
  const { stdout: plain } = await template({ crds: { keep: false } })
  for (const name of readdirSync(`${CHART}files/crds`)) {
    const text = readFileSync(`${CHART}files/crds/${name}`, 'utf8').trimEnd()
    t.ok(plain.includes(text), `${name} as it is`)
    const marked = text.replace('\nmetadata:\n', '\nmetadata:\n  annotations:\n    helm.sh/resource-policy: keep\n')
    t.ok(kept.includes(marked), `${name} with the mark`)
  }
})

t.test('R5.1 what the bootstrap job applies belongs to the release', async (t) => {
  const manifests = await render(EVERYTHING, FRESH_CLUSTER)
  const applied = JSON.parse(find(manifests, 'ConfigMap', 'demo-bootstrap').data['resources.json'])
  t.strictSame(
    applied.map(({ kind }: Manifest) => kind),
    ['ProviderAccount', 'ProviderGroup', 'RoutingProfile', 'GatewayClient', 'GatewayConfig'],
  )
  for (const { kind, metadata } of applied) {
    const expected = {
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { 'meta.helm.sh/release-name': 'demo', 'meta.helm.sh/release-namespace': 'kp' },
    }
    t.match(metadata, expected, kind)
  }
})

t.test('R5.2 every argument that a pod is started with is one that the command line knows', async (t) => {
  const manifests = await render({ controller: { tls: { certManager: { enabled: true } } } })
  for (const role of ['controller', 'gateway']) {
    const { args } = find(manifests, 'Deployment', `demo-${role}`).spec.template.spec.containers[0]
    t.equal(args[0], role)
    const { out } = await runCli([role, '--help'])
    for (const argument of args.slice(1)) {
      const [flag] = argument.split('=')
      t.ok(out.includes(`  ${flag} `), `${role} ${argument}`)
    }
  }
})
