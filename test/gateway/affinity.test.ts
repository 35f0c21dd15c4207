import t, { type Test } from 'tap'
import { accounts, startStack } from '../helpers/stack.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e']

const client = (name: string) => `apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: ${name}}
spec: {credentials: [{name: k, secretKeyRef: {name: key-${name}}}]}
---
apiVersion: v1
kind: Secret
metadata: {name: key-${name}}
stringData: {apiKey: kp-key-of-${name}}
---
`

const group = (affinity: string) => `
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: pool}
spec:
  accountRefs: [${NAMES.map((name) => `{name: ${name}}`).join(', ')}]
  ${affinity}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: pool}}
---
`

type Ask = (body: object, headers?: Record<string, string>) => Promise<string>

/** Asks by the path of Chat (or another) and tells which account answered. */
async function pool(t: Test, affinity: string, path = '/v1/chat/completions', more = ''): Promise<Ask> {
  const provider = path === '/v1/messages' ? accounts(NAMES, 'provider: Anthropic', '') : accounts(NAMES)
  const stack = await startStack(t, provider + group(affinity) + more)
  return async (body, headers = {}) => {
    const reply = await fetch(stack.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    t.equal(reply.status, 200, await reply.text())
    return String(reply.headers.get('x-korproxy-account'))
  }
}

const user = (content: string) => ({ role: 'user', content })
const chat = (content: string, own: object = {}) => ({ model: 'gpt-4o', messages: [user(content)], ...own })

/** The same key five times over, one account; twenty keys, several. */
async function sticks(t: Test, ask: (key: string) => Promise<string>): Promise<void> {
  const first = await ask('conversation')
  for (let turn = 0; turn < 4; turn += 1) t.equal(await ask('conversation'), first, 'the same account')
  const others = new Set<string>()
  for (let key = 0; key < 20; key += 1) others.add(await ask(`other-${key}`))
  t.ok(others.size >= 3, `others are spread: ${[...others].join(' ')}`)
}

t.test('R2.1 without affinity requests go in turn, whatever they carry', async (t) => {
  const ask = await pool(t, 'selectionStrategy: RoundRobin')
  const seen = new Set<string>()
  for (let turn = 0; turn < 5; turn += 1) seen.add(await ask(chat('same'), { 'x-session-id': 's' }))
  t.equal(seen.size, 5)
})

t.test('R2.1 a header of the configuration keeps a conversation at one account', async (t) => {
  const ask = await pool(t, 'affinity: {by: Header, header: X-Conversation}')
  await sticks(t, (key) => ask(chat('hello'), { 'x-conversation': key }))
})

for (const header of ['x-claude-code-session-id', 'x-session-id', 'session-id', 'x-session-affinity']) {
  t.test(`R2.1 sessions of coding agents are told by ${header}`, async (t) => {
    const ask = await pool(t, 'selectionStrategy: Sticky')
    await sticks(t, (key) => ask(chat('hello'), { [header]: key }))
  })
}

t.test("R2.1 sessions are told by OpenAI's prompt_cache_key", async (t) => {
  const ask = await pool(t, 'affinity: {by: Session}')
  await sticks(t, (key) => ask(chat('hello', { prompt_cache_key: key })))
  const seen = new Set<string>()
  for (let turn = 0; turn < 5; turn += 1) seen.add(await ask(chat('hello', { prompt_cache_key: null })))
  t.equal(seen.size, 5, 'null is no key')
})

t.test('R2.1 sessions are told by the metadata that Claude Code sends', async (t) => {
  const ask = await pool(t, 'affinity: {by: Session}', '/v1/messages')
  const message = { model: 'claude-haiku-4-5', max_tokens: 5, messages: [user('hello')] }
  const userId = (session: string) => JSON.stringify({ device_id: 'd', account_uuid: '', session_id: session })
  await sticks(t, (key) => ask({ ...message, metadata: { user_id: userId(key) } }))
  const seen = new Set<string>()
  for (let turn = 0; turn < 5; turn += 1) seen.add(await ask({ ...message, metadata: {} }))
  t.equal(seen.size, 5, 'metadata without a user is no session')
})

t.test('R2.1 the same client stays at one account', async (t) => {
  const names = Array.from({ length: 10 }, (_, at) => `c${at}`)
  const ask = await pool(t, 'affinity: {by: Client}', '/v1/chat/completions', names.map(client).join(''))
  const of = (name: string) => ask(chat('hello'), { authorization: `Bearer kp-key-of-${name}` })
  const first = await of('c0')
  for (let turn = 0; turn < 4; turn += 1) t.equal(await of('c0'), first)
  const seen = new Set<string>()
  for (const name of names) seen.add(await of(name))
  t.ok(seen.size >= 3, [...seen].join(' '))
})

t.test('R2.1 a common beginning of the prompt stays at one account, while the conversation grows', async (t) => {
  const ask = await pool(t, 'affinity: {by: PromptPrefix}')
  await sticks(t, (key) => ask(chat(`question ${key}`)))
  const system = { role: 'system', content: 'You are {terse}, [always] "so".' }
  const turns = [system, user('What is a proxy?'), { role: 'assistant', content: 'A stand-in.' }, user('And why?')]
  const first = await ask({ model: 'gpt-4o', messages: turns.slice(0, 2) })
  t.equal(await ask({ model: 'gpt-4o', messages: turns }), first, 'a later turn')
  t.equal(await ask({ messages: turns, temperature: 1, model: 'gpt-4o' }), first, 'in another order of members')
  const spread = new Set<string>()
  for (let key = 0; key < 20; key += 1) {
    spread.add(await ask({ model: 'gpt-4o', messages: [system, user(`question ${key}`)] }))
  }
  t.ok(spread.size >= 3, 'a common system prompt alone does not bind everybody to one account')
  const long = { role: 'system', content: 'x'.repeat(5_000) }
  const bound = await ask({ model: 'gpt-4o', messages: [long, user('a')] })
  t.equal(
    await ask({ model: 'gpt-4o', messages: [long, user('b')] }),
    bound,
    'a long one does: its cache is what counts',
  )
})

t.test('R2.1 a common beginning is found in the other formats too', async (t) => {
  const ask = await pool(t, 'affinity: {by: PromptPrefix}', '/v1/messages')
  await sticks(t, (key) =>
    ask({ model: 'claude-haiku-4-5', max_tokens: 5, system: 'Be terse.', messages: [user(key)] }),
  )
  const responses = await pool(t, 'affinity: {by: PromptPrefix}', '/v1/responses')
  await sticks(t, (key) => responses({ model: 'gpt-4o', instructions: 'Be terse.', input: key }))
})

t.test('R2.1 affinity gives way when its account is down', async (t) => {
  const stack = await startStack(t, accounts(NAMES) + group('selectionStrategy: Sticky'))
  const ask = async () => {
    const reply = await fetch(`${stack.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-session-id': 's1' },
      body: JSON.stringify(chat('hello')),
    })
    t.equal(reply.status, 200, await reply.text())
    return String(reply.headers.get('x-korproxy-account'))
  }
  const home = await ask()
  stack.simulator.script({ match: { key: `sk-${home}` }, script: '429r30' })
  const refuge = await ask()
  t.not(refuge, home)
  t.equal(await ask(), refuge, 'and the session stays at its new account')
})
