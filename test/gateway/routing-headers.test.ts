import t from 'tap'
import { sendRaw } from '../helpers/raw-socket.ts'
import { accounts, type Stack, startStack } from '../helpers/stack.ts'

const MANIFESTS = `${accounts(['a', 'b'])}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec:
  selectionStrategy: Priority
  accountRefs: [{name: a, priority: 0}]
  fallbackGroupRefs: [{name: spare}]
  retry: {sameAccountBackoff: {base: 5ms, max: 5ms}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: spare}
spec: {accountRefs: [{name: b}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: night}
spec: {defaultProviderGroup: {name: spare}}
`
const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }] }

async function ask(
  { url }: Stack,
  options: { headers?: Record<string, string>; body?: Record<string, unknown>; path?: string } = {},
): Promise<{ status: number; header: (name: string) => string | null }> {
  const reply = await fetch(`${url}${options.path ?? '/v1/chat/completions'}`, {
    method: 'POST',
    headers: options.headers ?? {},
    body: JSON.stringify(options.body ?? CHAT),
  })
  await reply.arrayBuffer()
  return { status: reply.status, header: (name) => reply.headers.get(name) }
}

t.test('R1.9 every reply names profile, group, account, provider, model, type and attempts', async (t) => {
  const stack = await startStack(t, MANIFESTS)
  for (const stream of [false, true]) {
    const { header } = await ask(stack, { body: { ...CHAT, stream } })
    t.equal(header('x-korproxy-profile'), 'default')
    t.equal(header('x-korproxy-provider-group'), 'main')
    t.equal(header('x-korproxy-account'), 'a')
    t.equal(header('x-korproxy-provider'), 'openai')
    t.equal(header('x-korproxy-model'), 'gpt-4o-mini')
    t.equal(header('x-korproxy-type'), 'chat')
    t.equal(header('x-korproxy-attempts'), '1')
    t.equal(header('x-korproxy-panic'), null)
  }
})

t.test('R1.9 after a fallback the reply names who answered, not who failed', async (t) => {
  const stack = await startStack(t, MANIFESTS)
  stack.simulator.script({ match: { key: 'sk-a' }, script: '500' })
  const { header } = await ask(stack)
  t.equal(header('x-korproxy-provider-group'), 'spare')
  t.equal(header('x-korproxy-account'), 'b')
  t.ok(Number(header('x-korproxy-attempts')) >= 2)
})

t.test('R1.9 errors carry the same headers and the code', async (t) => {
  const stack = await startStack(t, MANIFESTS)
  stack.simulator.script({ script: [{ failure: { kind: 'context_length' } }] })
  const { status, header } = await ask(stack)
  t.equal(status, 400)
  t.equal(header('x-korproxy-error'), 'KP-PROV-105')
  t.equal(header('x-korproxy-account'), 'a')
  t.equal(header('x-korproxy-attempts'), '1')
})

t.test(
  'R1.3 a profile can be asked for by header; one that does not exist is an error, not another profile',
  async (t) => {
    const stack = await startStack(t, MANIFESTS)
    const night = await ask(stack, { headers: { 'x-korproxy-profile': 'night' } })
    t.equal(night.header('x-korproxy-profile'), 'night')
    t.equal(night.header('x-korproxy-account'), 'b')
    const unknown = await ask(stack, { headers: { 'x-korproxy-profile': 'nihgt' } })
    t.equal(unknown.header('x-korproxy-error'), 'KP-CONF-219')
    t.equal(stack.simulator.requests().length, 1)
  },
)

t.test('a request type can be asked for by header; one that is none is an error', async (t) => {
  const stack = await startStack(t, MANIFESTS)
  const named = await ask(stack, { headers: { 'x-korproxy-request-type': 'Completion' } })
  t.equal(named.header('x-korproxy-type'), 'completion')
  t.equal((await ask(stack, { headers: { 'x-korproxy-request-type': 'image' } })).status, 400)
})

t.test('R7.4 a good correlation id comes back and goes on; any other is replaced', async (t) => {
  const stack = await startStack(t, MANIFESTS)
  const good = await ask(stack, { headers: { 'x-correlation-id': 'Trace_1.2-3' } })
  t.equal(good.header('x-correlation-id'), 'Trace_1.2-3')
  t.equal(stack.simulator.requests().at(-1)?.headers['x-correlation-id'], 'Trace_1.2-3')
  const other = await ask(stack, { headers: { 'x-request-id': 'from-elsewhere' } })
  t.equal(other.header('x-correlation-id'), 'from-elsewhere')
  for (const bad of ['a b', 'x'.repeat(129), '<script>', 'ü', '{"a":1}', '$(id)', 'a,b']) {
    const bytes = Buffer.from(bad).toString('latin1')
    const body = JSON.stringify(CHAT)
    const reply = await sendRaw(
      stack.url,
      `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Correlation-Id: ${bytes}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    t.match(reply.headers['x-correlation-id'], /^[0-9a-f-]{36}$/, bad)
  }
})

t.test('R7.4 what is refused before it is served has the id of its client, too', async (t) => {
  const stack = await startStack(t, MANIFESTS)
  const { port } = new URL(stack.url)
  const heads = {
    'KP-NET-310': 'POST /v1//chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n',
    'KP-SYS-520': `GET /v1/models HTTP/1.1\r\nHost: evil.example:${port}\r\n`,
    'KP-AUTH-009': 'GET /_korproxy/status HTTP/1.1\r\nHost: 127.0.0.1\r\n',
  }
  for (const [code, head] of Object.entries(heads)) {
    const first = await sendRaw(stack.url, `${head}X-Correlation-ID: mine-1\r\nX-Request-ID: mine-2\r\n\r\n`)
    t.equal(first.headers['x-korproxy-error'], code)
    t.equal(first.headers['x-correlation-id'], 'mine-1', code)
    t.equal(first.headers['x-request-id'], 'mine-1', code)
    t.equal(JSON.parse(first.body).error.correlation_id, 'mine-1', code)
    const second = await sendRaw(stack.url, `${head}X-Request-ID: mine-2\r\n\r\n`)
    t.equal(second.headers['x-correlation-id'], 'mine-2', code)
    const bad = await sendRaw(stack.url, `${head}X-Correlation-ID: a b\r\n\r\n`)
    t.match(bad.headers['x-correlation-id'], /^[0-9a-f-]{36}$/, code)
  }
})

t.test('parameters that a target cannot express are named in a header, those of the answer only', async (t) => {
  const stack = await startStack(
    t,
    `${accounts(['a'], 'provider: Anthropic', '')}${accounts(['b'])}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec:
  selectionStrategy: Priority
  accountRefs: [{name: a, priority: 0}, {name: b, priority: 1}]
  onUnsupported: Drop
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
`,
  )
  const body = { ...CHAT, seed: 7, frequency_penalty: 0.5 }
  t.match((await ask(stack, { body })).header('x-korproxy-dropped'), /seed/)
  stack.simulator.script({ match: { key: 'sk-a' }, script: '500' })
  const other = await ask(stack, { body })
  t.equal(other.header('x-korproxy-account'), 'b')
  t.equal(other.header('x-korproxy-dropped'), null, 'nothing was dropped for the account that answered')
})
