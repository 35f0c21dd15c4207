import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openFolderSource, readFolder } from '../../../src/controller/sources/folder.ts'
import { FolderReader, type FolderSet } from '../../../src/controller/sources/folder-reader.ts'
import { formatProblem } from '../../../src/controller/sources/format-problem.ts'

const ENVIRONMENT = { OPENAI_API_KEY: 'sk-from-env', EMPTY: '' }
const OPTIONS = { namespace: 'default', environment: ENVIRONMENT }

const account = (name: string, spec = 'provider: Mock') =>
  `apiVersion: korproxy.dev/v1alpha1\nkind: ProviderAccount\nmetadata: {name: ${name}}\nspec: {${spec}}\n`
const secret = (name: string, value: string) =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}}\nstringData: {apiKey: ${value}}\n`

const names = ({ resources }: FolderSet) => resources.map(({ metadata }) => metadata.name)
const told = ({ problems }: FolderSet) => problems.map(formatProblem)
const displayNames = ({ resources }: FolderSet) =>
  resources.map((resource) => ('displayName' in resource.spec ? resource.spec.displayName : undefined))

/** A source on a folder, and a way to await what it tells. */
async function follow(t: Test, path: string) {
  const sets: FolderSet[] = []
  let wake = () => {}
  const source = await openFolderSource(path, {
    ...OPTIONS,
    log: { warn: (details, message) => t.comment(message, details) },
    onChange: (set) => {
      sets.push(set)
      wake()
    },
  })
  t.teardown(() => source.close())
  /** Resolves with the first set, seen or to come, that `test` accepts; tap's own time-out ends a wait in vain. */
  const until = async (test: (set: FolderSet) => boolean): Promise<FolderSet> => {
    for (;;) {
      if (test(source.current())) return source.current()
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { source, sets, until }
}

t.test('R4.7 a link to nothing is told, beside everything else', async (t) => {
  const folder = t.testdir({ 'a.yaml': account('a') })
  symlinkSync('/nonexistent/b.yaml', join(folder, 'b.yaml'))
  symlinkSync('/nonexistent/team', join(folder, 'team'))
  symlinkSync('/nonexistent/notes.txt', join(folder, 'notes.txt'))
  const set = await readFolder(folder, OPTIONS)
  t.strictSame(names(set), ['a'])
  t.strictSame(told(set), [
    `${folder}/b.yaml:1:1 KP-CONF-215 cannot be read: it is a link to what does not exist`,
    `${folder}/team:1:1 KP-CONF-215 cannot be read: it is a link to what does not exist`,
  ])
})

t.test('R4.7 reads every manifest of a folder and its folders, and nothing else', async (t) => {
  const folder = t.testdir({
    'b.yml': account('b'),
    'a.yaml': `${secret('key', 'sk-1')}---\n${account('a', 'provider: OpenAI, auth: {secretKeyRef: {name: key}}')}`,
    deep: {
      er: {
        'c.json': JSON.stringify({
          apiVersion: 'korproxy.dev/v1alpha1',
          kind: 'GatewayConfig',
          metadata: { name: 'c', namespace: 'team' },
          spec: {},
        }),
      },
    },
    '.hidden.yaml': account('hidden'),
    'notes.txt': 'not a manifest',
    'a.yaml~': 'not: [a manifest',
  })
  const set = await readFolder(folder, OPTIONS)
  t.strictSame(told(set), [])
  t.strictSame(
    set.resources.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`),
    ['ProviderAccount default/a', 'ProviderAccount default/b', 'GatewayConfig team/c'],
  )
  t.match(set.secrets, [{ namespace: 'default', name: 'key', data: { apiKey: 'sk-1' }, resourceVersion: '1' }])
  t.strictSame(names(await readFolder(join(folder, 'b.yml'), OPTIONS)), ['b'], 'a single file')
})

t.test('R4.7 every problem names file, line, column, code and field', async (t) => {
  const folder = t.testdir({
    'bad.yaml': `${account('good')}---\n${account('bad', 'provider: Mock, colour: red')}---\napiVersion: korproxy.dev/v1alpha1\nkind: Pod\nmetadata: {name: p}\n---\njust text\n`,
    'broken.yaml': 'a: [1,\n',
    'twice.yaml': account('good'),
    'zz-warned.yaml': account('warned', 'provider: Mock, limits: {maxInFlight: 010}'),
  })
  const set = await readFolder(folder, OPTIONS)
  t.strictSame(names(set), ['good', 'warned'])
  t.strictSame(
    told(set).map((line) => line.replaceAll(`${folder}/`, '')),
    [
      'bad.yaml:9:24 KP-CONF-204 spec.colour: no such field',
      'bad.yaml:12:1 KP-CONF-202 kind: kind "Pod" with apiVersion "korproxy.dev/v1alpha1" is not known; kinds of korproxy.dev/v1alpha1 are ProviderAccount, ProviderGroup, RoutingProfile, GatewayClient, UsagePolicy, ModelCatalog, GatewayConfig',
      'bad.yaml:15:1 KP-CONF-202 must be an object',
      'broken.yaml:2:1 KP-CONF-201 Flow sequence in block collection must be sufficiently indented and end with a ]',
      'zz-warned.yaml:4:46 KP-CONF-211 spec.limits.maxInFlight: unquoted, kubectl reads this as a number of another form (octal, binary, with "_"); write it in decimal or put it in quotes',
      'twice.yaml:3:12 KP-CONF-205 metadata.name: ProviderAccount good is already defined at bad.yaml:3',
    ],
  )
})

t.test('R4.8 objects of other Kubernetes APIs are left out with a warning; slips of the pen are errors', async (t) => {
  const object = (apiVersion: string, kind: string) => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n`
  const folder = t.testdir({
    'a.yaml': `${account('a')}---\n${object('external-secrets.io/v1', 'ExternalSecret')}`,
    'kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n',
    'slips.yaml': [
      object('korproxy.dev/v1alpha2', 'ProviderAccount'),
      object('korproxy.de/v1alpha1', 'ProviderAcount'),
      object('v1', 'GatewayClient'),
      object('v2', 'Secret'),
      'kind: Deployment\n',
    ].join('---\n'),
  })
  const set = await readFolder(folder, OPTIONS)
  t.strictSame(names(set), ['a'])
  t.strictSame(
    told(set).map((line) => line.replaceAll(`${folder}/`, '').replace(/ is not known; .*/, '')),
    [
      "a.yaml:7:1 KP-CONF-227 kind: ExternalSecret of external-secrets.io/v1 is none of KorProxy's and is left out",
      "kustomization.yaml:2:1 KP-CONF-227 kind: Kustomization of kustomize.config.k8s.io/v1beta1 is none of KorProxy's and is left out",
      'slips.yaml:1:1 KP-CONF-202 apiVersion: apiVersion must be korproxy.dev/v1alpha1, not "korproxy.dev/v1alpha2"',
      'slips.yaml:6:1 KP-CONF-202 kind: kind "ProviderAcount" with apiVersion "korproxy.de/v1alpha1"',
      'slips.yaml:9:1 KP-CONF-202 apiVersion: apiVersion must be korproxy.dev/v1alpha1, not "v1"',
      'slips.yaml:14:1 KP-CONF-202 kind: kind "Secret" with apiVersion "v2"',
      'slips.yaml:17:1 KP-CONF-202 kind: kind "Deployment" with apiVersion (missing)',
    ],
  )
})

t.test('an object that is taken out beside a foreign one of its name is gone', async (t) => {
  const foreign = 'apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: a}\n'
  const folder = t.testdir({ 'a.yaml': `${account('a')}---\n${foreign}`, 'b.yaml': account('b') })
  const reader = new FolderReader(folder, OPTIONS)
  t.strictSame(names((await reader.read()).set), ['a', 'b'])
  writeFileSync(join(folder, 'a.yaml'), foreign)
  t.strictSame(names((await reader.read()).set), ['b'])
})

t.test('R4.7 a folder that cannot be read is an error at the start', async (t) => {
  const folder = t.testdir({})
  await t.rejects(readFolder(join(folder, 'nowhere'), OPTIONS), { code: 'KP-CONF-215' })
  await t.rejects(
    openFolderSource(join(folder, 'nowhere'), { ...OPTIONS, log: { warn: () => {} }, onChange: () => {} }),
    { code: 'KP-CONF-215' },
  )
  t.strictSame(names(await readFolder(folder, OPTIONS)), [], 'an empty one is not')
  mkdirSync(join(folder, 'deep'))
  symlinkSync('loop', join(folder, 'deep', 'loop'))
  await t.rejects(readFolder(folder, OPTIONS), { message: `${folder}/deep/loop cannot be read: ELOOP` }, 'its own name')
})

t.test('R4.7 Secrets as manifests: data and stringData; wrong ones are told without their values', async (t) => {
  const folder = t.testdir({
    'a.yaml':
      'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: Opaque\ndata: {x: c2stMQ==, both: b2xk}\nstringData: {both: new}\n',
    'b.yaml':
      'apiVersion: v1\nkind: Secret\nmetadata: {name: b}\ndata: {x: "not base64 sk-9"}\nstringData: {other: 12345}\nsecret: sk-9\n',
  })
  const set = await readFolder(folder, OPTIONS)
  t.strictSame(
    set.secrets.map(({ data }) => data),
    [{ x: 'sk-1', both: 'new' }],
  )
  t.strictSame(
    told(set).map((line) => line.replaceAll(`${folder}/`, '')),
    [
      'b.yaml:6:1 KP-CONF-204 secret: no such field',
      'b.yaml:4:8 KP-CONF-203 data.x: must be base64',
      'b.yaml:5:14 KP-CONF-203 stringData.other: invalid input: expected string, received number',
    ],
  )
})

t.test('R4.7 credentials from the environment and from files', async (t) => {
  const folder = t.testdir({
    keys: { gemini: 'sk-from-file\n' },
    conf: {
      'a.yaml': [
        account('env', 'provider: OpenAI, auth: {valueFrom: {env: OPENAI_API_KEY}}'),
        account('file', 'provider: Gemini, auth: {valueFrom: {file: ../keys/gemini}}'),
        account('empty', 'provider: OpenAI, auth: {valueFrom: {env: EMPTY}}'),
        account('gone', 'provider: OpenAI, auth: {valueFrom: {file: gone}}'),
      ].join('---\n'),
    },
  })
  const set = await readFolder(join(folder, 'conf'), OPTIONS)
  t.strictSame(set.externalCredentials, [
    { namespace: 'default', account: 'env', value: 'sk-from-env', resourceVersion: '1' },
    { namespace: 'default', account: 'file', value: 'sk-from-file', resourceVersion: '1' },
  ])
  t.strictSame(names(set), ['env', 'file', 'empty', 'gone'])
  t.strictSame(told(set), [], 'the compiler tells of those that are missing')
})

t.test('R4.7 hot reload: a file changed, added and removed', async (t) => {
  const folder = t.testdir({ 'a.yaml': account('a') })
  const { source, until } = await follow(t, folder)
  t.strictSame(names(source.current()), ['a'])
  writeFileSync(join(folder, 'a.yaml'), account('a', 'provider: Mock, displayName: New'))
  await until((set) => displayNames(set)[0] === 'New')
  mkdirSync(join(folder, 'more'))
  writeFileSync(join(folder, 'more', 'b.yaml'), account('b'))
  await until((set) => names(set).join() === 'a,b')
  writeFileSync(join(folder, 'more', 'b.yaml'), account('b', 'provider: Mock, displayName: Deep'))
  await until((set) => displayNames(set)[1] === 'Deep')
  unlinkSync(join(folder, 'a.yaml'))
  await until((set) => names(set).join() === 'b')
})

t.test('R4.4 R4.7 the last good form of each object stays while its file is invalid', async (t) => {
  const folder = t.testdir({
    'a.yaml': `${account('a', 'provider: Mock, displayName: One')}---\n${account('b')}`,
    'c.yaml': account('c'),
  })
  const { until } = await follow(t, folder)
  writeFileSync(join(folder, 'a.yaml'), `${account('a', 'provider: Mock, displayName: 7')}---\n${account('d')}`)
  const invalid = await until((set) => set.problems.length > 0)
  t.strictSame(names(invalid), ['a', 'd', 'c'], 'an object that is gone is gone, an invalid one is as it was')
  t.strictSame(displayNames(invalid)[0], 'One')
  writeFileSync(join(folder, 'a.yaml'), 'a: [')
  const unreadable = await until((set) => set.problems[0]?.code === 'KP-CONF-201')
  t.strictSame(names(unreadable), ['a', 'd', 'c'], 'an unreadable file changes nothing')
  writeFileSync(join(folder, 'a.yaml'), account('a', 'provider: Mock, displayName: Two'))
  const mended = await until((set) => set.problems.length === 0)
  t.strictSame(displayNames(mended), ['Two', undefined])
})

t.test('R4.7 the ways in which editors and Kubernetes write files', async (t) => {
  const folder = t.testdir({ conf: { '..1': { 'a.yaml': account('a', 'provider: Mock, displayName: One') } } })
  const conf = join(folder, 'conf')
  symlinkSync('..1', join(conf, '..data'))
  symlinkSync('..data/a.yaml', join(conf, 'a.yaml'))
  const { source, until } = await follow(t, conf)
  t.strictSame(names(source.current()), ['a'], 'a mounted ConfigMap is read once')
  mkdirSync(join(conf, '..2'))
  writeFileSync(join(conf, '..2', 'a.yaml'), account('a', 'provider: Mock, displayName: Two'))
  symlinkSync('..2', join(conf, '..data_tmp'))
  renameSync(join(conf, '..data_tmp'), join(conf, '..data'))
  rmSync(join(conf, '..1'), { recursive: true })
  await until((set) => displayNames(set)[0] === 'Two')
  writeFileSync(join(conf, 'b.yaml.tmp'), account('b'))
  renameSync(join(conf, 'b.yaml.tmp'), join(conf, 'b.yaml'))
  await until((set) => names(set).join() === 'a,b')
})

t.test('R4.7 a folder that is replaced as a whole is followed', async (t) => {
  const folder = t.testdir({ conf: { 'a.yaml': account('a') }, next: { 'b.yaml': account('b') } })
  const { until } = await follow(t, join(folder, 'conf'))
  renameSync(join(folder, 'conf'), join(folder, 'before'))
  renameSync(join(folder, 'next'), join(folder, 'conf'))
  await until((set) => names(set).join() === 'b')
  writeFileSync(join(folder, 'conf', 'c.yaml'), account('c'))
  await until((set) => names(set).join() === 'b,c')
})

t.test('R4.7 a single file is followed', async (t) => {
  const folder = t.testdir({ 'a.yaml': account('a') })
  const { until } = await follow(t, join(folder, 'a.yaml'))
  writeFileSync(join(folder, 'new'), account('b'))
  renameSync(join(folder, 'new'), join(folder, 'a.yaml'))
  await until((set) => names(set).join() === 'b')
})

t.test('R4.7 a file that is emptied counts only when it stays empty', async (t) => {
  const folder = t.testdir({ 'a.yaml': account('a') })
  const { sets, until } = await follow(t, folder)
  writeFileSync(join(folder, 'a.yaml'), '')
  await until((set) => names(set).length === 0)
  t.equal(sets.length, 1)
})

t.test('a Secret has another version after each change of a value, and only then', async (t) => {
  const folder = t.testdir({ 'a.yaml': secret('key', 'sk-1') })
  const { until } = await follow(t, folder)
  writeFileSync(join(folder, 'a.yaml'), `# a comment\n${secret('key', 'sk-1')}${account('a').replace(/^/, '---\n')}`)
  const same = await until((set) => names(set).length === 1)
  t.strictSame(
    same.secrets.map(({ resourceVersion }) => resourceVersion),
    ['1'],
  )
  writeFileSync(join(folder, 'a.yaml'), secret('key', 'sk-2'))
  const changed = await until((set) => names(set).length === 0)
  t.strictSame(
    changed.secrets.map(({ resourceVersion }) => resourceVersion),
    ['2'],
  )
  writeFileSync(join(folder, 'a.yaml'), secret('key', 'sk-1'))
  const back = await until((set) => set.secrets[0]?.data['apiKey'] === 'sk-1')
  t.strictSame(
    back.secrets.map(({ resourceVersion }) => resourceVersion),
    ['3'],
  )
})

t.test('a credential file is followed, and keeps its last value while it is gone', async (t) => {
  const folder = t.testdir({
    keys: { gemini: 'sk-1' },
    conf: { 'a.yaml': account('a', 'provider: Gemini, auth: {valueFrom: {file: ../keys/gemini}}') },
  })
  const { until } = await follow(t, join(folder, 'conf'))
  writeFileSync(join(folder, 'keys', 'gemini'), 'sk-2')
  const changed = await until((set) => set.externalCredentials[0]?.value === 'sk-2')
  t.equal(changed.externalCredentials[0]?.resourceVersion, '2')
  unlinkSync(join(folder, 'keys', 'gemini'))
  const gone = await until((set) => set.problems.length > 0)
  t.equal(gone.externalCredentials[0]?.value, 'sk-2')
  t.strictSame(
    told(gone).map((line) => line.replaceAll(`${folder}/`, '')),
    [
      'conf/a.yaml:4:33 KP-CONF-206 spec.auth.valueFrom: file keys/gemini cannot be read: ENOENT; its last value stays in use',
    ],
  )
})

t.test('nothing is told when nothing changed, and nothing after closing', async (t) => {
  const folder = t.testdir({ 'a.yaml': account('a') })
  const { source, sets, until } = await follow(t, folder)
  writeFileSync(join(folder, 'a.yaml'), account('a'))
  writeFileSync(join(folder, 'notes.txt'), 'x')
  writeFileSync(join(folder, 'b.yaml'), account('b'))
  await until((set) => names(set).length === 2)
  t.equal(sets.length, 1)
  await source.close()
  writeFileSync(join(folder, 'c.yaml'), account('c'))
  t.strictSame(names(source.current()), ['a', 'b'])
})

t.test('R4.4 a broken document stops no other, and what it held stays', async (t) => {
  const broken = 'apiVersion: v1\nkind: Secret\nmetadata: {name: key\n'
  const folder = t.testdir({ 'a.yaml': `${account('a')}---\n${broken}---\n${account('b')}` })
  const { source, until } = await follow(t, folder)
  t.strictSame(names(source.current()), ['a', 'b'], 'at the start')
  t.match(told(source.current()), [/a\.yaml:\d+:\d+ KP-CONF-201 /])
  writeFileSync(join(folder, 'a.yaml'), `${account('a')}---\n${secret('key', 'sk-1')}---\n${account('b')}`)
  await until((set) => set.problems.length === 0)
  const edited = account('b', 'provider: Mock, displayName: New')
  writeFileSync(join(folder, 'a.yaml'), `${account('a')}---\n${broken}---\n${edited}`)
  const set = await until(({ problems }) => problems.length > 0)
  t.strictSame(displayNames(set), [undefined, 'New'], 'a good edit beside it counts')
  t.match(set.secrets, [{ name: 'key', data: { apiKey: 'sk-1' }, resourceVersion: '1' }])
})

t.test('R4.4 a file that is not UTF-8 is refused, and what it held stays', async (t) => {
  const folder = t.testdir({ 'a.yaml': account('a', 'provider: Mock, displayName: Cafe') })
  const { until } = await follow(t, folder)
  writeFileSync(join(folder, 'a.yaml'), Buffer.from(account('a', 'provider: Mock, displayName: Caf\xe9'), 'latin1'))
  const set = await until(({ problems }) => problems.length > 0)
  t.strictSame(told(set), [`${folder}/a.yaml:1:1 KP-CONF-201 is not UTF-8`])
  t.strictSame(displayNames(set), ['Cafe'])
})

t.test('a client may stand in what could not be read at the start, and in nothing else', async (t) => {
  const unreadClients = async (files: Record<string, string | Buffer>) =>
    (await readFolder(t.testdir({ 'a.yaml': account('a'), ...files }), OPTIONS)).unreadClients
  const object = (head: string) => `${head}\nmetadata: {name: c}\nspec: {credentials: []}\n`
  const ours = 'apiVersion: korproxy.dev/v1alpha1'
  for (const text of [
    object(`${ours}\nkind: GatewayClient`).replace('c}', 'c'),
    object(`${ours}\nkind: GatewayCleint`),
    object(`${ours}\nkind: GatewayClient`).replace('[]', '7'),
    object(ours),
    object('kind: GatewayCleint'),
    object('apiVersion: v1\nkind: GatewayClient'),
    'kind:GatewayClient\n',
    Buffer.from([0xe9]),
  ]) {
    t.equal(await unreadClients({ 'client.yaml': text }), 'some', text.toString())
  }
  for (const text of [
    object(`${ours}\nkind: ProviderAccount`),
    object('apiVersion: v1\nkind: Pod'),
    object('apiVersion: apps/v1\nkind: GatewayCleint'),
    'resources: [a.yaml]\n',
    'apiVersion: v1\nkind: Secret\n',
  ]) {
    t.equal(await unreadClients({ 'other.yaml': text }), 'none', text)
  }
})

t.test('R4.4 a file that was read well hides no client when it breaks, until then it may', async (t) => {
  const folder = t.testdir({ 'a.yaml': account('a'), 'b.yaml': 'a: [' })
  const { source, until } = await follow(t, folder)
  t.equal(source.current().unreadClients, 'some')
  writeFileSync(join(folder, 'b.yaml'), 'still: [')
  writeFileSync(join(folder, 'c.yaml'), account('c'))
  t.equal((await until((set) => names(set).includes('c'))).unreadClients, 'some', 'it is still broken')
  writeFileSync(join(folder, 'b.yaml'), account('b'))
  t.equal((await until((set) => names(set).includes('b'))).unreadClients, 'none')
  writeFileSync(join(folder, 'b.yaml'), `${account('b')}---\na: [`)
  t.equal((await until((set) => set.problems.length > 0)).unreadClients, 'none')
})
