import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { startRig } from '../helpers/gateway-rig.ts'
import { accounts } from '../helpers/stack.ts'

const OPEN = `${accounts(['a'])}
apiVersion: korproxy.dev/v1alpha1
kind: GatewayConfig
metadata: {name: default}
spec: {clientAuth: {mode: Disabled}}
`
const LEAVE = { minimumMs: 0, graceMs: 20_000, idleConnections: 'Leave' } as const
/** Longer than it takes a drain to look for idle connections several times. */
const MEANWHILE_MS = 300

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Answer {
  readonly status: number | undefined
  readonly connection: string | undefined
  readonly keepAlive: unknown
  readonly body: string
  readonly socket: 'kept' | 'new'
}

/** A client that keeps its connection, and sends nothing twice. */
function keepingClient(t: Test, url: string): (path: string, body?: object) => Promise<Answer> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  return (path, body) =>
    new Promise((resolve, reject) => {
      const outgoing = request(`${url}${path}`, { agent, method: body === undefined ? 'GET' : 'POST' })
      outgoing.on('error', reject)
      outgoing.on('response', (reply) => {
        const { statusCode: status, headers } = reply
        const socket = outgoing.reusedSocket ? 'kept' : 'new'
        const head = { status, connection: headers.connection, keepAlive: headers['keep-alive'], socket } as const
        text(reply).then((content) => resolve({ ...head, body: content }), reject)
      })
      outgoing.end(body === undefined ? undefined : JSON.stringify(body))
    })
}

const PATH = '/v1/chat/completions'
const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }] }

t.test('R13.1 a drain does not close a kept connection: its next request is answered, and ends it', async (t) => {
  const { url, server } = await startRig(t, OPEN)
  const clients = [keepingClient(t, url), keepingClient(t, url)]
  for (const ask of clients) t.match(await ask(PATH, CHAT), { status: 200, keepAlive: 'timeout=75' })
  const drained = server.drain(LEAVE)
  await pause(MEANWHILE_MS)
  for (const ask of clients) t.match(await ask(PATH, CHAT), { status: 200, connection: 'close', socket: 'kept' })
  await drained
  await t.rejects(fetch(url))
})

t.test('R13.1 a stream under way at the drain leaves its connection open for the request after it', async (t) => {
  const { url, server, simulator } = await startRig(t, OPEN)
  simulator.script({ times: 1, script: [{ reply: { chunks: 10, gapMs: 50 } }] })
  const ask = keepingClient(t, url)
  const stream = ask(PATH, { ...CHAT, stream: true })
  await pause(100)
  const drained = server.drain(LEAVE)
  t.match(await stream, { status: 200, body: /\[DONE\]\n\n$/ })
  await pause(MEANWHILE_MS)
  t.match(await ask(PATH, CHAT), { status: 200, connection: 'close', socket: 'kept' })
  await drained
})

t.test('R13.1 who asks a draining gateway whether it is ready does not hold it up', async (t) => {
  const { url, server } = await startRig(t, OPEN)
  const ask = keepingClient(t, url)
  t.match(await ask('/readyz'), { status: 200 })
  const drained = server.drain(LEAVE)
  t.match(await ask('/readyz'), { status: 503, connection: 'close', socket: 'kept' })
  await drained
})
