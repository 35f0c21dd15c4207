import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { startRig } from '../helpers/gateway-rig.ts'
import { sendRaw } from '../helpers/raw-socket.ts'
import { accounts, type Stack, startStack, waitFor } from '../helpers/stack.ts'

const digest = (key: string): string => createHash('sha256').update(key).digest('hex')

function client(name: string, fields = ''): string {
  return `
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: ${name}}
spec:
  credentials: [{name: one, sha256: ${digest(`kp-${name}`)}}]
  ${fields}
---`
}

const CLIENTS = `${accounts(['a'])}${client('open')}
${client('gpt', 'allow: {models: ["gpt-*"]}')}
${client('chat', 'allow: {requestTypes: [chat]}')}
${client('chooser', 'profileOverride: Allow')}
${client('renamer', 'profileOverride: Allow\n  allow: {requestTypes: [chat]}')}
${client('suspended', 'state: Suspended')}
${client('revoked', 'state: Revoked')}
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: two-keys}
spec:
  credentials:
    - {name: old, sha256: ${digest('kp-old')}, expiresAt: "2020-01-01T00:00:00Z"}
    - {name: new, sha256: ${digest('kp-new')}, expiresAt: "2999-01-01T00:00:00Z"}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: all-accounts}}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: other}
spec: {defaultProviderGroup: {name: all-accounts}}
`

interface Answer {
  readonly status: number
  readonly code: string
  readonly text: string
  readonly retry: string | null
}

async function ask(
  stack: Pick<Stack, 'url'>,
  headers: Record<string, string>,
  path = '/v1/chat/completions',
  body: unknown = CHAT,
): Promise<Answer> {
  const reply = await fetch(`${stack.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return {
    status: reply.status,
    code: reply.headers.get('x-korproxy-error') ?? '',
    text: await reply.text(),
    retry: reply.headers.get('x-should-retry'),
  }
}

const CHAT = { model: 'gpt-4o-mini', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] }
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })

t.test('R5 where a client exists every request needs a key, and each mistake has its code', async (t) => {
  const stack = await startStack(t, CLIENTS)
  const cases: readonly (readonly [name: string, headers: Record<string, string>, status: number, code: string])[] = [
    ['no key', {}, 401, 'KP-AUTH-001'],
    ['an empty key', bearer(''), 401, 'KP-AUTH-001'],
    ['another scheme', { authorization: 'Basic a3AtZ3B0' }, 401, 'KP-AUTH-001'],
    ['an unknown key', bearer('kp-nobody'), 401, 'KP-AUTH-002'],
    ['the digest instead of the key', bearer(digest('kp-open')), 401, 'KP-AUTH-002'],
    ['a prefix of a key', bearer('kp-ope'), 401, 'KP-AUTH-002'],
    ['a key with more behind', bearer('kp-openx'), 401, 'KP-AUTH-002'],
    ['a key in capitals', bearer('KP-OPEN'), 401, 'KP-AUTH-002'],
    ['__proto__', bearer('__proto__'), 401, 'KP-AUTH-002'],
    ['SQL', bearer("' OR 1=1 --"), 401, 'KP-AUTH-002'],
    ['a key of 32 KiB', bearer('x'.repeat(32_768)), 401, 'KP-AUTH-002'],
    ['an expired key', bearer('kp-old'), 401, 'KP-AUTH-003'],
    ['its successor', bearer('kp-new'), 200, ''],
    ['a suspended client', bearer('kp-suspended'), 403, 'KP-AUTH-004'],
    ['a revoked client', bearer('kp-revoked'), 403, 'KP-AUTH-004'],
    ['two different keys', { ...bearer('kp-open'), 'x-api-key': 'kp-gpt' }, 400, 'KP-AUTH-008'],
    ['the same key twice', { ...bearer('kp-open'), 'x-api-key': 'kp-open' }, 200, ''],
    ['x-api-key', { 'x-api-key': 'kp-open' }, 200, ''],
    ['x-goog-api-key', { 'x-goog-api-key': 'kp-open' }, 200, ''],
  ]
  for (const [name, headers, status, code] of cases) {
    const answer = await ask(stack, headers)
    t.equal(answer.status, status, name)
    t.equal(answer.code, code, name)
    if (status !== 200) t.equal(answer.retry, 'false', name)
  }
  t.equal((await ask(stack, {}, '/v1/chat/completions?key=kp-open')).status, 200)
  t.equal((await ask(stack, {}, '/v1/chat/completions?key=kp-open&key=kp-open')).status, 200)
  const { status, code } = await ask(stack, {}, '/v1/chat/completions?key=kp-open&key=kp-gpt')
  t.strictSame({ status, code }, { status: 400, code: 'KP-AUTH-008' }, 'two keys in the query')
})

t.test('S1 every path of the AI surfaces is closed without a key, and nobody is asked', async (t) => {
  const stack = await startStack(t, CLIENTS)
  const paths = [
    'POST /v1/chat/completions',
    'POST /chat/completions',
    'POST /v1/completions',
    'POST /v1/responses',
    'POST /v1/embeddings',
    'GET /v1/models',
    'GET /v1/models/gpt-4o-mini',
    'POST /v1/messages',
    'POST /v1/messages/count_tokens',
    'POST /v1beta/models/gemini-2.5-flash:generateContent',
    'POST /v1beta/models/gemini-2.5-flash:streamGenerateContent',
    'POST /v1beta/models/gemini-2.5-flash:countTokens',
    'GET /v1beta/models',
    'POST /api/chat',
    'POST /api/generate',
    'POST /api/embed',
    'GET /api/tags',
    'POST /api/show',
    'GET /api/ps',
    'POST /api/pull',
    'POST /v1/files',
    'GET /v1/files/x',
    'DELETE /v1/files/x',
    'GET /anything/else',
    'PATCH /',
    'GET /_korproxy/',
    'GET /metricsx',
  ]
  for (const line of paths) {
    const [method = '', path = ''] = line.split(' ')
    const init = method === 'GET' || method === 'DELETE' ? { method } : { method, body: JSON.stringify(CHAT) }
    const reply = await fetch(`${stack.url}${path}`, init)
    t.equal(reply.status, 401, line)
  }
  t.equal(stack.simulator.requests().length, 0)
})

t.test('management routes need the management token; the key of a client is none', async (t) => {
  const stack = await startStack(t, CLIENTS)
  for (const [method, path] of [
    ['GET', '/_korproxy/status'],
    ['POST', '/_korproxy/health/reset'],
  ] as const) {
    for (const token of ['', 'kp-open', 'kpm-tes', 'kpm-testx', 'KPM-TEST']) {
      const reply = await fetch(`${stack.url}${path}`, { method, headers: bearer(token) })
      t.equal(reply.status, 401, `${path} with ${token}`)
    }
    t.equal((await fetch(`${stack.url}${path}`, { method, headers: bearer('kpm-test') })).status, 200)
  }
  t.equal((await ask(stack, bearer('kpm-test'))).status, 401, 'the management token is no key of a client')
  const broken = await fetch(`${stack.url}/_korproxy/health/reset`, {
    method: 'POST',
    headers: bearer('kpm-test'),
    body: '{"account":',
  })
  t.equal(broken.status, 400)
})

t.test('a reset that names its account wrongly resets nothing', async (t) => {
  const stack = await startStack(t, CLIENTS)
  const reset = async (body: string): Promise<{ status: number; body: unknown }> => {
    const reply = await fetch(`${stack.url}/_korproxy/health/reset`, {
      method: 'POST',
      headers: bearer('kpm-test'),
      body,
    })
    return { status: reply.status, body: await reply.json() }
  }
  const wrong = [
    '{"acount":"a"}',
    '{"account":42}',
    '{"account":null}',
    '{"account":"a","force":true}',
    '["a"]',
    '[]',
    '"a"',
    'null',
  ]
  for (const body of wrong) {
    t.match(await reset(body), { status: 400, body: { error: { kp_code: 'KP-SYS-516' } } }, body)
  }
  for (const body of ['', ' ', '{}', '{"account":"a"}']) {
    t.strictSame(await reset(body), { status: 200, body: { reset: ['a'] } }, body)
  }
  t.match(await reset('{"account":"b"}'), { status: 404 })
})

t.test('a client may do what its configuration says and no more', async (t) => {
  const stack = await startStack(t, CLIENTS)
  t.equal((await ask(stack, bearer('kp-gpt'))).status, 200)
  t.match(await ask(stack, bearer('kp-gpt'), '/v1/chat/completions', { ...CHAT, model: 'claude-sonnet-4-5' }), {
    status: 403,
    code: 'KP-AUTH-005',
  })
  t.match(await ask(stack, bearer('kp-gpt'), '/v1/messages', { ...CHAT, model: 'claude-sonnet-4-5' }), {
    status: 403,
    code: 'KP-AUTH-005',
  })
  t.equal((await ask(stack, bearer('kp-chat'))).status, 200)
  t.match(await ask(stack, bearer('kp-chat'), '/v1/embeddings', { model: 'text-embedding-3-small', input: 'x' }), {
    status: 403,
    code: 'KP-AUTH-006',
  })
  t.match(await ask(stack, { ...bearer('kp-open'), 'x-korproxy-profile': 'other' }), {
    status: 403,
    code: 'KP-AUTH-007',
  })
  t.match(await ask(stack, { ...bearer('kp-open'), 'x-korproxy-request-type': 'embedding' }), {
    status: 403,
    code: 'KP-AUTH-007',
  })
  t.match(
    await ask(stack, { ...bearer('kp-chat'), 'x-korproxy-request-type': 'chat' }, '/v1/embeddings', {
      model: 'text-embedding-3-small',
      input: 'x',
    }),
    { status: 403, code: 'KP-AUTH-007' },
    'a request type cannot be renamed into an allowed one',
  )
  const renamed = { ...bearer('kp-renamer'), 'x-korproxy-request-type': 'chat' }
  t.equal((await ask(stack, renamed)).status, 200)
  t.match(
    await ask(stack, renamed, '/v1/embeddings', { model: 'text-embedding-3-small', input: 'x' }),
    { status: 403, code: 'KP-AUTH-006' },
    'nor by a client that may set the header: the path says what is done',
  )
  const chosen = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { ...bearer('kp-chooser'), 'x-korproxy-profile': 'other' },
    body: JSON.stringify(CHAT),
  })
  t.equal(chosen.headers.get('x-korproxy-profile'), 'other')
})

t.test('refusals are written in the format of the client', async (t) => {
  const stack = await startStack(t, CLIENTS)
  const openai = await ask(stack, {})
  t.match(JSON.parse(openai.text), { error: { message: String, type: String } })
  const anthropic = await ask(stack, {}, '/v1/messages')
  t.match(JSON.parse(anthropic.text), { type: 'error', error: { type: 'authentication_error', message: String } })
  const gemini = await ask(stack, {}, '/v1beta/models/gemini-2.5-flash:generateContent', { contents: [] })
  t.match(JSON.parse(gemini.text), { error: { code: 401, status: 'UNAUTHENTICATED' } })
  const ollama = await ask(stack, {}, '/api/chat')
  t.match(JSON.parse(ollama.text), { error: String })
})

t.test('item 14: without any client a loopback listener needs no key, a listener on the network does', async (t) => {
  const local = await startRig(t, accounts(['a']))
  t.equal((await ask(local, {})).status, 200)
  t.equal((await ask(local, bearer('whatever'))).status, 200, 'SDKs insist on sending some key')
  const network = await startRig(t, accounts(['a']), { host: '0.0.0.0' })
  const url = network.url.replace('0.0.0.0', '127.0.0.1')
  t.match(await ask({ url }, {}), { status: 401, code: 'KP-AUTH-001' })
  t.match(await ask({ url }, bearer('whatever')), { status: 401, code: 'KP-AUTH-002' })
})

t.test('a cluster gateway without clients is closed, on loopback too', async (t) => {
  const rig = await startRig(t, accounts(['a']), { role: 'Cluster' })
  t.equal((await ask(rig, {})).status, 401)
})

async function modeStack(t: Test, mode: string): Promise<Stack> {
  return startStack(
    t,
    `${CLIENTS}---\napiVersion: korproxy.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {name: default}\nspec: {clientAuth: {mode: ${mode}}}\n`,
  )
}

t.test('clientAuth Optional serves without a key, but a key that is sent must be good', async (t) => {
  const stack = await modeStack(t, 'Optional')
  t.equal((await ask(stack, {})).status, 200)
  t.equal((await ask(stack, bearer('kp-open'))).status, 200)
  t.match(await ask(stack, bearer('kp-nobody')), { status: 401, code: 'KP-AUTH-002' })
  t.match(await ask(stack, bearer('kp-suspended')), { status: 403, code: 'KP-AUTH-004' })
})

t.test('clientAuth Disabled serves everybody', async (t) => {
  const stack = await modeStack(t, 'Disabled')
  t.equal((await ask(stack, {})).status, 200)
})

t.test('a client whose keys cannot be read closes the gateway, not opens it', async (t) => {
  const stack = await startStack(
    t,
    `${accounts(['a'])}
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: team}
spec: {credentials: [{name: one, secretKeyRef: {name: missing}}]}
`,
  )
  t.equal((await ask(stack, {})).status, 401)
})

t.test('a client that is written wrongly closes the gateway, not opens it', async (t) => {
  const stack = await startStack(
    t,
    `${accounts(['a'])}
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: team}
spec: {credentials: [{name: one, sha265: abc}]}
`,
  )
  t.equal((await ask(stack, {})).status, 401)
})

t.test('nor does one that cannot be read at all', async (t) => {
  const whole = 'apiVersion: korproxy.dev/v1alpha1\nkind: GatewayClient\nmetadata: {name: team}\n'
  for (const written of [whole.replace('}', ''), whole.replace('Client', 'Cleint')]) {
    const stack = await startStack(t, `${accounts(['a'])}\n---\n${written}`)
    t.equal((await ask(stack, {})).status, 401, written)
  }
})

t.test('keys come and go while the gateway listens', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  t.equal((await ask(stack, {})).status, 200)
  stack.configure(`${accounts(['a'])}${client('open')}`)
  await waitFor(
    () => ask(stack, {}),
    ({ status }) => status === 401,
  )
  t.equal((await ask(stack, {})).status, 401, 'the first client closes the gateway')
  t.equal((await ask(stack, bearer('kp-open'))).status, 200)
  stack.configure(`${accounts(['a'])}${client('open', 'state: Suspended')}`)
  await waitFor(
    () => ask(stack, bearer('kp-open')),
    ({ status }) => status === 403,
  )
  t.equal((await ask(stack, bearer('kp-open'))).status, 403, 'a suspended key is dead at once')
  stack.configure(`${accounts(['a'])}${client('other')}`)
  await waitFor(
    () => ask(stack, bearer('kp-open')),
    ({ code }) => code === 'KP-AUTH-002',
  )
  t.match(await ask(stack, bearer('kp-open')), { code: 'KP-AUTH-002' }, 'a removed key is dead at once')
  stack.configure(accounts(['a']))
  await waitFor(
    () => ask(stack, {}),
    ({ status }) => status === 200,
  )
  t.equal((await ask(stack, {})).status, 200, 'on loopback the last one opens it again')
})

t.test('the same on a network listener: the last client that goes does not open it', async (t) => {
  const rig = await startRig(t, `${accounts(['a'])}${client('open')}`, { host: '0.0.0.0' })
  const at = { url: rig.url.replace('0.0.0.0', '127.0.0.1') }
  t.equal((await ask(at, bearer('kp-open'))).status, 200)
  await rig.apply(accounts(['a']))
  t.equal((await ask(at, {})).status, 401)
  t.equal((await ask(at, bearer('kp-open'))).status, 401)
})

t.test('S21 on a loopback listener foreign names and pages are refused, on every route', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const body = JSON.stringify(CHAT)
  const send = (head: string, path = '/v1/chat/completions'): Promise<number> =>
    sendRaw(stack.url, `POST ${path} HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`).then(
      ({ status }) => status,
    )
  for (const host of [
    'evil.example',
    'evil.example:1337',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '169.254.169.254',
    '10.0.0.1',
    '0.0.0.0',
  ]) {
    t.equal(await send(`Host: ${host}\r\n`), 403, host)
    t.equal(await send(`Host: ${host}\r\n`, '/metrics'), 403, `${host} for metrics`)
    t.equal(await send(`Host: ${host}\r\n`, '/_korproxy/status'), 403, `${host} for the status`)
  }
  for (const origin of [
    'https://evil.example',
    'http://localhost.evil.example',
    'null',
    'file://',
    'chrome-extension://abc',
    'http://127.0.0.1.evil.example',
  ]) {
    t.equal(await send(`Host: 127.0.0.1\r\nOrigin: ${origin}\r\n`), 403, origin)
  }
  for (const origin of ['http://localhost:3000', 'http://127.0.0.1:5173', 'http://[::1]:80']) {
    t.equal(await send(`Host: localhost:1337\r\nOrigin: ${origin}\r\n`), 200, origin)
  }
  const preflight = await fetch(`${stack.url}/v1/chat/completions`, { method: 'OPTIONS' })
  t.equal(preflight.headers.get('access-control-allow-origin'), null)
})
