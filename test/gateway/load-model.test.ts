import { Ollama } from 'ollama'
import t from 'tap'
import { startRig } from '../helpers/gateway-rig.ts'
import { accounts } from '../helpers/stack.ts'

const MANIFESTS = `${accounts(['a'])}${accounts(['local'], 'provider: Ollama', '')}
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: hosted}
spec: {accountRefs: [{name: a}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: own}
spec: {accountRefs: [{name: local}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: mixed}
spec: {selectionStrategy: Priority, accountRefs: [{name: local, priority: 0}, {name: a, priority: 1}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec:
  defaultProviderGroup: {name: hosted}
  rules:
  - {name: local, match: {models: ["llama*"]}, providerGroups: [{name: own}]}
  - {name: mixed, match: {models: ["mixed*"]}, providerGroups: [{name: mixed}]}
---
apiVersion: v1
kind: Secret
metadata: {name: key-narrow}
stringData: {apiKey: kp-key-of-narrow}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: narrow}
spec: {credentials: [{name: k, secretKeyRef: {name: key-narrow}}], allow: {models: ["gpt-4o", "llama*", "mixed*"]}}
`
const KEY = { authorization: 'Bearer kp-key-of-narrow' }
/** Of the gateway's clock, which stands still. */
const NOW = '2027-01-15T08:00:00.000Z'

const rig = await startRig(t, MANIFESTS)

async function ask(path: string, body: object, headers: Record<string, string> = KEY) {
  const reply = await fetch(rig.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: reply.status, type: reply.headers.get('content-type'), text: await reply.text() }
}

t.test('where nothing can be loaded the gateway answers as Ollama does, and asks no provider', async (t) => {
  const before = rig.events.length
  const generated = (reason: string) =>
    `{"model":"gpt-4o","created_at":"${NOW}","response":"","done":true,"done_reason":"${reason}"}\n`
  const chatted = (reason: string) =>
    `{"model":"gpt-4o","created_at":"${NOW}","message":{"role":"assistant","content":""},"done_reason":"${reason}","done":true}\n`
  const model = 'gpt-4o'
  for (const [path, body, text] of [
    ['/api/generate', { model }, generated('load')],
    ['/api/generate', { model, prompt: '' }, generated('load')],
    ['/api/generate', { model, prompt: null, stream: true, keep_alive: '5m' }, generated('load')],
    ['/api/generate', { model, stream: false, keep_alive: -1 }, generated('load')],
    ['/api/generate', { model, keep_alive: 0 }, generated('unload')],
    ['/api/generate', { model, keep_alive: '0s', stream: false }, generated('unload')],
    ['/api/chat', { model }, chatted('load')],
    ['/api/chat', { model, messages: [] }, chatted('load')],
    ['/api/chat', { model, messages: [], stream: false, keep_alive: '0.5s' }, chatted('load')],
    ['/api/chat', { model, messages: null, keep_alive: '0h0m0s' }, chatted('unload')],
    ['/api/chat', { model, messages: [], keep_alive: 0 }, chatted('unload')],
    // Read by a careless pattern this takes years.
    ['/api/chat', { model, messages: [], keep_alive: `${'0'.repeat(64)}x` }, chatted('load')],
    ['/api/embed', { model, input: '' }, '{"model":"gpt-4o","embeddings":[]}\n'],
    ['/api/embed', { model, input: [], keep_alive: '5m' }, '{"model":"gpt-4o","embeddings":[]}\n'],
    ['/api/embeddings', { model, prompt: '' }, '{"embedding":[]}\n'],
  ] as const) {
    t.strictSame(await ask(path, body), { status: 200, type: 'application/json', text }, JSON.stringify(body))
  }
  t.equal(rig.simulator.requests().length, 0)
  const events = rig.events.slice(before)
  t.equal(events.length, 15)
  for (const { usage, costPicoUsd, errorCode, stream } of events) {
    t.match(
      { usage, costPicoUsd, errorCode, stream },
      { usage: undefined, costPicoUsd: undefined, errorCode: '', stream: false },
    )
  }
})

t.test('a model of an Ollama server is loaded and unloaded there, and costs nothing', async (t) => {
  const before = rig.events.length
  for (const [path, body, reason] of [
    ['/api/generate', { model: 'llama3.2', keep_alive: '10m' }, 'load'],
    ['/api/chat', { model: 'llama3.2', messages: [], stream: true }, 'load'],
    ['/api/chat', { model: 'llama3.2', messages: [], keep_alive: 0 }, 'unload'],
    ['/api/generate', { model: 'mixed-1', prompt: '' }, 'load'],
  ] as const) {
    const { status, text } = await ask(path, body)
    t.match([status, JSON.parse(text)], [200, { done: true, done_reason: reason }], JSON.stringify(body))
    const sent = rig.simulator.requests().at(-1)
    t.equal(sent?.path, path)
    t.strictSame(JSON.parse(Buffer.from(sent?.body ?? '').toString()), body, 'as it came')
  }
  t.equal(rig.simulator.requests().length, 4)
  for (const { usage, attempts } of rig.events.slice(before))
    t.match({ usage, attempts: attempts.length }, { usage: undefined, attempts: 1 })
})

t.test('loading a model needs a key, and a model that the client may use', async (t) => {
  t.match(await ask('/api/generate', { model: 'gpt-4o' }, {}), { status: 401 })
  t.match(await ask('/api/generate', { model: 'o3' }), { status: 403 })
  t.match(await ask('/api/generate', {}), { status: 400 })
})

t.test('what is no text and no list is a bad request, and no load', async (t) => {
  for (const [path, body] of [
    ['/api/generate', { model: 'gpt-4o', prompt: 5 }],
    ['/api/chat', { model: 'gpt-4o', messages: {} }],
    ['/api/chat', { model: 'gpt-4o', messages: [{}] }],
  ] as const) {
    t.match(await ask(path, body), { status: 400 }, JSON.stringify(body))
  }
})

t.test('the Ollama SDK loads and unloads a model of any provider', async (t) => {
  const ollama = new Ollama({ host: rig.url, headers: KEY })
  t.match(await ollama.generate({ model: 'gpt-4o', prompt: '', keep_alive: '5m' }), {
    response: '',
    done_reason: 'load',
  })
  t.match(await ollama.chat({ model: 'gpt-4o', messages: [], keep_alive: 0 }), { done_reason: 'unload' })
  const lines = []
  for await (const line of await ollama.generate({ model: 'gpt-4o', prompt: '', stream: true })) lines.push(line)
  t.match(lines, [{ response: '', done: true, done_reason: 'load' }])
})
