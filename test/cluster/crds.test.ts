import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { parseManifests } from '../../src/controller/sources/manifest-file.ts'
import { parseResource } from '../../src/resources/parse-resource.ts'
import { type ControlPlane, controlPlane } from '../helpers/control-plane.ts'

const CORPUS = new URL('../resources/corpus/', import.meta.url)
const ALL = new URL('../resources/all.yaml', import.meta.url)
const STATUSES = new URL('statuses.yaml', import.meta.url)
const COLUMNS = new URL('columns.txt', import.meta.url)

const CREATE = ['create', '--dry-run=server', '--validate=strict']

/** Where the API server, or kubectl before it, names another place than zod does. */
const OTHER_PLACE: Readonly<Record<string, string>> = {
  // The API server names the map, and quotes the key.
  'account-label-key.yaml': 'metadata.labels: Invalid value: "a b"',
  'account-label.yaml': 'metadata.labels: Invalid value: "two words"',
  // kubectl finds no such kind on the server, and sends nothing.
  'unknown-kind.yaml': 'no matches for kind "ProviderPool" in version "korproxy.dev/v1alpha1"',
  'unknown-version.yaml': 'no matches for kind "ProviderAccount" in version "korproxy.dev/v2"',
}

const plane = await controlPlane()

async function succeeds(t: Test, plane: ControlPlane, args: readonly string[], stdin = ''): Promise<string> {
  const { code, stdout, stderr } = await plane.kubectl(args, stdin)
  t.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`)
  return stdout
}

function corpus(verdict: 'good' | 'bad'): { file: string; path: string; text: string }[] {
  const folder = new URL(`${verdict}/`, CORPUS)
  return readdirSync(folder).map((file) => {
    const path = fileURLToPath(new URL(file, folder))
    return { file, path, text: readFileSync(path, 'utf8') }
  })
}

/** One message of kubectl's per file. */
function messagesByFile(stderr: string, files: readonly string[]): Map<string, string> {
  const lines = stderr.split('\n')
  return new Map(files.map((file) => [file, lines.filter((line) => line.includes(`/${file}"`)).join('\n')]))
}

t.test('R4.1 the API server takes every CRD as it is, and establishes it', async (t) => {
  const output = await succeeds(t, plane, ['get', 'crds', '--output=json'])
  const ours = JSON.parse(output).items.filter((crd: { spec: { group: string } }) => crd.spec.group === 'korproxy.dev')
  t.strictSame(
    ours.map((crd: { metadata: { name: string } }) => crd.metadata.name),
    [
      'gatewayclients.korproxy.dev',
      'gatewayconfigs.korproxy.dev',
      'modelcatalogs.korproxy.dev',
      'provideraccounts.korproxy.dev',
      'providergroups.korproxy.dev',
      'routingprofiles.korproxy.dev',
      'usagepolicies.korproxy.dev',
    ],
  )
  for (const { metadata, status } of ours) {
    const conditions = status.conditions.map(
      ({ type, status }: { type: string; status: string }) => `${type}=${status}`,
    )
    // NonStructuralSchema would be a third one.
    t.strictSame(conditions.sort(), ['Established=True', 'NamesAccepted=True'], metadata.name)
  }
})

t.test('R4.8 what zod accepts, the API server accepts, and fills in the same defaults', async (t) => {
  const namespace = await plane.namespace(t)
  const files = corpus('good')
  const paths = files.flatMap(({ path }) => ['--filename', path])
  const output = await succeeds(t, plane, [...CREATE, `--namespace=${namespace}`, '--output=json', ...paths])
  // Not a list: kubectl prints one object after the other.
  const printed = output.split(/(?<=^\})\n(?=\{)/m).map((json) => JSON.parse(json))
  const stored = new Map<string, unknown>(printed.map((object) => [object.metadata.name, object]))
  t.equal(stored.size, files.length)
  for (const { file, text } of files) {
    const { objects } = parseManifests(text, file, namespace)
    for (const { ref, resource } of objects) {
      const object = stored.get(ref.name)
      t.match(object, { spec: {} }, file)
      t.strictSame(resource?.spec, Object(object).spec, `${file}: zod and the API server default alike`)
      const again = parseResource(object, { namespace })
      t.strictSame('resource' in again && again.resource.spec, resource?.spec, `${file}: what is stored is accepted`)
    }
  }
})

t.test('R4.8 what zod refuses, the API server refuses, and names the same field', async (t) => {
  const namespace = await plane.namespace(t)
  const files = corpus('bad')
  const paths = files.flatMap(({ path }) => ['--filename', path])
  const { code, stdout, stderr } = await plane.kubectl([...CREATE, `--namespace=${namespace}`, ...paths])
  t.strictSame([code, stdout], [1, ''], 'nothing is accepted')
  const messages = messagesByFile(
    stderr,
    files.map(({ file }) => file),
  )
  for (const { file, text } of files) {
    const [, path = ''] = /^# expect \S+ at ([^;\n]+)/.exec(text) ?? []
    const expected = OTHER_PLACE[file] ?? path
    t.ok(messages.get(file)?.includes(expected), `${file}: ${expected} in ${messages.get(file)}`)
  }
})

t.test('R4.8 without strict validation only unknown fields pass, as the corpus says', async (t) => {
  const namespace = await plane.namespace(t)
  const files = corpus('bad')
  const paths = files.flatMap(({ path }) => ['--filename', path])
  const lax = ['create', '--dry-run=server', '--validate=ignore', '--output=name']
  const { stdout } = await plane.kubectl([...lax, `--namespace=${namespace}`, ...paths])
  const marked = files.filter(({ text }) => /^# expect .*; the API server drops the field$/m.test(text))
  t.strictSame(
    stdout
      .trim()
      .split('\n')
      .map((name) => `${name.split('/')[1]}.yaml`),
    marked.map(({ file }) => file),
  )
  t.ok(marked.length > 0)
})

t.test('R4.1 the provider of an account cannot be changed; everything else can', async (t) => {
  const namespace = await plane.namespace(t)
  const account = {
    apiVersion: 'korproxy.dev/v1alpha1',
    kind: 'ProviderAccount',
    metadata: { name: 'a' },
    spec: { provider: 'OpenAI', auth: { secretKeyRef: { name: 'a' } } },
  }
  await succeeds(t, plane, ['create', `--namespace=${namespace}`, '--filename=-'], JSON.stringify(account))
  const patch = (spec: object) =>
    plane.kubectl(['patch', `--namespace=${namespace}`, 'pacct/a', '--type=merge', '--patch', JSON.stringify({ spec })])
  const refused = await patch({ provider: 'Anthropic' })
  t.equal(refused.code, 1)
  t.match(refused.stderr, /spec\.provider: Invalid value: .*: provider is immutable; create a new account/)
  t.match(await patch({ state: 'Draining', baseURL: 'https://proxy.example/v1' }), { code: 0 })
  const waited = [
    'wait',
    `--namespace=${namespace}`,
    '--for=jsonpath={.spec.state}=Draining',
    'pacct/a',
    '--timeout=10s',
  ]
  t.match(await plane.kubectl(waited), { code: 0 })
})

t.test('R4.4 kubectl get tells the story of every kind', async (t) => {
  const namespace = await plane.namespace(t)
  const manifests = readFileSync(ALL, 'utf8')
  await succeeds(t, plane, ['apply', '--validate=strict', `--namespace=${namespace}`, '--filename=-'], manifests)
  // So long ago that the age, which is shown in hours, stays the same while the test runs.
  const lastUsed = new Date(Date.now() - 10.5 * 3_600_000).toISOString()
  const statuses = readFileSync(STATUSES, 'utf8').replace('{lastUsedTime}', lastUsed)
  const applyStatus = ['apply', '--server-side', '--subresource=status', `--namespace=${namespace}`, '--filename=-']
  await succeeds(t, plane, applyStatus, statuses)

  let actual = ''
  for (const args of ['pacct', 'pacct -o wide', 'pgrp', 'pgrp -o wide', 'rprof', 'rprof -o wide', 'gwclient']) {
    actual += await table(t, args, namespace)
  }
  for (const args of ['gwclient -o wide', 'usagepol', 'mcat', 'kpgw', 'kpgw -o wide']) {
    actual += await table(t, args, namespace)
  }
  actual += await table(t, 'korproxy -o name', namespace)
  actual += await table(t, 'pacct --field-selector=spec.provider=Ollama', namespace)
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(COLUMNS, actual)
  t.equal(actual, readFileSync(COLUMNS, 'utf8'))
})

async function table(t: Test, args: string, namespace: string): Promise<string> {
  const output = await succeeds(t, plane, ['get', `--namespace=${namespace}`, ...args.split(' ')])
  return `$ kubectl get ${args}\n${output.replace(/\d+s$/gm, '<age>')}\n`
}
