import t from 'tap'
import { folderOf, runCli } from './run-cli.ts'

const GOOD = `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata:
  name: mock
spec:
  provider: Mock
`

const BAD = `apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata:
  name: pool
spec:
  accountRefs:
    - name: mock
    - name: nobody
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata:
  name: broken
spec:
  provider: Mock
  colour: red
`

const WARNING = `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata:
  name: mock
  labels:
    size: "1"
spec:
  provider: Mock
  limits:
    requestsPerMinute: 1_000
`

t.test('R4.8 a valid folder is counted, with exit code 0', async (t) => {
  const folder = folderOf(t, { 'a.yaml': GOOD })
  t.strictSame(await runCli(['config', 'validate', folder]), {
    code: 0,
    out: `${folder}: valid: 1 ProviderAccount\n`,
    err: '',
  })
})

t.test('R4.7 each problem is a line with file, line, column, code and field, with exit code 1', async (t) => {
  const folder = folderOf(t, { 'a.yaml': GOOD, 'b.yaml': BAD })
  t.strictSame(await runCli(['config', 'validate', folder]), {
    code: 1,
    out: [
      `${folder}/b.yaml:8:7 KP-CONF-207 spec.accountRefs[1].name: ProviderAccount nobody does not exist\n`,
      `${folder}/b.yaml:16:3 KP-CONF-204 spec.colour: no such field\n`,
    ].join(''),
    err: `${folder}: not valid: 2 errors, 0 warnings\n`,
  })
})

t.test('a warning leaves exit code 0, and 1 with --strict', async (t) => {
  const folder = folderOf(t, { 'a.yaml': WARNING })
  const line = `${folder}/a.yaml:10:24 KP-CONF-211 spec.limits.requestsPerMinute: unquoted, kubectl reads this as a number of another form (octal, binary, with "_"); write it in decimal or put it in quotes\n`
  t.strictSame(await runCli(['config', 'validate', folder]), {
    code: 0,
    out: line,
    err: `${folder}: valid: 0 errors, 1 warning\n`,
  })
  t.strictSame(await runCli(['config', 'validate', folder, '--strict']), {
    code: 1,
    out: line,
    err: `${folder}: not valid: 0 errors, 1 warning\n`,
  })
})

t.test('JSON names each part of a problem', async (t) => {
  const folder = folderOf(t, { 'a.yaml': GOOD, 'b.yaml': BAD })
  const { code, out, err } = await runCli(['config', 'validate', folder, '-o', 'json'])
  t.equal(code, 1)
  t.equal(err, '')
  t.strictSame(JSON.parse(out), {
    valid: false,
    objects: '1 ProviderAccount, 1 ProviderGroup',
    errors: 2,
    warnings: 0,
    problems: [
      {
        code: 'KP-CONF-207',
        severity: 'error',
        file: `${folder}/b.yaml`,
        line: 8,
        column: 7,
        kind: 'ProviderGroup',
        namespace: 'default',
        name: 'pool',
        field: 'spec.accountRefs[1].name',
        message: 'ProviderAccount nobody does not exist',
      },
      {
        code: 'KP-CONF-204',
        severity: 'error',
        file: `${folder}/b.yaml`,
        line: 16,
        column: 3,
        kind: 'ProviderAccount',
        namespace: 'default',
        name: 'broken',
        field: 'spec.colour',
        message: 'no such field',
      },
    ],
  })
})

t.test('YAML is another form of the same', async (t) => {
  const folder = folderOf(t, { 'a.yaml': GOOD })
  const { code, out } = await runCli(['config', 'validate', folder, '-o', 'yaml'])
  t.equal(code, 0)
  t.equal(out, 'valid: true\nobjects: 1 ProviderAccount\nerrors: 0\nwarnings: 0\nproblems: []\n')
})

t.test('several paths are one configuration, and an object in two of them is told', async (t) => {
  const folder = folderOf(t, { 'a.yaml': GOOD, 'b.yaml': GOOD })
  const { code, out } = await runCli(['config', 'validate', `${folder}/a.yaml`, `${folder}/b.yaml`])
  t.equal(code, 1)
  t.equal(
    out,
    `${folder}/b.yaml:4:3 KP-CONF-205 metadata.name: ProviderAccount mock is already defined in ${folder}/a.yaml\n`,
  )
})

t.test('a credential that the environment lacks is an error, as it is when serving', async (t) => {
  const manifest = `${GOOD.replace('provider: Mock', 'provider: OpenAI')}  auth:\n    valueFrom:\n      env: KEY_OF_TEST\n`
  const folder = folderOf(t, { 'a.yaml': manifest })
  const without = await runCli(['config', 'validate', folder])
  t.equal(without.code, 1)
  t.match(without.out, /a\.yaml:8:5 KP-CONF-206 spec\.auth\.valueFrom: environment variable KEY_OF_TEST is not set/)
  t.equal(
    without.err,
    `${folder}: not valid: 1 error, 0 warnings\nCredentials need not be real for this check: any value of the variable or file will do, as in \`NAME=any korproxy config validate\`.\n`,
  )
  t.equal((await runCli(['config', 'validate', folder], { KEY_OF_TEST: 'sk-1' })).code, 0)
})

t.test('Secrets that only a cluster has may be stood in for', async (t) => {
  const manifest = `${GOOD.replace('provider: Mock', 'provider: OpenAI')}  auth: {secretKeyRef: {name: openai}}\n`
  const placeholder = 'apiVersion: v1\nkind: Secret\nmetadata: {name: openai}\nstringData: {apiKey: any}\n'
  const folder = folderOf(t, { 'a.yaml': manifest })
  const without = await runCli(['config', 'validate', folder])
  t.equal(without.code, 1)
  t.match(
    without.err,
    '\nSecrets need not be real for this check: --server looks for those of a cluster, and a manifest',
  )
  t.equal((await runCli(['config', 'validate', folder, folderOf(t, { 'secrets.yaml': placeholder })])).code, 0)
})

t.test('R4.8 a rule that routes nothing is a warning: it fails only where warnings fail', async (t) => {
  const rules = `apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: pool}
spec: {accountRefs: [{name: mock}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec:
  rules:
  - name: all
    match: {models: ["*"]}
    providerGroups: [{name: pool}]
  - name: claude
    match: {models: ["claude-*"], clients: [team-a]}
    providerGroups: [{name: pool}]
`
  const folder = folderOf(t, { 'a.yaml': GOOD, 'rules.yaml': rules })
  const { code, out, err } = await runCli(['config', 'validate', folder])
  t.equal(code, 0)
  t.strictSame(out.replaceAll(`${folder}/`, '').split('\n'), [
    'rules.yaml:14:5 KP-CONF-225 spec.rules[1]: never matches: rule all before it takes all its requests',
    'rules.yaml:15:45 KP-CONF-226 spec.rules[1].match.clients[0]: GatewayClient team-a does not exist',
    '',
  ])
  t.equal(err, `${folder}: valid: 0 errors, 2 warnings\n`)
  t.equal((await runCli(['config', 'validate', '--strict', folder])).code, 1)
})

t.test('a path that is not there is KP-CONF-215 with what to do', async (t) => {
  t.strictSame(await runCli(['config', 'validate', '/nowhere/at/all']), {
    code: 1,
    out: '',
    err: 'korproxy: KP-CONF-215 /nowhere/at/all cannot be read: ENOENT\n  Check the path and its permissions.\n  More: korproxy explain KP-CONF-215\n',
  })
})

const broken = (name: string) => `${GOOD.replace('name: mock', `name: ${name}`)}  colour: red\n`

t.test('a folder without any account is told so once, and by what it lacks', async (t) => {
  const folder = folderOf(t, { 'a.yaml': '# nothing yet\n' })
  const { code, out } = await runCli(['config', 'validate', folder])
  t.equal(code, 0)
  t.equal(out, 'Namespace/default KP-CONF-218 No ProviderAccount is configured.\n')
})

t.test('what is there but not valid is not told to be missing', async (t) => {
  const group = `apiVersion: korproxy.dev/v1alpha1\nkind: ProviderGroup\nmetadata: {name: pool}\nspec: {accountRefs: [{name: mock}]}\n`
  const secret = `apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {apiKey: 7}\n`
  const user = `${GOOD.replaceAll(/mock/gi, 'openai').replace('openai\n', 'user\n')}`.replace('openai', 'OpenAI')
  const withSecret = `${user}  auth: {secretKeyRef: {name: key}}\n`
  const folder = folderOf(t, { 'a.yaml': `${broken('mock')}---\n${group}`, 'b.yaml': `${secret}---\n${withSecret}` })
  const { out } = await runCli(['config', 'validate', folder])
  t.strictSame(out.replaceAll(`${folder}/`, '').split('\n'), [
    'a.yaml:7:3 KP-CONF-204 spec.colour: no such field',
    'a.yaml:12:23 KP-CONF-207 spec.accountRefs[0].name: ProviderAccount mock is not valid',
    'b.yaml:4:14 KP-CONF-203 stringData.apiKey: invalid input: expected string, received number',
    'b.yaml:12:10 KP-CONF-206 spec.auth.secretKeyRef: Secret key is not valid',
    '',
  ])
})

t.test('an account that was refused is an account', async (t) => {
  for (const text of [broken('mock'), GOOD.replace('name: mock', 'name: {'), GOOD.replace('Account', 'Acount')]) {
    const { code, out } = await runCli(['config', 'validate', folderOf(t, { 'a.yaml': text })])
    t.equal(code, 1)
    t.notMatch(out, /KP-CONF-218/, text)
  }
})

t.test('a credential that cannot be used is told with its reason, without its value', async (t) => {
  const account = (source: string) =>
    `${GOOD.replace('provider: Mock', 'provider: OpenAI')}  auth: {valueFrom: {${source}}}\n`
  const inSecret = (value: string) =>
    `apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {apiKey: ${value}}\n---\n${account('env: KEY').replace('valueFrom: {env: KEY}', 'secretKeyRef: {name: key}')}`
  const cases: readonly (readonly [string, string])[] = [
    [account('env: NOT_THERE'), 'spec.auth.valueFrom: environment variable NOT_THERE is not set'],
    [account('env: EMPTY'), 'spec.auth.valueFrom: environment variable EMPTY is empty'],
    [
      account('env: CURLY'),
      'spec.auth.valueFrom: environment variable CURLY has a character that is not visible ASCII',
    ],
    [account('file: gone'), 'spec.auth.valueFrom: file .*/gone cannot be read: ENOENT'],
    [account('file: .'), 'spec.auth.valueFrom: file .* cannot be read: EISDIR'],
    [account('file: blank'), 'spec.auth.valueFrom: file .*/blank is empty'],
    [account('file: lines'), 'spec.auth.valueFrom: file lines has a line break behind character 5'],
    [
      inSecret('"\u201csk\u201d"'),
      'spec.auth.secretKeyRef: key apiKey of Secret key has a character that is not visible',
    ],
    [inSecret('"sk\\nsk"'), 'spec.auth.secretKeyRef: key apiKey of Secret key has a line break behind character 2'],
    [inSecret('"***REDACTED***"'), 'spec.auth.secretKeyRef: key apiKey of Secret key is the placeholder of an export'],
  ]
  for (const [text, expected] of cases) {
    const folder = folderOf(t, { 'a.yaml': text, blank: ' \n', lines: 'first\nsecond\n' })
    const { code, out } = await runCli(['config', 'validate', folder], { EMPTY: '', CURLY: '\u201csk\u201d' })
    t.equal(code, 1)
    t.match(out, new RegExp(`^${folder}/a\\.yaml:\\d+:\\d+ KP-CONF-206 ${expected}.*\n$`), expected)
    t.notMatch(out.replaceAll(folder, ''), /sk|\u201c|first|second/, 'no part of the value')
  }
  const fine = folderOf(t, { 'a.yaml': inSecret('"  sk-1 \\n"') })
  t.equal((await runCli(['config', 'validate', fine])).code, 0)
})
