import t from 'tap'
import { folderOf, runCli } from './run-cli.ts'

const MANIFESTS = `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: big}
spec: {provider: Mock, models: {allow: ["gpt-*"], aliases: [{name: best, upstream: gpt-5}]}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: small}
spec: {provider: Mock, models: {allow: ["claude-*"]}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: resting}
spec: {provider: Mock, state: Disabled}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: pool}
spec:
  accountRefs: [{name: big}, {name: resting}, {name: small}]
  fallbackGroupRefs: [{name: last}]
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: last}
spec: {accountRefs: [{name: small}], selectionStrategy: Priority}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec:
  rules:
    - name: embeddings
      match: {requestTypes: [embedding]}
      providerGroups: [{name: last}]
    - name: search-team
      match: {headers: [{name: X-Team, value: search}]}
      providerGroups: [{name: last}]
      modelOverride: claude-haiku
    - name: best
      match: {models: [best]}
      providerGroups: [{name: pool}]
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: team-a}
spec:
  credentials: [{name: current, sha256: 88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b}]
  allow: {models: ["claude-*"]}
`

t.test('R8.1 a code prints its entry of the registry', async (t) => {
  const { code, out } = await runCli(['explain', 'KP-CONF-215'])
  t.equal(code, 0)
  t.equal(
    out,
    `KP-CONF-215  Configuration folder not readable

  The folder or file given with --config cannot be read.

  Message    {message}
  Status     HTTP 400
  Severity   error

What to do
  1. Check the path and its permissions.

https://korproxy.dev/docs/errors/KP-CONF-215
`,
  )
})

t.test('a code may be written in lower case, and comes as JSON too', async (t) => {
  const { out } = await runCli(['explain', 'kp-conf-215', '-o', 'json'])
  t.strictSame(JSON.parse(out), {
    code: 'KP-CONF-215',
    status: 400,
    kind: 'invalid_request',
    severity: 'error',
    title: 'Configuration folder not readable',
    message: '{message}',
    description: 'The folder or file given with --config cannot be read.',
    fix: ['Check the path and its permissions.'],
  })
})

t.test('a code that is none is exit code 2, with the one that was probably meant', async (t) => {
  const { code, out, err } = await runCli(['explain', 'KP-CNF-215'])
  t.equal(code, 2)
  t.equal(out, '')
  t.match(err, /^error: KP-CNF-215 is not an error code \(did you mean KP-CONF-215\?\)\n/)
})

t.test('neither code nor model is exit code 2', async (t) => {
  const { code, err } = await runCli(['explain'])
  t.equal(code, 2)
  t.match(err, /^error: give an error code, or --model for the way of a request\n/)
})

t.test('R1 a model shows the rules, the groups, and why accounts are skipped', async (t) => {
  const folder = folderOf(t, { 'a.yaml': MANIFESTS })
  t.strictSame(await runCli(['explain', '--model', 'best', '--config', folder]), {
    code: 0,
    out: `Request   chat (by body), model best
Profile   default
Decided   by rule best

RULE         VERDICT  BECAUSE
embeddings   no       requestTypes: wants embedding, request has chat
search-team  no       headers: wants x-team = search, request has none
best         matches

1. Group pool, RoundRobin, asked for best
ACCOUNT  PROVIDER  MODEL  VERDICT
big      Mock      gpt-5  ready
resting  Mock      best   skipped: disabled
small    Mock      -      skipped: model-not-served

2. Group last, Priority, asked for best
ACCOUNT  PROVIDER  MODEL  VERDICT
small    Mock      -      skipped: model-not-served

Answered by big of group pool when healthy.
`,
    err: '',
  })
})

t.test('R1.1 path and type decide as they do in the gateway', async (t) => {
  const folder = folderOf(t, { 'a.yaml': MANIFESTS })
  const ask = async (...args: string[]): Promise<Record<string, unknown>> =>
    JSON.parse((await runCli(['explain', '--model', 'x', '--config', folder, '-o', 'json', ...args])).out)
  const byPath = await ask('--path', '/v1/embeddings')
  t.strictSame([byPath['type'], byPath['typeBy'], byPath['rule']], ['embedding', 'path', 'embeddings'])
  const byType = await ask('--type', 'completion', '--path', '/v1/embeddings')
  t.strictSame([byType['type'], byType['typeBy'], byType['rule']], ['completion', 'header', undefined])
  const byHeader = await ask('--header', 'X-KorProxy-Request-Type=Embedding')
  t.strictSame([byHeader['type'], byHeader['typeBy'], byHeader['rule']], ['embedding', 'header', 'embeddings'])
})

t.test('R1.1 a type that the gateway would not take from the header is refused as it would', async (t) => {
  const folder = folderOf(t, { 'a.yaml': MANIFESTS })
  const ask = (...args: string[]) => runCli(['explain', '--model', 'claude-x', '--config', folder, ...args])
  for (const named of [
    ['--type', 'embedding'],
    ['--header', 'x-korproxy-request-type=embedding'],
  ]) {
    const { code, err } = await ask('--client', 'team-a', ...named)
    t.equal(code, 1)
    t.match(err, /^korproxy: KP-AUTH-007 /)
  }
  const unknown = await ask('--header', 'x-korproxy-request-type=image')
  t.equal(unknown.code, 1)
  t.match(unknown.err, /^korproxy: KP-SYS-516 X-KorProxy-Request-Type: expected one of chat/)
})

t.test('a client that may only chat is refused an embedding by whatever type it is called', async (t) => {
  const chatOnly = MANIFESTS.replace(
    'allow: {models: ["claude-*"]}',
    'allow: {requestTypes: [chat]}\n  profileOverride: Allow',
  )
  const folder = folderOf(t, { 'a.yaml': chatOnly })
  const args = ['explain', '--model', 'claude-x', '--client', 'team-a', '--path', '/v1/embeddings', '--type', 'chat']
  const { code, err } = await runCli([...args, '--config', folder])
  t.equal(code, 1)
  t.match(err, /^korproxy: KP-AUTH-006 /)
})

t.test('headers take part, and the rule changes the model', async (t) => {
  const folder = folderOf(t, { 'a.yaml': MANIFESTS })
  const args = ['explain', '--model', 'gpt-5', '--header', 'x-team=search', '--header', 'x-other=1']
  const { out } = await runCli([...args, '--config', folder, '-o', 'json'])
  const report = JSON.parse(out)
  t.equal(report.rule, 'search-team')
  t.strictSame(report.groups, [
    {
      group: 'last',
      strategy: 'Priority',
      model: 'claude-haiku',
      accounts: [{ account: 'small', provider: 'Mock', upstreamModel: 'claude-haiku', verdict: 'ready' }],
    },
  ])
})

t.test('what the gateway would refuse is refused with its code', async (t) => {
  const folder = folderOf(t, { 'a.yaml': MANIFESTS })
  const refused = await runCli(['explain', '--model', 'gpt-5', '--client', 'team-a', '--config', folder])
  t.equal(refused.code, 1)
  t.match(refused.err, /^korproxy: KP-AUTH-005 Client team-a may not use model gpt-5\.\n/)
  const profile = await runCli(['explain', '--model', 'gpt-5', '--profile', 'nope', '--config', folder])
  t.equal(profile.code, 1)
  t.match(profile.err, /^korproxy: KP-CONF-219 Profile nope does not exist\.\n/)
  const client = await runCli(['explain', '--model', 'gpt-5', '--client', 'team-b', '--config', folder])
  t.equal(client.code, 1)
  t.match(client.err, /^korproxy: KP-CONF-207 GatewayClient team-b does not exist \(did you mean team-a\?\)\n/)
})

t.test('R2.9 the health that a gateway has saved counts when its state directory is given', async (t) => {
  const folder = folderOf(t, { 'a.yaml': MANIFESTS })
  const never = { step: 0, sinceMs: 0, untilMs: 0 }
  const nowMs = Date.now()
  const rateLimit = { step: 1, sinceMs: nowMs - 1_000, untilMs: nowMs + 20_000 }
  const account = { rateLimit, overload: never, quotaUntilMs: 0 }
  const state = folderOf(t, { 'health.json': JSON.stringify({ 'default/big': { format: 1, account, models: {} } }) })
  const limited = await runCli(['explain', '--model', 'best', '--config', folder, '--state-dir', state])
  t.equal(limited.code, 0)
  t.match(limited.out, /\nbig {6}Mock {6}gpt-5 {2}skipped: rate-limited until \d{4}-\S+Z\n/)
  t.match(limited.out, /\nNo account can serve now best: the answer is KP-PROV-103 or KP-PROV-101\.\n$/)
  const unknown = await runCli(['explain', '--model', 'best', '--config', folder, '--state-dir', folderOf(t, {})])
  t.match(unknown.out, /\nAnswered by big of group pool\.\n$/)
})
