import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import type { FirehoseOrder } from '../helpers/firehose-worker.ts'
import { openSocket } from '../helpers/raw-socket.ts'
import { accounts, type Stack, startStack, waitFor } from '../helpers/stack.ts'

const CHAT = '{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Hi"}]}'
const CHUNK = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini' }
const EVENT = `data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta: { content: 'x'.repeat(4_000) }, finish_reason: null }] })}\n\n`
const LAST = `data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`
/** More than kernels buffer for a connection on both sides. */
const EVENTS = 5_000

interface Count {
  /** Bytes that the provider could write, a request. */
  readonly written: readonly number[]
  /** Replies of the provider that are under way. */
  readonly open: number
}

/** A provider that sends as fast as it is read, and clients that do not read, in a thread of their own. */
class FarSides {
  readonly #worker = new Worker(new URL('../helpers/firehose-worker.ts', import.meta.url))

  constructor(t: Test) {
    t.teardown(() => this.#worker.terminate())
  }

  async #ask(order: FirehoseOrder): Promise<unknown> {
    this.#worker.postMessage(order)
    const [answer]: unknown[] = await once(this.#worker, 'message')
    return answer
  }

  async provider(events: number): Promise<string> {
    // The worker's answer to this order.
    const { port } = (await this.#ask({ kind: 'firehose', event: EVENT, events, last: LAST })) as { port: number }
    return `http://127.0.0.1:${port}`
  }

  readers(stack: Stack, count: number, request: string): void {
    this.#worker.postMessage({ kind: 'readers', count, port: Number(new URL(stack.url).port), request })
  }

  async count(): Promise<Count> {
    // The worker's answer to this order.
    return (await this.#ask({ kind: 'count' })) as Count
  }

  release(): void {
    this.#worker.postMessage({ kind: 'release' })
  }
}

function requestText(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

async function startReaders(
  stack: Stack,
  count: number,
  path = '/v1/chat/completions',
  body = CHAT,
): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let at = 0; at < count; at += 1) {
    const socket = await openSocket(stack.url)
    socket.on('error', () => {})
    socket.pause()
    socket.write(`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    sockets.push(socket)
  }
  return sockets
}

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

/** What is really held, bytes: the least of several looks, because freed buffers leave the books later than the heap. */
async function memory(): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let look = 0; look < 8; look += 1) {
    if (typeof collectGarbage === 'function') collectGarbage()
    await sleep(50)
    const { heapUsed, external } = process.memoryUsage()
    least = Math.min(least, heapUsed + external)
  }
  return least
}

const PATHS = [
  { name: 'passed through', path: '/v1/chat/completions', body: CHAT },
  { name: 'translated', path: '/v1/messages', body: CHAT.replace('{', '{"max_tokens":100,') },
] as const

for (const { name, path, body } of PATHS) {
  t.test(`L7 50 readers that stop reading a stream of 20 MB (${name}) hold little and are cut`, async (t) => {
    const far = new FarSides(t)
    const url = await far.provider(EVENTS)
    const stack = await startStack(t, accounts(['a']).replaceAll('{simulator}', url), {
      limits: { stalledReaderMs: 3_000 },
    })
    const sockets = new Set<Socket>()
    const collect = (message: unknown): void => {
      // What Node publishes on this channel.
      sockets.add((message as { socket: Socket }).socket)
    }
    subscribe('net.server.socket', collect)
    t.teardown(() => unsubscribe('net.server.socket', collect))
    // Once before, so that what code and pools need is not counted.
    const round = { far, stack, request: requestText(path, body), sockets }
    await stallRound(t, round)
    const cost = await stallRound(t, round)
    t.ok(cost < 400_000, `${Math.round(cost)} bytes a reader, both sockets and all objects together`)
    t.equal((await fetch(`${stack.url}/livez`)).status, 200)
  })
}

interface StallRound {
  readonly far: FarSides
  readonly stack: Stack
  readonly request: string
  /** Those of the gateway's clients, as they connect; the provider's are in another thread. */
  readonly sockets: Set<Socket>
}

/** Gives the bytes that the gateway holds for each of 50 stalled readers. */
async function stallRound(t: Test, { far, stack, request, sockets }: StallRound): Promise<number> {
  sockets.clear()
  const before = await memory()
  far.readers(stack, 50, request)
  await waitFor(
    () => stack.standalone.gateway.inFlight,
    (count) => count === 50,
  )
  // Until nothing moves any more.
  let last = -1
  const { written } = await waitFor(
    () => far.count(),
    (count) => {
      const sum = count.written.reduce((total, bytes) => total + bytes, 0)
      const isStill = sum === last && sum > 0
      last = sum
      return isStill
    },
  )
  const queued = Math.max(...[...sockets].map(({ writableLength }) => writableLength))
  t.ok(queued > 0 && queued < 100_000, `${queued} bytes are queued for a reader at most`)
  const cost = ((await memory()) - before) / 50
  t.ok(
    written.every((bytes) => bytes < EVENTS * EVENT.length),
    'the provider is held back',
  )
  const inFlight = await waitFor(
    () => stack.standalone.gateway.inFlight,
    (count) => count === 0,
  )
  t.equal(inFlight, 0, 'all were cut')
  const { open } = await waitFor(
    () => far.count(),
    (count) => count.open === 0,
  )
  t.equal(open, 0, 'their upstream calls were cancelled')
  far.release()
  return cost
}

t.test('a reader that is slow but reads gets everything, byte for byte', async (t) => {
  const url = await new FarSides(t).provider(2_000)
  const stack = await startStack(t, accounts(['a']).replaceAll('{simulator}', url), {
    limits: { stalledReaderMs: 1_000 },
  })
  const [socket] = await startReaders(stack, 1)
  if (socket === undefined) throw new Error('no socket')
  let bytes = 0
  let tail = ''
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      tail = (tail + chunk.toString('latin1')).slice(-200)
      if (tail.endsWith('0\r\n\r\n')) resolve()
      if (bytes % 7 === 0) {
        socket.pause()
        setTimeout(() => socket.resume(), 5)
      }
    })
    socket.once('close', () => resolve())
    socket.resume()
  })
  socket.destroy()
  t.match(tail, /data: \[DONE\]/)
  t.ok(bytes > 2_000 * EVENT.length)
})

t.test('a reader that takes a whole reply of 8 MB and stops is cut too, and counts until then', async (t) => {
  const answer = JSON.stringify({
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o-mini',
    choices: [{ index: 0, message: { role: 'assistant', content: 'x'.repeat(16_000_000) }, finish_reason: 'stop' }],
  })
  const server = createServer((request, reply) => {
    request.resume()
    reply.writeHead(200, { 'content-type': 'application/json' }).end(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo
  const stack = await startStack(t, accounts(['a']).replaceAll('{simulator}', `http://127.0.0.1:${port}`), {
    limits: { stalledReaderMs: 1_000 },
  })
  const body = CHAT.replace('"stream":true', '"max_tokens":10')
  const [socket] = await startReaders(stack, 1, '/v1/messages', body)
  t.teardown(() => socket?.destroy())
  await waitFor(
    () => stack.standalone.gateway.inFlight,
    (count) => count === 1,
  )
  t.equal(stack.standalone.gateway.inFlight, 1)
  await waitFor(
    () => stack.standalone.gateway.inFlight,
    (count) => count === 0,
  )
  t.equal(stack.standalone.gateway.inFlight, 0)
})
