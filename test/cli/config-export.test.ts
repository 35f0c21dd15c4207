import { readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { folderOf, runCli } from './run-cli.ts'

const MANIFESTS = `kind: ProviderGroup
apiVersion: korproxy.dev/v1alpha1
spec:
  selectionStrategy: RoundRobin
  health: {failureThreshold: 3, backoff: {initial: 45s}}
  accountRefs: [{name: main, weight: 100, priority: 1}]
metadata: {name: pool, namespace: team-a}
---
apiVersion: v1
kind: Secret
metadata: {name: main, namespace: team-a}
stringData: {apiKey: sk-planted}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: main, namespace: team-a, labels: {size: "1"}}
spec: {state: Enabled, provider: OpenAI, auth: {type: APIKey, secretKeyRef: {name: main, key: apiKey}}}
`

const LEFT_OUT = '1 Secret left out; --with-secrets writes them too\n'
const CANONICAL = `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata:
  name: main
  namespace: team-a
  labels:
    size: "1"
spec:
  provider: OpenAI
  auth:
    secretKeyRef:
      name: main
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata:
  name: pool
  namespace: team-a
spec:
  accountRefs:
    - name: main
      priority: 1
  health:
    backoff:
      initial: 45s
`

t.test('R4.9 export writes one canonical form, without defaults and without secrets', async (t) => {
  const folder = folderOf(t, { 'a.yaml': MANIFESTS })
  t.strictSame(await runCli(['config', 'export', folder]), { code: 0, out: CANONICAL, err: LEFT_OUT })
})

t.test('what was exported exports as itself', async (t) => {
  const folder = folderOf(t, { 'a.yaml': CANONICAL })
  t.strictSame(await runCli(['config', 'export', folder]), { code: 0, out: CANONICAL, err: '' })
})

t.test('objects of the default namespace name none', async (t) => {
  const folder = folderOf(t, { 'a.yaml': MANIFESTS })
  const { out } = await runCli(['config', 'export', folder, '-n', 'team-a'])
  t.notMatch(out, /namespace/)
})

t.test('JSON is a List, as kubectl writes it', async (t) => {
  const folder = folderOf(t, { 'a.yaml': MANIFESTS })
  const { out } = await runCli(['config', 'export', folder, '-o', 'json'])
  const list = JSON.parse(out)
  t.equal(list.apiVersion, 'v1')
  t.equal(list.kind, 'List')
  t.strictSame(list.items[0], {
    apiVersion: 'korproxy.dev/v1alpha1',
    kind: 'ProviderAccount',
    metadata: { name: 'main', namespace: 'team-a', labels: { size: '1' } },
    spec: { provider: 'OpenAI', auth: { secretKeyRef: { name: 'main' } } },
  })
})

t.test('--defaults writes out what counts', async (t) => {
  const folder = folderOf(t, { 'a.yaml': MANIFESTS })
  const { out } = await runCli(['config', 'export', folder, '--defaults', '-o', 'json'])
  const group = JSON.parse(out).items[1]
  t.equal(group.spec.retry.maxAttempts, 3)
  t.equal(group.spec.health.backoff.max, '5m')
})

t.test('values of Secrets need --with-secrets, and a file that only its owner reads', async (t) => {
  const folder = folderOf(t, { 'a.yaml': MANIFESTS })
  const file = `${folder}/backup.txt`
  const { out, err } = await runCli(['config', 'export', folder, '--with-secrets', '--output', file])
  t.equal(out, '')
  t.equal(err, `${file}: 3 objects\n`)
  t.match(readFileSync(file, 'utf8'), /apiKey: sk-planted/)
  t.equal(statSync(file).mode & 0o777, 0o600)
})

t.test('a file that cannot be written is KP-SYS-522 with what to do', async (t) => {
  const folder = folderOf(t, { 'a.yaml': MANIFESTS })
  for (const [path, reason] of [
    [`${folder}/none/x`, 'ENOENT'],
    [folder, 'EISDIR'],
  ] as const) {
    const { code, err } = await runCli(['config', 'export', folder, '--output', path])
    t.equal(code, 1)
    t.match(err, `korproxy: KP-SYS-522 ${path} cannot be read or written: ${reason}.\n  Check that the path is right`)
  }
})

t.test('an object that cannot be read is told, with exit code 1', async (t) => {
  const folder = folderOf(t, { 'a.yaml': `${MANIFESTS}---\napiVersion: korproxy.dev/v1alpha1\nkind: Nothing\n` })
  const { code, out, err } = await runCli(['config', 'export', folder])
  t.equal(code, 1)
  t.equal(out, CANONICAL)
  t.match(err, /a\.yaml:20:1 KP-CONF-202 kind: kind "Nothing"/)
})
