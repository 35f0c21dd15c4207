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
  t.equal((await runCli(['config', 'validate', folder], { KEY_OF_TEST: 'sk-1' })).code, 0)
})

t.test('a path that is not there is KP-CONF-215 with what to do', async (t) => {
  t.strictSame(await runCli(['config', 'validate', '/nowhere/at/all']), {
    code: 1,
    out: '',
    err: 'korproxy: KP-CONF-215 /nowhere/at/all cannot be read: ENOENT\n  Check the path and its permissions.\n  More: korproxy explain KP-CONF-215\n',
  })
})
