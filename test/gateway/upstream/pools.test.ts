import { readFileSync } from 'node:fs'
import t from 'tap'
import { type CountingUpstream, startCountingProxy, startCountingUpstream } from '../../helpers/counting-upstream.ts'
import { eventually } from '../../helpers/eventually.ts'
import { type Rig, startRig } from '../../helpers/gateway-rig.ts'

/** An account at a server; it alone has the model `model-<name>`. */
function account(name: string, { url }: Pick<CountingUpstream, 'url'>, fields = ''): string {
  return `
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: ${name}}
spec: {provider: OpenAICompatible, baseURL: "${url}/v1", auth: {type: None}, models: {allow: [model-${name}]}, ${fields}}
---`
}

const OPEN = `
apiVersion: korproxy.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default}
spec: {clientAuth: {mode: Disabled}}
`

function ask({ url }: Rig, name: string, stream: 'stream' | 'whole' = 'whole'): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model: `model-${name}`,
      messages: [{ role: 'user', content: 'Hi' }],
      stream: stream === 'stream',
    }),
  })
}

/** Requests that are under way at the same moment, each on a connection of its own. */
async function burst(rig: Rig, upstream: CountingUpstream, { name, count }: { name: string; count: number }) {
  const held = upstream.held()
  const answers = Array.from({ length: count }, () => ask(rig, name))
  await eventually(upstream.held, (now) => now === held + count)
  upstream.release()
  const statuses = await Promise.all(answers.map(async (answer) => (await answer).status))
  return statuses.filter((status) => status === 200).length
}

/** Two more sweeps than it takes to close a surplus. */
const SEVERAL_SWEEPS_MS = 3_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

t.test('R2.10 of the connections of a burst ten stay open, and the next burst is answered', async (t) => {
  const upstream = await startCountingUpstream(t)
  const rig = await startRig(t, `${account('a', upstream)}${OPEN}`)
  for (let round = 0; round < 2; round += 1) {
    t.equal(await burst(rig, upstream, { name: 'a', count: 30 }), 30)
    t.equal(await eventually(upstream.open, (count) => count === 10), 10)
  }
  await pause(SEVERAL_SWEEPS_MS)
  t.equal(upstream.open(), 10, 'what is within the limit stays')
  t.equal(await burst(rig, upstream, { name: 'a', count: 10 }), 10)
  t.equal(upstream.accepted(), 50, 'and is used again')
})

t.test('R2.10 idle connections to all hosts together have a limit of their own', async (t) => {
  const upstreams = [await startCountingUpstream(t), await startCountingUpstream(t)] as const
  const fields = 'connections: {maxIdle: 4, maxIdlePerHost: 3}'
  const manifests = `${account('a', upstreams[0], fields)}${account('b', upstreams[1], fields)}${OPEN}`
  const rig = await startRig(t, manifests)
  t.equal(await burst(rig, upstreams[0], { name: 'a', count: 6 }), 6)
  t.equal(await eventually(upstreams[0].open, (count) => count === 3), 3, 'one host')
  t.equal(await burst(rig, upstreams[1], { name: 'b', count: 6 }), 6)
  const open = () => upstreams.map((upstream) => upstream.open())
  t.strictSame(await eventually(open, ([a, b]) => a === 1 && b === 3), [1, 3], 'what was idle longest is closed')
})

t.test(
  'R2.10 accounts at one host share its connections: the largest limit counts, of accounts there are',
  async (t) => {
    const upstream = await startCountingUpstream(t)
    const a = account('a', upstream, 'connections: {maxIdlePerHost: 2}')
    const b = account('b', upstream, 'connections: {maxIdlePerHost: 5}')
    const rig = await startRig(t, `${a}${b}${OPEN}`)
    t.equal(await burst(rig, upstream, { name: 'b', count: 8 }), 8)
    t.equal(await burst(rig, upstream, { name: 'a', count: 8 }), 8)
    t.equal(await eventually(upstream.open, (count) => count === 5), 5)
    await rig.apply(`${a}${OPEN}`)
    t.equal(await eventually(upstream.open, (count) => count === 2), 2)
  },
)

t.test('R2.10 an idle limit of nought leaves a slow stream alone', async (t) => {
  const upstream = await startCountingUpstream(t)
  const fields = 'connections: {maxIdle: 0, maxIdlePerHost: 0}'
  const rig = await startRig(t, `${account('a', upstream, fields)}${OPEN}`)
  const stream = await ask(rig, 'a', 'stream')
  const others = Array.from({ length: 5 }, () => ask(rig, 'a'))
  await eventually(upstream.open, (count) => count === 6)
  // Neither these nor the stream carry anything meanwhile.
  await pause(SEVERAL_SWEEPS_MS)
  t.equal(upstream.open(), 6)
  upstream.release()
  for (const other of others) t.equal((await other).status, 200)
  t.match(await stream.text(), /\[DONE\]\n\n$/)
  t.equal(await eventually(upstream.open, (count) => count === 0), 0)
  t.equal(await burst(rig, upstream, { name: 'a', count: 2 }), 2)
})

t.test('R2.10 the pool of a removed account is gone after two tables; its open stream is not', async (t) => {
  const [before, after] = [await startCountingUpstream(t), await startCountingUpstream(t)]
  const rig = await startRig(t, `${account('a', before)}${OPEN}`)
  const stream = await ask(rig, 'a', 'stream')
  const other = ask(rig, 'a')
  await eventually(before.held, (count) => count === 2)
  await rig.apply(`${account('b', after)}${OPEN}`)
  t.equal(before.open(), 2)
  await rig.apply(`${account('b', after)}${account('c', after)}${OPEN}`)
  t.equal(await burst(rig, after, { name: 'c', count: 3 }), 3)
  t.equal(before.open(), 2, 'what is under way goes on')
  before.release()
  t.equal((await other).status, 200)
  t.match(await stream.text(), /\[DONE\]\n\n$/)
  t.equal(await eventually(before.open, (count) => count === 0), 0)
  t.equal(after.open(), 3)
})

t.test('R2.10 the idle connections of a removed account are closed with the second table', async (t) => {
  const upstream = await startCountingUpstream(t)
  const elsewhere = account('b', { url: 'http://127.0.0.1:9' })
  const rig = await startRig(t, `${account('a', upstream)}${OPEN}`)
  t.equal(await burst(rig, upstream, { name: 'a', count: 3 }), 3)
  await rig.apply(`${elsewhere}${OPEN}`)
  await rig.apply(`${elsewhere}${OPEN}`)
  t.equal(await eventually(upstream.open, (count) => count === 0), 0)
  await rig.apply(`${account('a', upstream)}${OPEN}`)
  t.equal(await burst(rig, upstream, { name: 'a', count: 3 }), 3, 'an account that comes back is served')
})

t.test('R2.10 tables do not cost an account its connections, even if nobody asks for it meanwhile', async (t) => {
  const upstream = await startCountingUpstream(t)
  const rig = await startRig(t, `${account('a', upstream)}${OPEN}`)
  t.equal(await burst(rig, upstream, { name: 'a', count: 3 }), 3)
  for (const name of ['b', 'c', 'd']) await rig.apply(`${account('a', upstream)}${account(name, upstream)}${OPEN}`)
  await rig.apply(`${account('a', upstream, 'headers: [{name: x-a, value: b}]')}${OPEN}`)
  t.equal(await burst(rig, upstream, { name: 'a', count: 3 }), 3)
  t.equal(upstream.accepted(), 3)
})

t.test('R2.10 a gateway that ends closes the connections of dropped pools, too', async (t) => {
  const upstream = await startCountingUpstream(t)
  const elsewhere = account('b', { url: 'http://127.0.0.1:9' })
  const rig = await startRig(t, `${account('a', upstream)}${OPEN}`)
  const stream = await ask(rig, 'a', 'stream')
  for (let table = 0; table < 2; table += 1) await rig.apply(`${elsewhere}${OPEN}`)
  rig.gateway.close()
  t.equal(await eventually(upstream.open, (count) => count === 0), 0)
  t.notMatch(await stream.text(), /\[DONE\]/)
})

const certificate = (name: string): string => readFileSync(new URL(`../certificates/${name}`, import.meta.url), 'utf8')

const AUTHORITY = `
apiVersion: v1
kind: Secret
metadata: {name: authority}
stringData:
  ca.crt: |
${certificate('authority.crt').replaceAll(/^/gm, '    ').trimEnd()}
---`

t.test('R2.10 limits are the same for TLS, and through a proxy', async (t) => {
  const tls = { cert: certificate('good.crt'), key: certificate('good.key') }
  const limits = 'connections: {maxIdlePerHost: 2}'
  const trust = `${limits}, tls: {caSecretKeyRef: {name: authority, key: ca.crt}}`
  const proxy = await startCountingProxy(t)
  const proxyURL = `proxyURL: "${proxy.url}"`
  const direct = await startCountingUpstream(t, tls)
  const tunnelled = await startCountingUpstream(t, tls)
  const forwarded = await startCountingUpstream(t)
  const rig = await startRig(
    t,
    `${AUTHORITY}
    ${account('direct', direct, trust)}
    ${account('tunnelled', tunnelled, `${trust}, ${proxyURL}`)}
    ${account('forwarded', forwarded, `${limits}, ${proxyURL}`)}${OPEN}`,
  )
  t.equal(await burst(rig, direct, { name: 'direct', count: 5 }), 5)
  t.equal(await eventually(direct.open, (count) => count === 2), 2)

  t.equal(await burst(rig, tunnelled, { name: 'tunnelled', count: 5 }), 5)
  t.equal(await eventually(tunnelled.open, (count) => count === 2), 2)
  t.equal(proxy.accepted(), 5)
  t.equal(await eventually(proxy.open, (count) => count === 2), 2)
  t.equal(await burst(rig, tunnelled, { name: 'tunnelled', count: 3 }), 3)

  t.equal(await eventually(proxy.open, (count) => count === 2), 2)
  t.equal(await burst(rig, forwarded, { name: 'forwarded', count: 5 }), 5)
  t.equal(await eventually(proxy.open, (count) => count === 4), 4, 'two a host')
  t.equal(await burst(rig, forwarded, { name: 'forwarded', count: 3 }), 3)
})
