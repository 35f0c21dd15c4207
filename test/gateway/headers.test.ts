import { randomBytes } from 'node:crypto'
import t from 'tap'
import { plainCanary } from '../helpers/canaries.ts'
import { sendRaw } from '../helpers/raw-socket.ts'
import { accounts, type Stack, startStack } from '../helpers/stack.ts'

const BODY = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}'
const KEY = plainCanary('client').value

/** All that a provider of OpenAI's format may ever see. */
const ALLOWED_UP = new Set([
  'host',
  'connection',
  'content-type',
  'content-length',
  'accept',
  'accept-encoding',
  'authorization',
  'user-agent',
  'x-correlation-id',
  'x-request-id',
  'openai-beta',
  'idempotency-key',
  'traceparent',
  'tracestate',
])

/** Headers that gateways of this world have leaked before, and hop-by-hop ones. */
const NAMED = [
  'cookie',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'proxy-authorization',
  'x-korproxy-profile',
  'x-korproxy-request-type',
  'x-korproxy-admin',
  'x-management-key',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'via',
  'te',
  'trailer',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'referer',
  'x-stainless-os',
  'x-portkey-custom-host',
  'openai-organization',
  'openai-project',
  'anthropic-beta',
  'x-goog-user-project',
  'if-none-match',
  'range',
  'expect-ct',
  'x-amz-security-token',
  'x-original-url',
  'x-rewrite-url',
  'x-http-method-override',
]

function seenHeaders(stack: Stack): string[] {
  return stack.simulator.requests().flatMap(({ headers }) => Object.keys(headers))
}

t.test('S7 of 534 headers of a client only listed ones reach the provider', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const random = Array.from({ length: 500 }, () => `x-${randomBytes(6).toString('hex')}`)
  const special = NAMED.filter(
    (name) =>
      !['x-api-key', 'x-goog-api-key', 'x-korproxy-profile', 'x-korproxy-request-type', 'te', 'upgrade'].includes(name),
  )
  for (let at = 0; at < random.length; at += 100) {
    const names = [...random.slice(at, at + 100), ...special]
    const lines = names.map((name) => `${name}: ${KEY}\r\n`).join('')
    const reply = await sendRaw(
      stack.url,
      `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nopenai-beta: assistants=v2\r\n${lines}Content-Length: ${BODY.length}\r\n\r\n${BODY}`,
    )
    t.equal(reply.status, 200)
  }
  t.strictSame(
    seenHeaders(stack).filter((name) => !ALLOWED_UP.has(name)),
    [],
  )
  t.ok(seenHeaders(stack).includes('openai-beta'), 'a listed one passes')
  t.notMatch(JSON.stringify(stack.simulator.requests()), new RegExp(KEY))
})

t.test('S7 the same where the request is translated: nothing that belongs to another API passes', async (t) => {
  const providers = { Anthropic: '', Gemini: '', Ollama: '' }
  for (const [provider, path] of Object.entries(providers)) {
    const stack = await startStack(t, accounts(['a'], `provider: ${provider}`, path))
    await fetch(`${stack.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'openai-beta': KEY,
        'openai-organization': KEY,
        cookie: KEY,
        'x-forwarded-for': KEY,
        'user-agent': KEY,
      },
      body: BODY,
    })
    t.equal(stack.simulator.requests().length, 1, provider)
    t.notMatch(JSON.stringify(stack.simulator.requests()), new RegExp(KEY), provider)
  }
})

t.test('S7 the key of a client never reaches a provider, wherever it stands', async (t) => {
  const manifests = `${accounts(['a'])}
apiVersion: v1
kind: Secret
metadata: {name: team}
stringData: {apiKey: ${KEY}}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: team}
spec: {credentials: [{name: one, secretKeyRef: {name: team}}]}
`
  const stack = await startStack(t, manifests)
  const places: readonly (readonly [path: string, headers: Record<string, string>])[] = [
    ['/v1/chat/completions', { authorization: `Bearer ${KEY}` }],
    ['/v1/chat/completions', { authorization: `bearer   ${KEY}` }],
    ['/v1/chat/completions', { 'x-api-key': KEY }],
    ['/v1/chat/completions', { 'x-goog-api-key': KEY }],
    [`/v1/chat/completions?key=${KEY}`, {}],
    [`/v1/chat/completions?other=1&key=${KEY}&more=2`, {}],
    [`/v1/chat/completions?k%65y=${KEY}`, {}],
    [`/v1/files?key=${KEY}`, {}],
  ]
  for (const [path, headers] of places) {
    const reply = await fetch(`${stack.url}${path}`, { method: 'POST', headers, body: BODY })
    t.not(reply.status, 401, path)
    t.notMatch(JSON.stringify([...reply.headers]) + (await reply.text()), new RegExp(KEY), path)
  }
  t.ok(stack.simulator.requests().length >= 7)
  t.notMatch(JSON.stringify(stack.simulator.requests()), new RegExp(KEY))
  for (const { headers } of stack.simulator.requests()) t.equal(headers['authorization'], 'Bearer sk-a')
})

t.test('the betas of an account and those of the client all reach Anthropic, each once', async (t) => {
  const own = 'provider: Anthropic\n  headers: [{name: anthropic-beta, value: "one, two"}]'
  const stack = await startStack(t, accounts(['a'], own, ''))
  const ask = async (headers: Record<string, string>): Promise<unknown> => {
    const body = JSON.stringify({ model: 'claude-x', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] })
    await fetch(`${stack.url}/v1/messages`, { method: 'POST', headers, body })
    return stack.simulator.requests().at(-1)?.headers['anthropic-beta']
  }
  t.equal(await ask({ 'anthropic-beta': 'two,three' }), 'one,two,three')
  t.equal(await ask({}), 'one, two')
})

t.test("any other header that the account sets is not the client's to change", async (t) => {
  const own = 'provider: Anthropic\n  headers: [{name: anthropic-version, value: "2023-06-01"}]'
  const stack = await startStack(t, accounts(['a'], own, ''))
  const body = JSON.stringify({ model: 'claude-x', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] })
  await fetch(`${stack.url}/v1/messages`, { method: 'POST', headers: { 'anthropic-version': '2099-01-01' }, body })
  t.equal(stack.simulator.requests().at(-1)?.headers['anthropic-version'], '2023-06-01')
})

const PRIVATE_DOWN = {
  'set-cookie': '__cf_bm=secret',
  'openai-organization': 'org-secret',
  'openai-project': 'proj-secret',
  'anthropic-organization-id': 'org-secret',
  'x-goog-ext': 'secret',
  server: 'secret-server',
  via: 'secret-proxy',
  'cf-ray': 'secret-ray',
  'x-internal-host': 'secret-host',
  'x-request-id': 'secret-id',
  'www-authenticate': 'Bearer realm="secret"',
  'strict-transport-security': 'max-age=1',
  'access-control-allow-origin': '*',
  'x-korproxy-account': 'spoofed-secret',
  'x-korproxy-error': 'spoofed-secret',
  'content-disposition': 'secret',
  'alt-svc': 'secret',
  location: 'http://secret',
  'transfer-encoding-x': 'secret',
}
const ANSWER = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
})

t.test('S7 private headers of a provider never reach the client; its limits do', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  for (const status of [200, 400, 500]) {
    stack.simulator.reset()
    const headers = {
      'content-type': 'application/json',
      ...PRIVATE_DOWN,
      'x-ratelimit-remaining-requests': '99',
      'openai-processing-ms': '12',
    }
    stack.simulator.script({
      script: [{ status, headers }, { write: status === 200 ? ANSWER : '{"error":{"message":"no"}}' }, { end: true }],
    })
    const reply = await fetch(`${stack.url}/v1/chat/completions`, { method: 'POST', body: BODY })
    t.notMatch(JSON.stringify([...reply.headers]), /secret|spoofed|max-age/, String(status))
    if (status === 200) {
      t.equal(reply.headers.get('x-ratelimit-remaining-requests'), '99')
      t.equal(reply.headers.get('openai-processing-ms'), '12')
      t.equal(reply.headers.get('x-korproxy-account'), 'a')
    }
  }
})

t.test('S7 a stream carries the same few headers', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const headers = { 'content-type': 'text/event-stream', ...PRIVATE_DOWN }
  const chunk = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini' }
  const event = (choice: Record<string, unknown>): string =>
    `data: ${JSON.stringify({ ...chunk, choices: [{ index: 0, ...choice }] })}\n\n`
  stack.simulator.script({
    script: [
      { status: 200, headers },
      { write: event({ delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }) },
      { write: `${event({ delta: {}, finish_reason: 'stop' })}data: [DONE]\n\n` },
      { end: true },
    ],
  })
  const reply = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    body: BODY.replace('{', '{"stream":true,'),
  })
  t.equal(reply.status, 200)
  t.match(await reply.text(), /\[DONE\]/)
  t.notMatch(JSON.stringify([...reply.headers]), /secret|spoofed|max-age/)
})

t.test('a reply header that HTTP does not allow is no way to break the reply', async (t) => {
  const stack = await startStack(t, accounts(['a', 'b']))
  for (const value of ['a\u0001b', 'caf\u00e9', 'a\tb']) {
    stack.simulator.reset()
    stack.simulator.script({
      script: [
        {
          raw: `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nopenai-version: ${value}\r\nconnection: close\r\n\r\n${ANSWER}`,
        },
        { close: true },
      ],
    })
    const reply = await fetch(`${stack.url}/v1/chat/completions`, { method: 'POST', body: BODY })
    t.ok([200, 502].includes(reply.status), `${JSON.stringify(value)}: ${reply.status}`)
    t.type(JSON.parse(await reply.text()), 'object')
  }
})

t.test('S7 TRACE is refused: a provider that answers it would show the key of the account', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const reply = await sendRaw(stack.url, 'TRACE /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  t.equal(reply.status, 501)
  t.equal(reply.headers['x-korproxy-error'], 'KP-SYS-518')
  t.equal(stack.simulator.requests().length, 0)
})
