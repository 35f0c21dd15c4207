import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Canary, leaksIn, plainCanary } from '../helpers/canaries.ts'
import { accounts, scratch, startStack } from '../helpers/stack.ts'

const PROVIDER_KEY = plainCanary('provider-key')
const SECOND_KEY = plainCanary('second-key')
const CLIENT_KEY = plainCanary('client-key')
const REFRESH_TOKEN = plainCanary('refresh-token')
const CLIENT_SECRET = plainCanary('oauth-client-secret')
const HEADER_VALUE = plainCanary('extra-header')
const PROMPT = plainCanary('prompt')
const WRONG_KEY = plainCanary('wrong-key')
const COOKIE = plainCanary('cookie')
/** What the simulator hands out and takes. */
const ACCESS_TOKEN: Canary = { name: 'access-token', value: 'mock-at-1' }
const ROTATED_TOKEN: Canary = { name: 'rotated-token', value: 'mock-rt-1' }

/** Whatever is secret to everybody but the provider. */
const SECRETS = [PROVIDER_KEY, SECOND_KEY, REFRESH_TOKEN, CLIENT_SECRET, HEADER_VALUE, ACCESS_TOKEN, ROTATED_TOKEN]
const ALL = [...SECRETS, CLIENT_KEY, PROMPT, WRONG_KEY, COOKIE, { name: 'management-token', value: 'kpm-test' }]

const MANIFESTS = `
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData:
  apiKey: ${PROVIDER_KEY.value}
  second: ${SECOND_KEY.value}
  refresh: ${REFRESH_TOKEN.value}
  clientSecret: ${CLIENT_SECRET.value}
  client: ${CLIENT_KEY.value}
  header: ${HEADER_VALUE.value}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: a}
spec:
  provider: OpenAI
  baseURL: "{simulator}/v1"
  auth: {secretKeyRef: {name: keys}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: b}
spec:
  provider: Gemini
  baseURL: "{simulator}"
  auth: {secretKeyRef: {name: keys, key: second}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: c}
spec:
  provider: OpenAI
  baseURL: "{simulator}/v1"
  auth:
    type: OAuth2
    oauth2:
      tokenURL: "{simulator}/oauth/token"
      clientID: client
      refreshTokenRef: {name: keys, key: refresh}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec:
  selectionStrategy: Priority
  accountRefs: [{name: a, priority: 0}, {name: b, priority: 1}, {name: c, priority: 2}]
  retry: {sameAccountBackoff: {base: 5ms, max: 10ms}, maxRetryAfterWait: 0s}
  timeouts: {firstByte: 300ms, firstByteWhole: 300ms, idle: 300ms}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: team}
spec: {credentials: [{name: one, secretKeyRef: {name: keys, key: client}}]}
`

/** A provider that repeats everything it was sent, in every way a provider can speak. */
function echoes({ value }: Canary): readonly (readonly unknown[])[] {
  const message = `Incorrect API key provided: ${value}. Bearer ${value}`
  const json = { 'content-type': 'application/json' }
  const error = JSON.stringify({ error: { message, type: 'invalid_request_error', code: value } })
  return [
    ...[400, 401, 403, 404, 422, 429, 500, 503].map((status) => [
      { status, headers: { ...json, 'x-echo': value, 'www-authenticate': `Bearer ${value}` } },
      { write: error },
      { end: true },
    ]),
    [{ status: 500, headers: { 'content-type': 'text/html' } }, { write: `<html>${message}` }, { end: true }],
    [{ status: 200, headers: json }, { write: error }, { end: true }],
    [{ raw: `HTTP/1.1 abc ${value}\r\n\r\n` }, { close: true }],
    [{ raw: `HTTP/1.1 200 OK\r\nset-cookie: ${value}\r\ncontent-length: x${value}\r\n\r\n` }, { close: true }],
  ]
}

const FAULTS = [
  'reset',
  'fin',
  'hang',
  'cut',
  'cutreset',
  'garbage',
  'errorevent',
  'status-line',
  'gzip-cut',
  'toolong',
  'refused',
  '429',
  '401',
  '500',
  'early401',
]

const MESSAGES = [{ role: 'user', content: PROMPT.value }]
const REQUESTS = [
  ['/v1/chat/completions', { model: 'gpt-4o-mini', messages: MESSAGES }],
  ['/v1/chat/completions', { model: 'gpt-4o-mini', messages: MESSAGES, stream: true }],
  ['/v1/messages', { model: 'gpt-4o-mini', max_tokens: 9, messages: MESSAGES }],
  ['/v1beta/models/gpt-4o-mini:generateContent', { contents: [{ role: 'user', parts: [{ text: PROMPT.value }] }] }],
  ['/api/chat', { model: 'gpt-4o-mini', messages: MESSAGES }],
] as const

/** A gateway with a simulator, and all that they said so far held against the canaries. */
interface Watch {
  readonly stack: Awaited<ReturnType<typeof startStack>>
  readonly leaks: string[]
}

interface Sent {
  readonly body: string
  readonly headers?: Record<string, string>
}

function look(watch: Watch, place: string, text: string, canaries: readonly Canary[] = ALL): void {
  watch.leaks.push(...leaksIn(place, text, canaries))
}

async function ask(watch: Watch, place: string, path: string, sent: Sent): Promise<void> {
  const reply = await fetch(`${watch.stack.url}${path}`, {
    method: 'POST',
    body: sent.body,
    headers: { authorization: `Bearer ${CLIENT_KEY.value}`, cookie: COOKIE.value, ...sent.headers },
  })
  const text = await reply.text().catch((error: unknown) => String(error))
  look(watch, place, `${JSON.stringify([...reply.headers])}${text}`)
}

async function startAfresh({ stack }: Watch): Promise<void> {
  await fetch(`${stack.url}/_korproxy/health/reset`, { method: 'POST', headers: { authorization: 'Bearer kpm-test' } })
  stack.simulator.reset()
}

async function askWithFaults(watch: Watch): Promise<void> {
  for (const [path, body] of REQUESTS) {
    const sent = { body: JSON.stringify(body) }
    watch.stack.simulator.reset()
    await ask(watch, `good ${path}`, path, sent)
    for (const fault of FAULTS) {
      await startAfresh(watch)
      watch.stack.simulator.script({ script: fault })
      await ask(watch, `${fault} ${path}`, path, sent)
    }
  }
}

/** The account of `own` repeats its secret; the others fail, so that it is asked. */
async function askWithEchoesOf(watch: Watch, own: Canary): Promise<void> {
  const others = [PROVIDER_KEY, SECOND_KEY, ACCESS_TOKEN].filter((other) => other !== own)
  for (const [at, script] of echoes(own).entries()) {
    await startAfresh(watch)
    watch.stack.simulator.script({ match: { key: own.value }, script } as never)
    for (const other of others) watch.stack.simulator.script({ match: { key: other.value }, script: '500' })
    for (const [path, body] of REQUESTS.slice(0, 3)) {
      await ask(watch, `echo ${own.name} ${at} ${path}`, path, { body: JSON.stringify(body) })
    }
  }
}

async function askWrongly(watch: Watch): Promise<void> {
  const chat = '/v1/chat/completions'
  const body = JSON.stringify({ model: 'gpt-4o-mini', messages: MESSAGES })
  await ask(watch, 'wrong key', chat, { body, headers: { authorization: `Bearer ${WRONG_KEY.value}` } })
  await ask(watch, 'two keys', chat, { body, headers: { 'x-api-key': WRONG_KEY.value } })
  await ask(watch, 'key in the query', `${chat}?key=${WRONG_KEY.value}`, { body })
  await ask(watch, 'no model', chat, { body: JSON.stringify({ messages: MESSAGES }) })
  const wrongTypes = JSON.stringify({ model: 'gpt-4o-mini', messages: PROMPT.value })
  await ask(watch, 'wrong types', '/v1/messages', { body: wrongTypes })
  await ask(watch, 'broken JSON', chat, { body: `{"model":"gpt-4o-mini","x":"${PROMPT.value}` })
}

function lookAtState(watch: Watch, state: string): void {
  for (const file of readdirSync(state, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())) {
    const path = join(file.parentPath, file.name)
    const canaries = path.includes('/tokens/')
      ? ALL.filter((each) => each !== ACCESS_TOKEN && each !== ROTATED_TOKEN)
      : ALL
    look(watch, path.replace(state, ''), readFileSync(path, 'latin1'), canaries)
  }
}

t.test('S6 secrets appear in no reply, log, metric, status, event or state but the one that keeps them', async (t) => {
  const state = scratch(t)
  const stack = await startStack(t, MANIFESTS, { stateDirectory: state })
  const watch: Watch = { stack, leaks: [] }

  await askWithFaults(watch)
  for (const own of [PROVIDER_KEY, SECOND_KEY, ACCESS_TOKEN]) await askWithEchoesOf(watch, own)
  await askWrongly(watch)

  for (const path of ['/metrics', '/readyz', '/_korproxy/status', '/v1/models']) {
    const reply = await fetch(`${stack.url}${path}`, {
      headers: { authorization: path === '/v1/models' ? `Bearer ${CLIENT_KEY.value}` : 'Bearer kpm-test' },
    })
    t.equal(reply.status, 200, path)
    look(watch, path, await reply.text())
  }
  look(watch, 'log', stack.log())
  t.ok(stack.log().length > 10_000, 'there was something to log')
  await stack.standalone.close()
  lookAtState(watch, state)
  t.strictSame([...new Set(watch.leaks)], [])
})

t.test('S6 the command line shows no secret, whatever is wrong in the folder', async (t) => {
  const folder = scratch(t)
  const text = MANIFESTS.replaceAll('{simulator}', 'http://127.0.0.1:9')
  const variants = {
    good: text,
    'a key in the wrong place': text.replace(
      'auth: {secretKeyRef: {name: keys}}',
      `auth: {apiKey: ${PROVIDER_KEY.value}}`,
    ),
    'a key as a name': text.replace('secretKeyRef: {name: keys, key: second}', 'secretKeyRef: {name: missing}'),
    'a broken secret': text.replace('stringData:', 'stringdata:'),
    'bad base64': text.replace('stringData:', 'data:'),
  }
  for (const [name, manifests] of Object.entries(variants)) {
    writeFileSync(join(folder, 'korproxy.yaml'), manifests)
    for (const args of [
      ['config', 'validate', folder],
      ['config', 'validate', folder, '-o', 'json'],
      ['provider', 'list', '--config', folder],
    ]) {
      const { stdout, stderr } = spawnSync(process.execPath, ['src/cli/launch.ts', ...args], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] },
      })
      const output = stdout + stderr
      t.not(output, '', `${name}: ${args.join(' ')} says something`)
      t.strictSame(leaksIn(`${name}: ${args.slice(0, 2).join(' ')}`, output, ALL), [])
    }
  }
})

t.test('the canaries would be found: one that is let out is', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const reply = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model: 'gpt-4o-mini',
      tools: [],
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'tool', tool_call_id: 'x', content: PROMPT.value },
        { role: 'user', content: 'Hi' },
      ],
    }),
  })
  const text = await reply.text()
  t.ok(reply.status === 200 || reply.status === 400)
  t.strictSame(leaksIn('here', `${text}${PROMPT.value}`, [PROMPT]), ['prompt in here'])
  t.strictSame(leaksIn('here', Buffer.from(`xx${PROMPT.value}yy`).toString('base64'), [PROMPT]), ['prompt in here'])
  t.strictSame(leaksIn('here', Buffer.from(`x${PROMPT.value}yy`).toString('base64url'), [PROMPT]), ['prompt in here'])
  t.strictSame(leaksIn('here', encodeURIComponent(PROMPT.value), [PROMPT]), ['prompt in here'])
  t.strictSame(leaksIn('here', 'nothing', [PROMPT]), [])
})
