import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { HttpReply } from '#gateway/client-http/http-exchange.ts'
import { PlainConnections } from '#gateway/client-http/plain-connections.ts'
import { eventually } from '../../helpers/eventually.ts'
import { echo, listen, post, postChunked, readBody, sendText, startListener, Wire } from './wire.ts'

/** The same is asked of our connections and of Node's. */
const READERS = { plain: post, node: postChunked } as const

/** Replies that a test waits for, each by its request's path. */
class Replies {
  readonly served: string[] = []
  readonly closed: string[] = []
  readonly #open = new Map<string, HttpReply>()

  add(path: string, reply: HttpReply): void {
    this.served.push(path)
    this.#open.set(path, reply)
    reply.once('close', () => this.closed.push(path))
  }

  async get(path: string): Promise<HttpReply> {
    const reply = await eventually(
      () => this.#open.get(path),
      (found) => found !== undefined,
      2_000,
    )
    if (reply === undefined) throw new Error(`nobody asked for ${path}`)
    return reply
  }
}

interface Held {
  readonly port: number
  readonly replies: Replies
}

/** Bodies are read, replies are the test's to give. */
async function startHolding(t: Test): Promise<Held> {
  const replies = new Replies()
  const { port } = await startListener(t, (request, reply) => {
    readBody(request, () => {})
    replies.add(request.url ?? '', reply)
  })
  return { port, replies }
}

interface BegunReply extends Held {
  readonly wire: Wire
  readonly reply: HttpReply
}

/** The first bytes of the reply to this request are with its client. */
async function beginReply(t: Test, request: string | Buffer): Promise<BegunReply> {
  const { port, replies } = await startHolding(t)
  const wire = await Wire.connect(t, port)
  wire.write(request)
  const reply = await replies.get('/v1/one')
  reply.writeHead(200, [])
  reply.write('begun')
  await wire.received(1)
  return { port, replies, wire, reply }
}

function hasClosed(replies: Replies, count = 1): Promise<number> {
  return eventually(
    () => replies.closed.length,
    (closed) => closed === count,
    2_000,
  )
}

for (const [reader, request] of Object.entries(READERS)) {
  t.test(`a handler is told when its reply is with the client, and the connection stays (${reader})`, async (t) => {
    const { port, replies } = await startHolding(t)
    const wire = await Wire.connect(t, port)
    wire.write(request('Hi', { path: '/v1/one' }))
    const reply = await replies.get('/v1/one')
    t.equal(reply.writableEnded, false)
    t.strictSame(replies.closed, [])
    sendText(reply, 200, 'done', 'plain')
    t.equal(reply.writableEnded, true)
    t.equal((await wire.reply()).body.toString(), 'done')
    t.equal(await hasClosed(replies), 1)
    t.equal(reply.writableLength, 0)
    wire.write(request('Hi', { path: '/v1/two' }))
    sendText(await replies.get('/v1/two'), 200, 'done too', 'plain')
    t.equal((await wire.reply()).body.toString(), 'done too')
    t.equal(await hasClosed(replies, 2), 2)
    wire.socket.destroy()
    await sleep(20)
    t.strictSame(replies.closed, ['/v1/one', '/v1/two'], 'each once')
  })

  t.test(`a handler that waits for drain gets rid of everything (${reader})`, async (t) => {
    const { port, replies } = await startHolding(t)
    const wire = await Wire.connect(t, port)
    wire.write(request('Hi', { path: '/v1/one' }))
    const reply = await replies.get('/v1/one')
    reply.writeHead(200, [])
    let waits = 0
    let most = 0
    for (let at = 0; at < 4_000; at += 1) {
      const goesOn = reply.write(`${at} `.padEnd(2_000, 'x'))
      most = Math.max(most, reply.writableLength)
      if (!goesOn) {
        waits += 1
        await new Promise<void>((resolve) => reply.once('drain', resolve))
      }
    }
    reply.end()
    const { body } = await wire.reply()
    t.equal(body.length, 8_000_000)
    t.ok(
      Array.from({ length: 4_000 }, (_, at) => body.toString('latin1', at * 2_000, at * 2_000 + 8)).every((text, at) =>
        text.startsWith(`${at} `),
      ),
      'in order',
    )
    t.ok(waits > 0, `${waits} waits`)
    t.ok(most < 100_000, `${most} bytes held at most`)
  })

  t.test(`a client that resets its connection during a reply is gone for the handler (${reader})`, async (t) => {
    const { wire, reply, replies, port } = await beginReply(t, request('Hi', { path: '/v1/one' }))
    wire.socket.resetAndDestroy()
    t.equal(await hasClosed(replies), 1)
    t.equal(reply.destroyed, true)
    reply.write('more')
    reply.end('and the end')
    await sleep(20)
    t.strictSame(replies.closed, ['/v1/one'])
    const next = await Wire.connect(t, port)
    next.write(request('Hi', { path: '/v1/two' }))
    sendText(await replies.get('/v1/two'), 200, 'still here', 'plain')
    t.equal((await next.reply()).body.toString(), 'still here')
  })

  t.test(`a client that resets its connection during its body is gone for the handler (${reader})`, async (t) => {
    const { port, replies } = await startHolding(t)
    const wire = await Wire.connect(t, port)
    wire.write(request('Hi', { path: '/v1/one' }).slice(0, -1))
    const reply = await replies.get('/v1/one')
    wire.socket.resetAndDestroy()
    t.equal(await hasClosed(replies), 1)
    t.equal(reply.destroyed, true)
  })

  t.test(
    `a client that ends its side at once gets a reply that is ready, and the connection ends (${reader})`,
    async (t) => {
      const { port } = await startListener(t, echo)
      const wire = await Wire.connect(t, port)
      wire.socket.end(request('Hi'))
      t.equal((await wire.reply()).status, 200)
      await wire.closed()
    },
  )

  t.test(`a client that ends its side before its reply is gone for the handler (${reader})`, async (t) => {
    const { port, replies } = await startHolding(t)
    for (const path of ['/v1/waits', '/v1/begun']) {
      const wire = await Wire.connect(t, port)
      wire.write(request('Hi', { path }))
      const reply = await replies.get(path)
      if (path === '/v1/begun') {
        reply.writeHead(200, [])
        reply.write('begun')
        await wire.received(1)
      }
      wire.socket.end()
      await wire.closed()
    }
    t.equal(await hasClosed(replies, 2), 2)
  })

  t.test(`a handler may cut its connection (${reader})`, async (t) => {
    const { wire, reply, replies } = await beginReply(t, request('Hi', { path: '/v1/one' }))
    reply.destroy()
    t.equal(reply.destroyed, true)
    await wire.closed()
    t.notMatch(wire.rest, /\r\n0\r\n\r\n$/, 'the client sees that the reply is not whole')
    t.equal(await hasClosed(replies), 1)
  })
}

t.test('a request that waited behind a reply is not served once its client is gone', async (t) => {
  const { port, replies } = await startHolding(t)
  for (const leave of ['reset', 'end'] as const) {
    const wire = await Wire.connect(t, port)
    const first = `/v1/${leave}`
    wire.write(post('Hi', { path: first }) + post('Hi', { path: '/v1/waits' }))
    const reply = await replies.get(first)
    if (leave === 'reset') wire.socket.resetAndDestroy()
    else wire.socket.end()
    await sleep(20)
    sendText(reply, 200, 'too late', 'plain')
    await sleep(20)
    t.notOk(replies.served.includes('/v1/waits'), leave)
  }
})

t.test('a request behind the last reply of a connection is not served, however much came', async (t) => {
  const served: string[] = []
  const { port } = await startListener(t, (request, reply) => {
    served.push(request.url ?? '')
    readBody(request, () => {
      reply.writeHead(200, ['content-length', '4', 'connection', 'close'])
      reply.end('last')
    })
  })
  // More than the kernel gives in one read.
  for (const bytes of [0, 10, 65_000, 300_000]) {
    served.length = 0
    const wire = await Wire.connect(t, port)
    wire.write(post('Hi', { path: '/v1/last' }) + post('x'.repeat(bytes), { path: '/v1/behind' }))
    t.equal((await wire.reply()).body.toString(), 'last')
    await wire.closed()
    await turn()
    t.strictSame(served, ['/v1/last'], `${bytes} bytes`)
  }
})

t.test('closeIdle closes the connections that wait for another request, and no other', async (t) => {
  const open = Promise.withResolvers<void>()
  const { clients, port } = await startListener(t, (request, reply, by) => {
    if (request.url === '/v1/echo') return echo(request, reply, by)
    readBody(request, (body) => void open.promise.then(() => sendText(reply, 200, body, by)))
  })
  const wires = await Promise.all(Array.from({ length: 5 }, () => Wire.connect(t, port)))
  const [fresh, used, busy, usedOfNode, busyOfNode] = wires
  used?.write(post('Hi'))
  usedOfNode?.write(postChunked('Hi'))
  await Promise.all([used?.reply(), usedOfNode?.reply()])
  busy?.write(post('plain', { path: '/v1/busy' }))
  busyOfNode?.write(postChunked('node', { path: '/v1/busy' }))
  await sleep(20)
  t.equal(await clients.countConnections(), 5)
  clients.closeIdle()
  await Promise.all([used?.closed(), usedOfNode?.closed()])
  t.equal(await clients.countConnections(), 3)
  fresh?.write(post('first'))
  await fresh?.reply()
  open.resolve()
  t.equal((await busy?.reply())?.body.toString(), 'plain')
  t.equal((await busyOfNode?.reply())?.body.toString(), 'node')
  clients.closeIdle()
  await Promise.all([fresh?.closed(), busy?.closed(), busyOfNode?.closed()])
})

t.test('closeAll closes every connection, whatever it does, and the server can end', async (t) => {
  let left = 0
  const { clients, port } = await startListener(t, (request, reply) => {
    reply.once('close', () => {
      left += 1
    })
    readBody(request, () => {})
  })
  const wires = await Promise.all(Array.from({ length: 4 }, () => Wire.connect(t, port)))
  wires[1]?.write(post('Hi'))
  wires[2]?.write(postChunked('Hi'))
  wires[3]?.write(post('Hi').slice(0, -1))
  await sleep(20)
  const ended = once(clients.server, 'close')
  clients.server.close()
  clients.closeAll()
  await ended
  await Promise.all(wires.map((wire) => wire.closed()))
  await eventually(
    () => left,
    (count) => count === 3,
    2_000,
  )
  t.equal(left, 3, 'each handler was told')
})

t.test('a connection without a request is closed after its time, one with a request is not', async (t) => {
  const connections = new PlainConnections(
    {
      serves: () => true,
      serve: (request, reply) => readBody(request, () => setTimeout(() => sendText(reply, 200, 'late', 'plain'), 400)),
      handOver: (socket) => socket.destroy(),
      firstRequestMs: 60,
      keepAliveMs: 800,
    },
    10,
  )
  const port = await listen(
    t,
    createServer((socket) => connections.accept(socket)),
  )
  t.teardown(() => connections.closeAll())
  const silent = await Wire.connect(t, port)
  const busy = await Wire.connect(t, port)
  busy.write(post('Hi'))
  const replied = busy.reply()
  const first = await Promise.race([silent.closed().then(() => 'closed'), replied.then(() => 'replied')])
  t.equal(first, 'closed', 'the shorter time counts before the first request')
  t.equal((await replied).body.toString(), 'late')
  const repliedAt = performance.now()
  await busy.closed()
  t.ok(performance.now() - repliedAt >= 790, 'the longer one after it')
})
