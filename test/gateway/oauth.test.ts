import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startRig } from '../helpers/gateway-rig.ts'
import { accounts, type Stack, scratch, startStack, waitFor } from '../helpers/stack.ts'

/** Account `pro` by OAuth 2 at the simulator; `key` is its first refresh token. */
function oauthAccount(key = 'rt-first', name = 'pro'): string {
  return `
apiVersion: v1
kind: Secret
metadata: {name: ${name}}
stringData: {refresh: ${key}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: ${name}}
spec:
  provider: OpenAI
  baseURL: "{simulator}/v1"
  auth:
    type: OAuth2
    oauth2:
      tokenURL: "{simulator}/oauth/token"
      clientID: client
      refreshTokenRef: {name: ${name}, key: refresh}
---`
}

async function ask({ url }: Pick<Stack, 'url'>): Promise<{ status: number; code: string; account: string }> {
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}',
  })
  await reply.arrayBuffer()
  return {
    status: reply.status,
    code: reply.headers.get('x-korproxy-error') ?? '',
    account: reply.headers.get('x-korproxy-account') ?? '',
  }
}

/** Access tokens in the order in which the provider saw them. */
function tokens({ simulator }: Pick<Stack, 'simulator'>): string[] {
  return simulator
    .requests()
    .filter(({ path }) => path.endsWith('/chat/completions'))
    .map(({ headers }) => (headers['authorization'] ?? '').replace('Bearer ', ''))
}

t.test('R3.6 the first request fetches an access token, 20 at once share it, and later ones use it', async (t) => {
  const stack = await startStack(t, oauthAccount())
  t.equal(stack.simulator.stats().oauth.requests, 0, 'not before it is needed')
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(stack)))
  t.strictSame([...new Set(answers.map(({ status }) => status))], [200])
  t.equal((await ask(stack)).status, 200)
  t.match(stack.simulator.stats().oauth, { requests: 1, issued: 1, reused: 0 })
  t.strictSame([...new Set(tokens(stack))], ['mock-at-1'])
})

t.test(
  'R3.6 a rotated refresh token is on disk before its access token is used, and a restart goes on with it',
  async (t) => {
    const state = scratch(t)
    const stack = await startStack(t, oauthAccount(), { stateDirectory: state })
    t.equal((await ask(stack)).status, 200)
    const folder = join(state, 'tokens')
    const files = readdirSync(folder)
    t.equal(files.length, 1)
    t.match(readFileSync(join(folder, files[0] ?? ''), 'utf8'), /mock-rt-1/)
    await stack.standalone.close()
    const again = await startStack(t, oauthAccount(), { stateDirectory: state, simulator: stack.simulator })
    t.equal((await ask(again)).status, 200)
    again.simulator.configureTokens({ expireAll: true })
    t.equal((await ask(again)).status, 200)
    t.match(
      again.simulator.stats().oauth,
      { reused: 0, refused: 0, issued: 2 },
      'the first refresh token was never sent again',
    )
  },
)

t.test('R3.6 401 with an unexpired token: one renewal, and the same request is answered', async (t) => {
  const rig = await startRig(t, oauthAccount())
  t.equal((await ask(rig)).status, 200)
  rig.clock.nowMs += 60_000
  rig.simulator.configureTokens({ expireAll: true })
  t.equal((await ask(rig)).status, 200)
  t.match(rig.simulator.stats().oauth, { requests: 2, issued: 2, reused: 0 })
  t.strictSame(tokens(rig), ['mock-at-1', 'mock-at-1', 'mock-at-2'])
})

t.test('R3.6 a token that was refused right after it was issued is not replaced by more and more others', async (t) => {
  const rig = await startRig(t, oauthAccount())
  t.equal((await ask(rig)).status, 200)
  for (let round = 0; round < 10; round += 1) {
    rig.simulator.configureTokens({ expireAll: true })
    t.equal((await ask(rig)).status, 502)
  }
  t.equal(rig.simulator.stats().oauth.requests, 1)
})

t.test(
  'R3.6 a refresh token that is refused for good: 502 with its code, and the endpoint is not hammered',
  async (t) => {
    const stack = await startStack(t, oauthAccount('bad-token'))
    const first = await ask(stack)
    t.match(first, { status: 502, code: 'KP-PROV-114' })
    for (let round = 0; round < 20; round += 1) {
      const { status, code } = await ask(stack)
      t.equal(status, 502)
      t.match(code, /^KP-PROV-(?:114|102)$/)
    }
    t.equal(stack.simulator.stats().oauth.requests, 1)
    t.strictSame(tokens(stack), [], 'the provider was not asked without a token')
  },
)

t.test('R3.6 another account answers while one cannot get its token', async (t) => {
  const stack = await startStack(
    t,
    `${oauthAccount('bad-token')}${accounts(['b'])}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: main}
spec:
  selectionStrategy: Priority
  accountRefs: [{name: pro, priority: 0}, {name: b, priority: 1}]
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: main}}
`,
  )
  for (let round = 0; round < 5; round += 1) t.match(await ask(stack), { status: 200, account: 'b' })
  t.equal(stack.simulator.stats().oauth.requests, 1)
})

t.test(
  'R3.6 a token endpoint that fails for a while is asked with growing pauses, and the client is told when',
  async (t) => {
    const stack = await startStack(t, oauthAccount())
    stack.simulator.script({ match: { path: '/oauth/token' }, script: [{ failure: { status: 500 } }] })
    const first = await fetch(`${stack.url}/v1/chat/completions`, {
      method: 'POST',
      body: '{"model":"gpt-4o-mini","messages":[]}',
    })
    t.equal(first.status, 503)
    t.equal(first.headers.get('x-korproxy-error'), 'KP-PROV-116')
    const before =
      stack.simulator.stats().oauth.requests +
      stack.simulator.requests().filter(({ path }) => path.includes('/oauth/')).length
    for (let round = 0; round < 10; round += 1) t.ok((await ask(stack)).status >= 500)
    const after =
      stack.simulator.stats().oauth.requests +
      stack.simulator.requests().filter(({ path }) => path.includes('/oauth/')).length
    t.ok(after - before <= 6, `${after - before} more calls for 10 requests`)
  },
)

t.test('R3.6 a new authorisation heals an account that was refused', async (t) => {
  const stack = await startStack(t, oauthAccount('bad-token'))
  t.equal((await ask(stack)).status, 502)
  const version = stack.standalone.gateway.table?.version
  stack.configure(oauthAccount('rt-new'))
  while (stack.standalone.gateway.table?.version === version) await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal((await ask(stack)).status, 200)
})

t.test(
  'R3.6 a client that leaves while a token is fetched is not waited for, and the token is there for the next',
  async (t) => {
    const stack = await startStack(t, oauthAccount())
    stack.simulator.script({ match: { path: '/oauth/token' }, times: 1, script: [{ sleep: 1_000 }, { reply: {} }] })
    const leaving = fetch(`${stack.url}/v1/chat/completions`, {
      method: 'POST',
      body: '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}',
      signal: AbortSignal.timeout(200),
    })
    await t.rejects(leaving)
    const left = await stack.settled(1)
    t.match(left[0], { status: 499 })
    t.equal(stack.standalone.gateway.inFlight, 0)
    t.strictSame(tokens(stack), [])
    t.equal((await ask(stack)).status, 200)
  },
)

t.test('R13.1 a drain ends who waits for a token in an error of its own, too', async (t) => {
  const stack = await startStack(t, oauthAccount())
  stack.simulator.script({ match: { path: '/oauth/token' }, script: [{ sleep: 5_000 }, { reply: {} }] })
  const waiting = ask(stack)
  await waitFor(
    () => stack.standalone.gateway.inFlight,
    (count) => count === 1,
  )
  await stack.standalone.drain(200)
  t.match(await waiting, { status: 503, code: 'KP-SYS-502' })
})
