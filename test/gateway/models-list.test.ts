import t, { type Test } from 'tap'
import { startRig } from '../helpers/gateway-rig.ts'

const SECRET = `apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {apiKey: sk-1}
---
`
const account = (name: string, spec: string) => `apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: ${name}}
spec: {auth: {secretKeyRef: {name: key}}, ${spec}}
---
`
const client = (name: string, allow: string) => `apiVersion: v1
kind: Secret
metadata: {name: key-${name}}
stringData: {apiKey: kp-key-of-${name}}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: ${name}}
spec: {credentials: [{name: k, secretKeyRef: {name: key-${name}}}], allow: {${allow}}}
---
`
const MANIFESTS = `${SECRET}${account(
  'hosted',
  'provider: OpenAICompatible, baseURL: "{simulator}/v1", models: {allow: [house-1, "gpt-*"], deny: [gpt-4o-mini], aliases: [{name: fast, upstream: gpt-4o}], list: [vendor/extra]}',
)}${account('off', 'provider: OpenAICompatible, baseURL: "{simulator}/v1", state: Disabled, models: {list: [never]}')}
apiVersion: korproxy.dev/v1alpha1
kind: ModelCatalog
metadata: {name: own}
spec:
  models:
  - {name: house-1, displayName: House one, vendor: us, contextWindow: 1000, maxOutputTokens: 100, aliases: [home], capabilities: [Tools]}
---
${client('all', '')}${client('narrow', 'models: ["house-*", fast]')}`

type Get = (
  path: string,
  headers?: Record<string, string>,
) => Promise<{ status: number; body: Record<string, unknown> }>

async function gateway(t: Test): Promise<Get> {
  const rig = await startRig(t, MANIFESTS)
  return async (path, headers = {}) => {
    const key = headers['authorization'] === undefined && headers['x-goog-api-key'] === undefined
    const reply = await fetch(rig.url + path, {
      headers: { ...(key ? { authorization: 'Bearer kp-key-of-all' } : {}), ...headers },
    })
    const body: unknown = await reply.json()
    // Every reply of these paths is an object.
    return { status: reply.status, body: body as Record<string, unknown> }
  }
}

const NARROW = { authorization: 'Bearer kp-key-of-narrow' }
const ANTHROPIC = { 'anthropic-version': '2023-06-01' }
const ids = (body: Record<string, unknown>, list: string, id: string): unknown =>
  // The shape is what is tested.
  (body[list] as Record<string, unknown>[] | undefined)?.map((model) => model[id])

t.test(
  'R1.8 OpenAI: names, aliases and what the catalogue knows; nothing denied, nothing of a disabled account',
  async (t) => {
    const get = await gateway(t)
    const { status, body } = await get('/v1/models')
    t.equal(status, 200)
    t.equal(body['object'], 'list')
    const names = ids(body, 'data', 'id')
    // The array is what is tested.
    const list = names as string[]
    for (const name of ['house-1', 'home', 'fast', 'gpt-4o', 'gpt-5']) t.ok(list.includes(name), name)
    for (const name of ['gpt-4o-mini', 'never', 'claude-haiku-4-5', 'vendor/extra']) t.notOk(list.includes(name), name)
    t.strictSame(list, list.toSorted(), 'in order')
    const house = (body['data'] as Record<string, unknown>[]).find(({ id }) => id === 'house-1')
    t.match(house, { id: 'house-1', object: 'model', created: 0, owned_by: 'us' })
  },
)

t.test('R1.8 a client sees what it may use, in every shape', async (t) => {
  const get = await gateway(t)
  t.strictSame(ids((await get('/v1/models', NARROW)).body, 'data', 'id'), ['fast', 'house-1'])
  t.strictSame(ids((await get('/v1/models?limit=1000', { ...NARROW, ...ANTHROPIC })).body, 'data', 'id'), [
    'fast',
    'house-1',
  ])
  t.strictSame(ids((await get('/v1beta/models', { 'x-goog-api-key': 'kp-key-of-narrow' })).body, 'models', 'name'), [
    'models/fast',
    'models/house-1',
  ])
  t.strictSame(ids((await get('/api/tags', NARROW)).body, 'models', 'name'), ['fast', 'house-1'])
})

t.test('R1.8 Anthropic: names people read, limits, and no further page', async (t) => {
  const get = await gateway(t)
  const { body } = await get('/v1/models', { ...NARROW, ...ANTHROPIC })
  t.match(body, { has_more: false, first_id: 'fast', last_id: 'house-1' })
  t.match((body['data'] as unknown[])[1], {
    type: 'model',
    id: 'house-1',
    display_name: 'House one',
    max_input_tokens: 1000,
    max_tokens: 100,
  })
  const one = await get('/v1/models/house-1', { ...NARROW, ...ANTHROPIC })
  t.match(one.body, { type: 'model', id: 'house-1', display_name: 'House one' })
})

t.test('R1.8 Gemini: both versions of the path, limits and methods', async (t) => {
  const get = await gateway(t)
  for (const path of ['/v1beta/models', '/v1/models']) {
    const { body } = await get(path, { 'x-goog-api-key': 'kp-key-of-narrow' })
    t.match((body['models'] as unknown[])[1], {
      name: 'models/house-1',
      displayName: 'House one',
      inputTokenLimit: 1000,
      outputTokenLimit: 100,
      supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
    })
  }
  const one = await get('/v1beta/models/house-1', { 'x-goog-api-key': 'kp-key-of-narrow' })
  t.match(one.body, { name: 'models/house-1' })
})

t.test('R1.8 OpenAI: one model by its name, an alias, an escaped name', async (t) => {
  const get = await gateway(t)
  t.match(await get('/v1/models/house-1'), { status: 200, body: { id: 'house-1', object: 'model' } })
  t.match(await get('/v1/models/fast'), { status: 200, body: { id: 'fast' } })
  t.match(await get('/v1/models/hosted%2Fhouse-1'), { status: 200, body: { id: 'hosted/house-1' } })
  t.match(await get('/v1/models/hosted/house-1'), { status: 200, body: { id: 'hosted/house-1' } })
})

t.test('R1.8 a model that is not there, or not for this client, is a 404 in the shape of the API', async (t) => {
  const get = await gateway(t)
  t.match(await get('/v1/models/nothing'), {
    status: 404,
    body: { error: { code: 'model_not_found', kp_code: 'KP-PROV-103' } },
  })
  t.match(await get('/v1/models/gpt-4o-mini'), { status: 404 }, 'denied')
  t.match(await get('/v1/models/constructor'), { status: 404 }, 'a word that every object has')
  t.match(await get('/v1/models/gpt-4o', NARROW), { status: 404 }, 'known and served, but not for this client')
  t.match(await get('/v1/models/gpt-4o', { ...NARROW, ...ANTHROPIC }), {
    status: 404,
    body: { type: 'error', error: { type: 'not_found_error' } },
  })
  t.match(await get('/v1beta/models/gpt-4o', { 'x-goog-api-key': 'kp-key-of-narrow' }), {
    status: 404,
    body: { error: { code: 404, status: 'NOT_FOUND' } },
  })
})

const GROUPED = `${SECRET}${account('one', 'provider: OpenAICompatible, baseURL: "{simulator}/v1", models: {allow: [claude-one], aliases: [{name: fast, upstream: claude-one}]}')}${account(
  'two',
  'provider: OpenAICompatible, baseURL: "{simulator}/v1", models: {allow: [claude-two, claude-spare, claude-hidden]}',
)}${account('three', 'provider: OpenAICompatible, baseURL: "{simulator}/v1", models: {allow: [claude-spare, claude-three]}')}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: g1}
spec: {accountRefs: [{name: one}], fallbackGroupRefs: [{name: g3}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: g3}
spec: {accountRefs: [{name: three}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: only1}
spec:
  rules: [{name: moved, match: {models: [claude-two]}, providerGroups: [{name: g1}], modelOverride: claude-one}]
  defaultProviderGroup: {name: g1}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: only3}
spec: {defaultProviderGroup: {name: g3}}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: all-accounts}}
---
${client('narrow', 'models: ["claude-*", fast]').replace('spec: {', 'spec: {profileRef: {name: only1}, profileOverride: Allow, ')}${client('all', '')}`

t.test('R1.8 a client sees what its profile leads to, fallback groups and replaced models included', async (t) => {
  const rig = await startRig(t, GROUPED)
  const get = async (path: string, headers: Record<string, string> = NARROW) => {
    const reply = await fetch(rig.url + path, { headers })
    const body: unknown = await reply.json()
    return { status: reply.status, body: body as Record<string, unknown> }
  }
  const reached = ['claude-one', 'claude-spare', 'claude-three', 'claude-two', 'fast']
  t.strictSame(ids((await get('/v1/models')).body, 'data', 'id'), reached)
  t.strictSame(ids((await get('/v1/models', { ...NARROW, ...ANTHROPIC })).body, 'data', 'id'), reached)
  t.strictSame(ids((await get('/api/tags')).body, 'models', 'name'), reached)
  t.match(await get('/v1/models/claude-three'), { status: 200 })
  t.match(await get('/v1/models/claude-hidden'), { status: 404, body: { error: { kp_code: 'KP-PROV-103' } } })
  t.strictSame(
    ids((await get('/v1/models', { ...NARROW, 'x-korproxy-profile': 'only3' })).body, 'data', 'id'),
    ['claude-spare', 'claude-three'],
    'the profile that it asks for',
  )
  t.strictSame(
    ids((await get('/v1/models', { authorization: 'Bearer kp-key-of-all' })).body, 'data', 'id'),
    ['claude-hidden', ...reached].toSorted(),
  )
  for (const model of [...reached, 'claude-hidden']) {
    const { status } = await fetch(`${rig.url}/v1/chat/completions`, {
      method: 'POST',
      headers: NARROW,
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
    })
    t.equal(status, reached.includes(model) ? 200 : 404, `${model}: what is listed is answered`)
  }
})

t.test("Ollama's own questions: show, version, running models", async (t) => {
  const rig = await startRig(t, MANIFESTS)
  const ask = async (method: string, path: string, body?: object) => {
    const reply = await fetch(rig.url + path, {
      method,
      headers: NARROW,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const found: unknown = await reply.json()
    return { status: reply.status, body: found }
  }
  t.match(await ask('POST', '/api/show', { model: 'house-1' }), {
    status: 200,
    body: { capabilities: ['completion', 'tools'] },
  })
  t.match(await ask('POST', '/api/show', { name: 'house-1' }), { status: 200 }, 'older clients say name')
  t.match(await ask('POST', '/api/show', { model: 'gpt-4o' }), { status: 404 })
  t.match(await ask('POST', '/api/show', {}), { status: 400 })
  t.match(await ask('GET', '/api/version'), { status: 200, body: { version: /^\d+\.\d+\.\d+$/ } })
  t.strictSame(await ask('GET', '/api/ps'), { status: 200, body: { models: [] } })
  t.match(await ask('POST', '/api/pull', { model: 'x' }), { status: 501 })
  t.equal(rig.simulator.requests().length, 0, 'no provider is asked')
})

t.test('probes of Claude Code are answered without a key and are no requests', async (t) => {
  const rig = await startRig(t, MANIFESTS)
  for (const [method, path] of [
    ['HEAD', '/'],
    ['HEAD', '/api/hello'],
    ['GET', '/'],
  ] as const) {
    const reply = await fetch(rig.url + path, { method })
    t.equal(reply.status, 200, `${method} ${path}`)
    t.equal(await reply.text(), method === 'HEAD' ? '' : 'KorProxy\n')
  }
  t.equal(rig.events.length, 0)
})
