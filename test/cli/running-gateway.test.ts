import { join } from 'node:path'
import t from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { accounts, scratch, startStack } from '../helpers/stack.ts'
import { folderOf, runCli } from './run-cli.ts'

/** An address on this machine where nobody listens. */
async function closedAddress(): Promise<string> {
  const simulator = await startSimulator()
  await simulator.close()
  return simulator.url
}

t.test('status shows configuration, problems, accounts and their health', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const flags = ['--server', stack.url, '--token', 'kpm-test']
  const { code, out } = await runCli(['status', ...flags])
  t.equal(code, 0)
  t.match(
    out,
    new RegExp(`^Gateway {9}${stack.url}
Configuration {3}sha256:[0-9a-f]{64}
Under way {7}0
Problems {8}0

NAMESPACE  ACCOUNT  PROVIDER  STATE    HEALTH     UNTIL  IN FLIGHT  LAST ERROR
default    a        OpenAI    Enabled  available  -      0          -
$`),
  )
  const json = JSON.parse((await runCli(['status', ...flags, '-o', 'json'])).out)
  t.match(json, { server: stack.url, inFlight: 0, draining: false, problems: [], accounts: [{ name: 'a' }] })
})

t.test('status shows why an account is not used', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  stack.simulator.script({ match: { key: 'sk-a' }, script: { failure: { status: 401 } } })
  await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] }),
  })
  const { out } = await runCli(['provider', 'list', '--server', stack.url, '--token', 'kpm-test'])
  t.match(out, /\ndefault +a +OpenAI +Enabled +erroring +\S+ +0 +KP-PROV-102 at \d{4}-/)
})

t.test('a refused token and a gateway that is not there have their codes', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const refused = await runCli(['status', '--server', stack.url, '--token', 'wrong'])
  t.equal(refused.code, 1)
  t.equal(refused.out, '')
  t.match(refused.err, `korproxy: KP-AUTH-009 The gateway at ${stack.url} refused the management token.\n`)
  const without = await runCli(['status', '--server', stack.url, '--state-dir', scratch(t)])
  t.equal(without.code, 1)
  t.match(
    without.err,
    `korproxy: KP-AUTH-009 The gateway at ${stack.url} needs its management token, and none was sent.\n`,
  )
  t.match(without.err, 'its file management-token holds the token')
  const bare = await fetch(`${stack.url}/_korproxy/status`)
  t.match(
    await bare.text(),
    'needs its management token, and none was sent; `korproxy serve` keeps it in the file management-token',
  )
  const nobody = await closedAddress()
  const absent = await runCli(['status', '--server', nobody, '--token', 'x'])
  t.equal(absent.code, 1)
  t.match(absent.err, `korproxy: KP-NET-312 The gateway at ${nobody} cannot be reached: ECONNREFUSED.\n`)
  const other = await runCli(['status', '--server', stack.simulator.url, '--token', 'x'])
  t.match(other.err, 'cannot be reached: it answered 404, and not as a KorProxy.\n')
})

t.test('R12.3 self-test starts a gateway of its own and asks it everything', async (t) => {
  const { code, out } = await runCli(['self-test', '-o', 'json'])
  t.equal(code, 0)
  t.strictSame(
    JSON.parse(out).map(({ check, result }: Record<string, unknown>) => [check, result]),
    [
      ['livez', 'ok'],
      ['readyz', 'ok'],
      ['models', 'ok'],
      ['chat', 'ok'],
      ['streaming', 'ok'],
      ['embeddings', 'ok'],
      ['error', 'ok'],
    ],
  )
})

t.test('R12.3 self-test of a running gateway tells a fault by its code', async (t) => {
  const stack = await startStack(t, accounts(['a'], 'provider: OpenAI\n  models: {allow: [gpt-4o]}'))
  const { code, out } = await runCli(['self-test', '--server', stack.url])
  t.equal(code, 0)
  t.match(out, /^ok {6}chat +\d+ ms$/m)
  t.match(out, /^skipped embeddings +\d+ ms {2}no embedding model is listed; name one with --embedding-model$/m)
  t.match(out, /\n6 ok, 0 failed, 1 skipped\n$/)
  stack.simulator.script({ script: { failure: { status: 401 } } })
  const broken = await runCli(['self-test', '--server', stack.url, '--model', 'gpt-4o'])
  t.equal(broken.code, 1)
  t.match(broken.out, /^failed {2}chat +\d+ ms {2}KP-PROV-102 HTTP 502: The credentials of every account/m)
})

t.test('R12.3 self-test of a gateway that wants a key says how to give one', async (t) => {
  const client = 'apiVersion: korproxy.dev/v1alpha1\nkind: GatewayClient\nmetadata: {name: c}\n'
  const digest = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
  const stack = await startStack(
    t,
    `${accounts(['a'])}\n${client}spec: {credentials: [{name: k, sha256: ${digest}}]}\n`,
  )
  const keyless = await runCli(['self-test', '--server', stack.url])
  t.equal(keyless.code, 1)
  t.match(keyless.out, /^failed {2}models .* KP-AUTH-001 HTTP 401: .* Give the key of a client with --key\.$/m)
  const { code, out } = await runCli(['self-test', '--server', stack.url, '--key', 'test'])
  t.equal(code, 0, out)
})

t.test('R12.3 self-test of a configuration that serves nothing fails with its codes', async (t) => {
  const keyless = await runCli(['self-test', '--config', 'examples/minimal', '-o', 'json'])
  t.equal(keyless.code, 1)
  t.match(
    JSON.parse(keyless.out).filter(({ result }: Record<string, unknown>) => result === 'failed'),
    [
      { check: 'configuration', code: 'KP-CONF-206', detail: /OPENAI_API_KEY/ },
      { check: 'chat', detail: 'no chat model is listed; name one with --model' },
    ],
  )
  const misspelt = folderOf(t, {
    'a.yaml':
      'apiVersion: korproxy.dev/v1alpha1\nkind: ProviderAccount\nmetadata: {name: a}\nspec: {provider: Moock}\n',
  })
  const { code, out } = await runCli(['self-test', '--config', misspelt])
  t.equal(code, 1)
  t.match(out, /^failed {2}configuration +\d+ ms {2}KP-CONF-203 .*a\.yaml:4:8 spec\.provider: invalid option/m)
  const empty = await runCli(['self-test', '--config', folderOf(t, {})])
  t.equal(empty.code, 1)
  t.match(empty.out, /^failed {2}configuration +\d+ ms {2}KP-CONF-218 No ProviderAccount is configured/m)
  t.match(empty.out, /^failed {2}chat/m)
})

t.test('R12.3 self-test of a configuration that serves passes, whatever it only warns of', async (t) => {
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const folder = folderOf(t, {
    'a.yaml': `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: a}
spec: {provider: Mock, baseURL: "${simulator.url}", models: {list: [gpt-4o-mini]}}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default}
spec: {}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayConfig
metadata: {name: other}
spec: {}
`,
  })
  const { code, out } = await runCli(['self-test', '--config', folder, '--verbose'])
  t.match(out, /^ok {6}configuration/m)
  t.equal(code, 0, out)
})

t.test('R12.3 self-test without a gateway fails every check with KP-NET-312', async (t) => {
  const { code, out } = await runCli(['self-test', '--server', await closedAddress(), '-o', 'json'])
  t.equal(code, 1)
  t.strictSame(
    JSON.parse(out).map(({ check, code }: Record<string, unknown>) => [check, code]),
    [
      ['livez', 'KP-NET-312'],
      ['readyz', 'KP-NET-312'],
      ['models', 'KP-NET-312'],
      ['chat', undefined],
      ['streaming', undefined],
      ['embeddings', undefined],
      ['error', 'KP-NET-312'],
    ],
  )
})

t.test(
  'R12.3 provider test makes one real call with the real credential, and tells what is wrong by its code',
  async (t) => {
    const simulator = await startSimulator()
    t.teardown(() => simulator.close())
    const folder = folderOf(t, {
      'a.yaml': accounts(['good', 'bad']).replaceAll('{simulator}', simulator.url),
      'b.yaml': `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: keyless}
spec: {provider: OpenAI, auth: {secretKeyRef: {name: nothing}}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: away}
spec: {provider: Ollama, baseURL: "http://127.0.0.1:9"}
`,
    })
    simulator.script({
      match: { key: 'sk-bad' },
      script: { failure: { status: 401, message: 'Incorrect API key provided' } },
    })
    const state = ['--state-dir', scratch(t)]
    const { code, out, err } = await runCli(['provider', 'test', '--all', '--config', folder, '-o', 'json', ...state])
    t.equal(code, 1)
    t.match(JSON.parse(out), [
      {
        account: 'away',
        provider: 'Ollama',
        result: 'failed',
        call: 'GET http://127.0.0.1:9/api/version',
        code: 'KP-NET-300',
        message: /^The provider of account away could not be reached: /,
      },
      {
        account: 'bad',
        result: 'failed',
        call: `GET ${simulator.url}/v1/models`,
        code: 'KP-PROV-102',
        message: 'Provider credentials refused: Incorrect API key provided',
      },
      { account: 'good', provider: 'OpenAI', result: 'ok', call: `GET ${simulator.url}/v1/models` },
      {
        account: 'keyless',
        result: 'failed',
        code: 'KP-CONF-206',
        message: 'Secret nothing does not exist in namespace default',
      },
    ])
    t.match(err, /^KP-CONF-206: Create the Secret with this key, set the variable, or correct the reference\./m)
    const good = await runCli(['provider', 'test', 'good', '--config', folder, ...state])
    t.equal(good.code, 0)
    t.match(
      good.out,
      /^NAMESPACE {2}ACCOUNT {2}PROVIDER {2}RESULT {2}MS {2}CODE {2}MESSAGE\ndefault {4}good {5}OpenAI {4}ok /,
    )
  },
)

t.test('R12.3 provider test with --model asks for one token, in the format of the provider', async (t) => {
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const manifests = accounts(['claude'], 'provider: Anthropic', '').replaceAll('{simulator}', simulator.url)
  const folder = folderOf(t, { 'a.yaml': manifests })
  const args = ['provider', 'test', 'claude', '--config', folder, '--state-dir', scratch(t)]
  t.equal((await runCli([...args, '--model', 'claude-sonnet-4-5'])).code, 0)
  const [request] = simulator.requests()
  t.equal(request?.path, '/v1/messages')
  t.match(JSON.parse(new TextDecoder().decode(request?.body)), {
    model: 'claude-sonnet-4-5',
    max_tokens: 1,
    messages: [{ role: 'user' }],
  })
  const unknown = await runCli([...args.slice(0, 2), 'claud', ...args.slice(3)])
  t.equal(unknown.code, 1)
  t.match(
    unknown.err,
    /KP-CONF-207 ProviderAccount claud does not exist in namespace default \(did you mean claude\?\)/,
  )
})

t.test('R12.3 provider test of an OAuth 2 account tells whose tokens it uses', async (t) => {
  const folder = folderOf(t, {
    'a.yaml': `apiVersion: v1
kind: Secret
metadata: {name: o}
stringData: {refreshToken: rt-1}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: o}
spec:
  provider: OpenAI
  auth:
    type: OAuth2
    oauth2: {tokenURL: "http://127.0.0.1:9/token", clientID: app, refreshTokenRef: {name: o, key: refreshToken}}
`,
  })
  const state = scratch(t)
  const { code, err } = await runCli(['provider', 'test', 'o', '--config', folder, '--state-dir', state])
  t.equal(code, 1)
  t.match(
    err,
    `o is an OAuth 2 account: it shares its tokens with the gateway whose state is in ${state}; one that must be renewed is renewed for both.\n`,
  )
})

const LINE = {
  correlationId: 'c-1',
  tenant: 'default',
  client: 'team-a',
  profile: 'default',
  group: 'pool',
  provider: 'openai',
  account: 'main',
  model: 'gpt-4o',
  requestedModel: 'gpt-4o',
  type: 'chat',
  format: 'openai-chat',
  stream: false,
  status: 200,
  errorCode: '',
  truncated: false,
  attempts: 1,
  inputTokens: 10,
  cachedInputTokens: 0,
  outputTokens: 5,
  cost: '0.001',
  latencyMs: 120,
  firstTokenMs: null,
}

t.test('R7.6 logs filters and sums up the access log', async (t) => {
  const lines = [
    { time: '2026-11-20T10:00:00.000Z', ...LINE },
    {
      time: '2026-11-20T11:00:00.000Z',
      ...LINE,
      correlationId: 'c-2',
      status: 502,
      errorCode: 'KP-PROV-100',
      client: 'team-b',
    },
  ]
  const directory = folderOf(t, {
    'access-2026-11-20.jsonl': lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  })
  const all = await runCli(['logs', '--directory', directory])
  t.strictSame(all, {
    code: 0,
    out: `TIME                      STATUS    LATENCY         TOKENS  CLIENT            ACCOUNT           MODEL                       ERROR        ID
2026-11-20T10:00:00.000Z  200        120 ms           10+5  team-a            main              gpt-4o                      -            c-1
2026-11-20T11:00:00.000Z  502        120 ms           10+5  team-b            main              gpt-4o                      KP-PROV-100  c-2
`,
    err: '',
  })
  const failed = await runCli(['logs', '--directory', directory, '--status', '5xx', '-o', 'json'])
  t.strictSame(JSON.parse(failed.out), lines[1])
  const late = await runCli([
    'logs',
    '--directory',
    directory,
    '--since',
    '2026-11-20T10:30:00Z',
    '--key',
    'team-a',
    '-o',
    'json',
  ])
  t.equal(late.out, '')
  const sums = await runCli(['logs', '--directory', directory, '--summary', 'client'])
  t.equal(
    sums.out,
    `CLIENT  REQUESTS  FAILURES  INPUT  OUTPUT  COST USD  UNPRICED  AVERAGE MS
team-a  1         0         10     5       0.001     0         120
team-b  1         1         10     5       0.001     0         120
`,
  )
  const none = await runCli(['logs', '--state-dir', join(directory, 'nowhere')])
  t.equal(none.code, 1)
  t.match(none.err, /^korproxy: KP-CONF-215 \S+nowhere\/access does not exist/)
})
