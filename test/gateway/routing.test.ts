import t from 'tap'
import { type Rig, startRig } from '../helpers/gateway-rig.ts'
import { accounts } from '../helpers/stack.ts'

const group = (name: string, account: string, more = '') => `apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: ${name}}
spec: {accountRefs: [{name: ${account}}]${more}}
---
`
const profile = (name: string, spec: string) => `apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: ${name}}
spec: ${spec}
---
`
const client = (name: string, spec: string) => `apiVersion: v1
kind: Secret
metadata: {name: key-${name}}
stringData: {apiKey: kp-key-of-${name}}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: ${name}}
spec: {credentials: [{name: k, secretKeyRef: {name: key-${name}}}]${spec}}
---
`

interface Answer {
  readonly status: number
  /** `group account model type`, from the headers. */
  readonly route: string
  readonly code: string | null
  readonly profile: string | null
  readonly text: string
}

async function ask(rig: Rig, line: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const [method = 'GET', path = '/'] = line.split(' ')
  const reply = await fetch(rig.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const header = (name: string) => reply.headers.get(`x-korproxy-${name}`)
  return {
    status: reply.status,
    route: ['provider-group', 'account', 'model', 'type'].map((name) => header(name) ?? '-').join(' '),
    code: header('error'),
    profile: header('profile'),
    text: await reply.text(),
  }
}

const chat = (model: string) => ({ model, messages: [{ role: 'user', content: 'hello' }] })
const CHAT = 'POST /v1/chat/completions'

const THREE = `${accounts(['a', 'b', 'c'])}
${group('chats', 'a')}${group('vectors', 'b')}${group('rest', 'c')}`

const BY_TYPE = `${THREE}${profile(
  'default',
  `
  rules:
  - {name: chats, match: {requestTypes: [chat]}, providerGroups: [{name: chats}]}
  - {name: vectors, match: {requestTypes: [embedding]}, providerGroups: [{name: vectors}]}
  defaultProviderGroup: {name: rest}`,
)}`

t.test('R1.1 R1.2 the path decides the type, then the family of the model, then the body', async (t) => {
  const rig = await startRig(t, BY_TYPE)
  const routeOf = async (line: string, body?: unknown) => (await ask(rig, line, body)).route
  t.equal(await routeOf(CHAT, chat('text-embedding-3-small')), 'chats a text-embedding-3-small chat', 'the path')
  t.equal(await routeOf('POST /v1/embeddings', { model: 'gpt-4o', input: 'x' }), 'vectors b gpt-4o embedding')
  t.equal(
    await routeOf('POST /v1/completions', { model: 'gpt-3.5-turbo-instruct', prompt: 'x' }),
    'rest c gpt-3.5-turbo-instruct completion',
  )
  t.equal(await routeOf('POST /v1/unheard', { model: 'gpt-4o' }), 'chats a gpt-4o chat', 'the family')
  t.equal(
    await routeOf('POST /v1/unheard', { model: 'text-embedding-3-small', messages: [] }),
    'vectors b text-embedding-3-small embedding',
    'the family before the body',
  )
  t.equal(await routeOf('POST /v1/unheard', { model: 'house-1', messages: [] }), 'chats a house-1 chat', 'the body')
  t.equal(await routeOf('POST /v1/unheard', { model: 'house-1', prompt: 'x' }), 'rest c house-1 completion')
  t.equal(await routeOf('POST /v1/unheard', { model: 'house-1', input: 'x' }), 'vectors b house-1 embedding')
  t.equal(await routeOf('POST /v1/unheard', { model: 'house-1' }), 'rest c house-1 other')
})

t.test(
  'R1.3 headers choose type and profile where the client may; R1.5 a client can be bound to a profile',
  async (t) => {
    const rig = await startRig(
      t,
      BY_TYPE +
        profile('second', '{defaultProviderGroup: {name: vectors}}') +
        client('free', ', profileOverride: Allow') +
        client('bound', ', profileRef: {name: second}'),
    )
    const free = { authorization: 'Bearer kp-key-of-free' }
    const bound = { authorization: 'Bearer kp-key-of-bound' }
    t.equal((await ask(rig, CHAT, chat('gpt-4o'), free)).route, 'chats a gpt-4o chat')
    const chosen = await ask(rig, CHAT, chat('gpt-4o'), { ...free, 'x-korproxy-profile': 'second' })
    t.equal(`${chosen.profile} ${chosen.route}`, 'second vectors b gpt-4o chat')
    const typed = await ask(rig, CHAT, chat('gpt-4o'), { ...free, 'x-korproxy-request-type': 'embedding' })
    t.equal(typed.route, 'vectors b gpt-4o embedding')
    t.match(await ask(rig, CHAT, chat('gpt-4o'), { ...free, 'x-korproxy-profile': 'nowhere' }), {
      status: 404,
      code: 'KP-CONF-219',
    })
    t.match(await ask(rig, CHAT, chat('gpt-4o'), bound), { status: 200, profile: 'second' })
    for (const header of ['x-korproxy-profile', 'x-korproxy-request-type']) {
      t.match(
        await ask(rig, CHAT, chat('gpt-4o'), { ...bound, [header]: 'chat' }),
        { status: 403, code: 'KP-AUTH-007' },
        header,
      )
    }
  },
)

t.test('R1.4 rules in their order: model, family, client, header; a rule may rewrite the model', async (t) => {
  const rig = await startRig(
    t,
    `${THREE}${client('vip', '')}${client('plain', '')}${profile(
      'default',
      `
  rules:
  - {name: header, match: {headers: [{name: X-Tier, value: gold}]}, providerGroups: [{name: rest}]}
  - {name: client, match: {clients: [vip], models: ["gpt-*"]}, modelOverride: gpt-5, providerGroups: [{name: vectors}]}
  - {name: family, match: {modelFamilies: [embedding]}, providerGroups: [{name: vectors, modelOverride: text-embedding-3-large}]}
  - {name: first, match: {models: ["gpt-4*"]}, providerGroups: [{name: chats}]}
  - {name: shadowed, match: {models: [gpt-4o]}, providerGroups: [{name: rest}]}
  defaultProviderGroup: {name: rest}`,
    )}`,
  )
  const plain = { authorization: 'Bearer kp-key-of-plain' }
  const vip = { authorization: 'Bearer kp-key-of-vip' }
  t.equal((await ask(rig, CHAT, chat('gpt-4o'), plain)).route, 'chats a gpt-4o chat')
  t.equal((await ask(rig, CHAT, chat('gpt-4o'), vip)).route, 'vectors b gpt-5 chat')
  t.equal((await ask(rig, CHAT, chat('gpt-4o'), { ...vip, 'x-tier': 'gold' })).route, 'rest c gpt-4o chat')
  t.equal((await ask(rig, CHAT, chat('gpt-4o'), { ...plain, 'x-tier': 'silver' })).route, 'chats a gpt-4o chat')
  t.equal(
    (await ask(rig, 'POST /v1/embeddings', { model: 'text-embedding-3-small', input: 'x' }, plain)).route,
    'vectors b text-embedding-3-large embedding',
  )
  t.equal((await ask(rig, CHAT, chat('o3'), plain)).route, 'rest c o3 chat', 'no rule: the default group')
  const sent = rig.simulator.requests().map(({ model }) => model)
  t.ok(sent.includes('gpt-5') && sent.includes('text-embedding-3-large'), 'the provider is asked for the other model')
})

t.test('R1.5 R1.6 the active profile can be switched; when it is gone the default one serves', async (t) => {
  const config = (active: string) => `apiVersion: korproxy.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default}
spec: {activeProfileRef: {name: ${active}}, clientAuth: {mode: Disabled}}
---
`
  const one = profile('one', '{defaultProviderGroup: {name: chats}}')
  const two = profile('two', '{defaultProviderGroup: {name: vectors}}')
  const rig = await startRig(t, THREE + one + two + config('one'))
  t.match(await ask(rig, CHAT, chat('gpt-4o')), { profile: 'one', route: 'chats a gpt-4o chat' })
  await rig.apply(THREE + one + two + config('two'))
  t.match(await ask(rig, CHAT, chat('gpt-4o')), { profile: 'two', route: 'vectors b gpt-4o chat' })
  await rig.apply(THREE + one + config('two'))
  t.match(await ask(rig, CHAT, chat('gpt-4o')), { profile: 'default', route: /^all-accounts / })
})

t.test('R1.8 aliases, lists of models, and names that address an account or a provider', async (t) => {
  const rig = await startRig(
    t,
    `${accounts(['a'], 'models: {allow: ["gpt-*"], aliases: [{name: fast, upstream: gpt-4o-mini}]}\n  provider: OpenAI')}
${accounts(['b'], 'models: {deny: ["gpt-4*"]}\n  provider: OpenAI')}
${accounts(['claude'], 'models: {allow: ["claude-*"]}\n  provider: Anthropic', '')}
apiVersion: korproxy.dev/v1alpha1
kind: ModelCatalog
metadata: {name: own}
spec: {models: [{name: gpt-4o, aliases: [best]}]}
`,
  )
  const routeOf = async (model: string) => (await ask(rig, CHAT, chat(model))).route
  t.equal(await routeOf('fast'), 'all-accounts a gpt-4o-mini chat', "the account's alias")
  t.equal(await routeOf('best'), 'all-accounts a gpt-4o chat', "the catalogue's alias")
  t.equal(await routeOf('gpt-4o'), 'all-accounts a gpt-4o chat', 'b denies it')
  t.equal(await routeOf('o3'), 'all-accounts b o3 chat', 'a does not allow it')
  t.equal(await routeOf('b/gpt-5'), 'all-accounts b gpt-5 chat', 'this account')
  t.equal(await routeOf('claude/claude-haiku-4-5'), 'all-accounts claude claude-haiku-4-5 chat')
  t.equal(await routeOf('anthropic/claude-haiku-4-5'), 'all-accounts claude claude-haiku-4-5 chat', 'this provider')
  t.match(
    await ask(rig, CHAT, chat('claude/gpt-4o-mini-x')),
    { status: 404, code: 'KP-PROV-103' },
    'not of this account',
  )
  t.match(await ask(rig, CHAT, chat('gemini/gemini-2.5-pro')), { status: 404, code: 'KP-PROV-103' })
})

t.test('R1.1 a path that is no known API passes with its query, and its 404 is the provider’s', async (t) => {
  const rig = await startRig(t, accounts(['a']))
  const missing = await ask(rig, 'GET /v1/files/file-1?limit=2')
  t.match(missing, { status: 404, code: 'KP-PROV-104' })
  t.notMatch(missing.text, /[Mm]odel/, 'nothing is said of a model that nobody asked for')
  t.equal(rig.simulator.requests().at(-1)?.path, '/v1/files/file-1?limit=2')
  t.equal(rig.gateway.registry.find('default', 'a')?.health.state(undefined, rig.clock.nowMs).state, 'available')
})

t.test('R8.2 a path that is no known API, where no account takes just anything, is not served here', async (t) => {
  const rig = await startRig(t, accounts(['a'], 'models: {allow: ["gpt-*"]}\n  provider: OpenAI'))
  const unknown = await ask(rig, 'GET /favicon.ico')
  t.match(unknown, { status: 404, code: 'KP-SYS-517' })
  t.match(unknown.text, /GET \/favicon\.ico is not served here/)
  t.match(await ask(rig, 'GET /v1/models/%ff'), { status: 400, code: 'KP-NET-310' }, 'a path that cannot be read')
  t.equal(rig.simulator.requests().length, 0)
})

t.test('R2.2 an account with a new destination starts afresh; any other change keeps what was learnt', async (t) => {
  const at = (path: string, more = '') => accounts(['a'], `provider: OpenAI${more}`, path)
  const rig = await startRig(t, at('/v1'))
  const health = () => rig.gateway.registry.find('default', 'a')?.health.state(undefined, rig.clock.nowMs).state
  rig.simulator.script({ script: '401', times: 1 })
  t.match(await ask(rig, CHAT, chat('gpt-4o')), { status: 502, code: 'KP-PROV-102' })
  t.equal(health(), 'erroring')
  await rig.apply(at('/v1', '\n  displayName: Other'))
  t.equal(health(), 'erroring')
  await rig.apply(at(''))
  t.equal(health(), 'available')
})

t.test('R8.2 a quota that was found spent is told as one: nobody is sent to sleep until it comes back', async (t) => {
  const rig = await startRig(
    t,
    `${accounts(['a'])}\n${group('pool', 'a', ', health: {whenAllUnavailable: FailFast}')}
${profile('default', '{defaultProviderGroup: {name: pool}}')}`,
  )
  rig.simulator.script({ script: 'quota' })
  for (const attempts of [1, 1]) {
    const reply = await fetch(`${rig.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(chat('gpt-4o')),
    })
    t.equal(reply.status, 429)
    t.equal(reply.headers.get('x-korproxy-error'), 'KP-PROV-108')
    t.equal(reply.headers.get('x-should-retry'), 'false')
    t.equal(reply.headers.get('retry-after'), null)
    t.match(await reply.json(), { error: { code: 'insufficient_quota', type: 'insufficient_quota' } })
    t.equal(rig.simulator.requests().length, attempts, 'the second time nobody is asked')
  }
})

t.test(
  'R2.3 R8.2 the spent day of one Gemini model is told as such, and the other models of the account go on',
  async (t) => {
    const rig = await startRig(
      t,
      `${accounts(['a'], 'provider: Gemini', '')}\n${group('pool', 'a', ', health: {whenAllUnavailable: FailFast}')}
${profile('default', '{defaultProviderGroup: {name: pool}}')}`,
    )
    rig.simulator.script({ script: 'quota', times: 1 })
    for (const attempts of [1, 1]) {
      t.match(await ask(rig, CHAT, chat('gemini-2.5-pro')), { status: 429, code: 'KP-PROV-108' })
      t.equal(rig.simulator.requests().length, attempts, 'the second time nobody is asked')
    }
    t.match(await ask(rig, CHAT, chat('gemini-2.5-flash')), { status: 200, code: null })
  },
)
