import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { stringify } from 'yaml'
import { controlPlane } from '../helpers/control-plane.ts'
import { mustRun, runProgram } from '../helpers/run-program.ts'
import { buildTool, CHART, EVERYTHING, FRESH_CLUSTER, type Manifest, render } from './helm.ts'

const RULE_TESTS = fileURLToPath(new URL('prometheus-rules.yaml', import.meta.url))
const MAKE_README = fileURLToPath(new URL('make-readme', import.meta.url))

/** Of operators that the test cluster does not have. */
const FOREIGN = ['monitoring.coreos.com/v1', 'gateway.networking.k8s.io/v1', 'cert-manager.io/v1']

const documents = (manifests: readonly Manifest[]): string =>
  manifests.map((object) => `---\n${stringify(object)}`).join('')

t.test('R5.1 the alerts are valid, and fire when they should and only then', async (t) => {
  const promtool = await buildTool('promtool')
  t.match(await runProgram(promtool, ['check', 'rules', `${CHART}files/prometheus-rules.yaml`]), { code: 0 })
  t.match(await runProgram(promtool, ['test', 'rules', RULE_TESTS]), { code: 0 })
})

t.test('R5.1 helm-unittest finds that the templates make of values what the suites of the chart say', async (t) => {
  const helmUnittest = await buildTool('helm-unittest')
  const suites = readdirSync(`${CHART}tests`).filter((name) => name.endsWith('_test.yaml'))
  t.equal(suites.length, 13)
  for (const name of suites) {
    const { code, stdout, stderr } = await runProgram(helmUnittest, ['--strict', '--file', `tests/${name}`, CHART])
    t.equal(code === 0 ? 'passed' : `${stdout}${stderr}`, 'passed', name)
  }
})

t.test('R5.1 README of the chart is what helm-docs makes: otherwise run test/chart/make-readme', async (t) => {
  await buildTool('helm-docs')
  const printed = await mustRun(MAKE_README, ['--dry-run'])
  t.equal(readFileSync(`${CHART}README.md`, 'utf8').trimEnd(), printed)
})

t.test('R5.1 kube-score has nothing to say but what is meant', async (t) => {
  const kubeScore = await buildTool('kube-score')
  const manifests = await render({ ...EVERYTHING, image: { pullPolicy: 'Always' } })
  // A limit of CPU slows replies down when nobody else wants the CPU. Pods are spread by topologySpreadConstraints.
  const meant = ['--ignore-container-cpu-limit', '--ignore-test', 'deployment-has-host-podantiaffinity']
  const kept = manifests.filter(({ apiVersion, kind }) => kind !== 'Pod' && !FOREIGN.includes(apiVersion))
  const flags = ['--kubernetes-version', 'v1.34', '--output-format', 'ci', ...meant, '-']
  const { code, stdout, stderr } = await runProgram(kubeScore, ['score', ...flags], { stdin: documents(kept) })
  const remarks = stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('[OK]') && !line.startsWith('[SKIPPED]'))
  t.strictSame(remarks, [])
  t.equal(code, 0, stderr)
})

/** A definition as JSON schema: unknown fields are refused, and what may be a number or a text may be both. */
function strict(node: Manifest): Manifest {
  if (Array.isArray(node)) return node.map(strict)
  if (typeof node !== 'object' || node === null) return node
  if (node.format === 'int-or-string' || node['x-kubernetes-int-or-string'] === true)
    return { type: ['integer', 'string'] }
  const inner = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, strict(value)]))
  const isClosed = typeof node.properties === 'object' && node.additionalProperties === undefined
  return isClosed && node['x-kubernetes-preserve-unknown-fields'] !== true
    ? { ...inner, additionalProperties: false }
    : inner
}

t.test('R5.1 kubeconform finds every manifest as the API server describes it', async (t) => {
  const [kubeconform, plane] = [await buildTool('kubeconform'), await controlPlane()]
  const { definitions } = JSON.parse((await plane.kubectl(['get', '--raw', '/openapi/v2'])).stdout)
  const folder = mkdtempSync(join(tmpdir(), 'korproxy-schemas-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const manifests = await render(EVERYTHING, FRESH_CLUSTER)
  const known = manifests.filter(({ apiVersion }) => !FOREIGN.includes(apiVersion))
  const strictDefinitions = strict(definitions)
  for (const { apiVersion, kind } of known) {
    const [version, group = ''] = apiVersion.split('/').reverse()
    const [name] =
      Object.entries<Manifest>(definitions).find(([, definition]) =>
        definition['x-kubernetes-group-version-kind']?.some(
          (gvk: Manifest) => gvk.kind === kind && gvk.version === version && gvk.group === group,
        ),
      ) ?? []
    const suffix = [group.split('.')[0], version].filter((part) => part !== '').join('-')
    const schema = { $ref: `#/definitions/${name}`, definitions: strictDefinitions }
    writeFileSync(join(folder, `${kind.toLowerCase()}-${suffix}.json`), JSON.stringify(schema))
  }
  const flags = [
    '-strict',
    '-summary',
    '-output',
    'json',
    '-schema-location',
    `${folder}/{{.ResourceKind}}{{.KindSuffix}}.json`,
  ]
  const { stdout } = await runProgram(kubeconform, [...flags, '-'], { stdin: documents(known) })
  const { resources, summary } = JSON.parse(stdout)
  t.strictSame(resources, [])
  t.match(summary, { valid: known.length, invalid: 0, errors: 0, skipped: 0 })
})
