import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import {
  type Echoed,
  echo,
  get,
  type Handler,
  post,
  postChunked,
  readBody,
  sendText,
  startListener,
  Wire,
  type WireReply,
} from './wire.ts'

async function connect(t: Test, handler: Handler = echo): Promise<Wire> {
  const { port } = await startListener(t, handler)
  return Wire.connect(t, port)
}

/** One line about an echo: who served what. */
function served({ status, headers, body }: WireReply): string {
  // What `echo` has written.
  const echoed = JSON.parse(body.toString()) as Echoed
  return `${headers['x-served-by']} ${status} ${echoed.method} ${echoed.url} ${echoed.body}`
}

async function replies(wire: Wire, count: number): Promise<string[]> {
  const lines: string[] = []
  while (lines.length < count) lines.push(served(await wire.reply()))
  return lines
}

/** An echo that takes the longer, the earlier the request: `/v1/0` longest. */
const lazyEcho: Handler = (request, reply, by) => {
  const { method, url = '' } = request
  readBody(request, (body) => {
    const send = (): void => sendText(reply, 200, JSON.stringify({ method, url, body }), by)
    setTimeout(send, 20 - 4 * Number(/\d$/.exec(url)?.[0] ?? 0))
  })
}

t.test('requests one after the other stay on one connection', async (t) => {
  const wire = await connect(t)
  for (let at = 1; at <= 50; at += 1) {
    wire.write(post(`body ${at}`, { path: `/v1/echo?at=${at}` }))
    t.equal(served(await wire.reply()), `plain 200 POST /v1/echo?at=${at} body ${at}`)
  }
})

t.test('a handler gets what was sent, and the reply is one of a connection that stays', async (t) => {
  const wire = await connect(t)
  wire.write(post('Hi', { headers: 'X-Api-Key:  \t key \t\r\nEmpty:\r\n' }))
  const { headers, body } = await wire.reply()
  t.strictSame(JSON.parse(body.toString()), {
    method: 'POST',
    url: '/v1/echo',
    headers: { host: 'a', 'x-api-key': 'key', empty: '', 'content-length': '2' },
    body: 'Hi',
  })
  t.equal(headers['connection'], 'keep-alive')
  t.equal(headers['keep-alive'], 'timeout=75')
  t.ok(Math.abs(Date.parse(headers['date'] ?? '') - Date.now()) < 5_000, 'the date is now')
})

t.test('a body may come byte by byte', async (t) => {
  const wire = await connect(t)
  wire.socket.setNoDelay(true)
  const text = post('0123456789abcdef')
  const head = text.length - 16
  wire.write(text.slice(0, head))
  for (const byte of text.slice(head)) {
    await turn()
    wire.write(byte)
  }
  t.equal(served(await wire.reply()), 'plain 200 POST /v1/echo 0123456789abcdef')
  wire.write(post('again'))
  t.equal(served(await wire.reply()), 'plain 200 POST /v1/echo again')
})

t.test('a body may come apart from its head, in one piece or in two', async (t) => {
  const wire = await connect(t)
  const text = post('0123456789')
  const head = text.length - 10
  for (const cut of [text.length, text.length - 5]) {
    for (const piece of [text.slice(0, head), text.slice(head, cut), text.slice(cut)]) {
      wire.write(piece)
      await sleep(5)
    }
    t.equal(served(await wire.reply()), 'plain 200 POST /v1/echo 0123456789')
  }
})

t.test('no body at all is a body', async (t) => {
  const wire = await connect(t)
  wire.write(post('') + post(''))
  t.strictSame(await replies(wire, 2), ['plain 200 POST /v1/echo ', 'plain 200 POST /v1/echo '])
})

t.test('a head that comes in two pieces goes to Node, and its connection for good', async (t) => {
  const { port } = await startListener(t, echo)
  const text = post('Hi')
  for (const cut of [1, 4, 20, text.length - 6, text.length - 3]) {
    const wire = await Wire.connect(t, port)
    wire.write(text.slice(0, cut))
    await sleep(5)
    wire.write(text.slice(cut))
    t.equal(served(await wire.reply()), 'node 200 POST /v1/echo Hi', `cut after ${cut}`)
    wire.write(post('again'))
    t.equal(served(await wire.reply()), 'node 200 POST /v1/echo again')
  }
})

t.test('what the pipeline does not serve goes to Node', async (t) => {
  const wire = await connect(t)
  wire.write(post('Hi', { path: '/own/path' }))
  t.equal(served(await wire.reply()), 'node 200 POST /own/path Hi')
})

for (const count of [2, 5]) {
  t.test(`${count} requests in one write are answered in their order`, async (t) => {
    const wire = await connect(t, lazyEcho)
    const paths = Array.from({ length: count }, (_, at) => `/v1/${at}`)
    wire.write(paths.map((path) => post(`to ${path}`, { path })).join(''))
    t.strictSame(
      await replies(wire, count),
      paths.map((path) => `plain 200 POST ${path} to ${path}`),
    )
  })
}

t.test('a POST and a GET in one write are answered in their order', async (t) => {
  const wire = await connect(t, lazyEcho)
  wire.write(post('Hi', { path: '/v1/0' }) + get('/v1/4') + post('Ho', { path: '/v1/5' }))
  t.strictSame(await replies(wire, 3), ['plain 200 POST /v1/0 Hi', 'node 200 GET /v1/4 ', 'node 200 POST /v1/5 Ho'])
})

t.test('POST, GET, POST: each after the reply to the one before', async (t) => {
  const wire = await connect(t)
  wire.write(post('Hi'))
  t.equal(served(await wire.reply()), 'plain 200 POST /v1/echo Hi')
  wire.write(get('/v1/models'))
  t.equal(served(await wire.reply()), 'node 200 GET /v1/models ')
  wire.write(post('Ho'))
  t.equal(served(await wire.reply()), 'node 200 POST /v1/echo Ho')
})

t.test('bytes of the next request may come while a reply is open, in pieces too', async (t) => {
  const open = Promise.withResolvers<void>()
  const wire = await connect(t, (request, reply, by) => {
    if (request.url !== '/v1/first') return echo(request, reply, by)
    readBody(request, () => {
      reply.writeHead(200, [])
      reply.write('one ')
      void open.promise.then(() => reply.end('two'))
    })
  })
  wire.write(post('Hi', { path: '/v1/first' }))
  await wire.received('one'.length)
  const next = post('x'.repeat(300_000))
  wire.write(next.slice(0, 10))
  await sleep(5)
  wire.write(next.slice(10) + postChunked('yyyy'))
  await sleep(20)
  open.resolve()
  t.equal((await wire.reply()).body.toString(), 'one two')
  t.strictSame(await replies(wire, 2), [
    `plain 200 POST /v1/echo ${'x'.repeat(300_000)}`,
    'node 200 POST /v1/echo yyyy',
  ])
})

t.test('a large upload that Node reads may wait behind a reply', async (t) => {
  const wire = await connect(t, lazyEcho)
  const body = 'z'.repeat(300_000)
  wire.write(post('Hi', { path: '/v1/0' }) + postChunked(body, { path: '/v1/5' }) + post('Ho', { path: '/v1/5' }))
  t.strictSame(await replies(wire, 3), [
    'plain 200 POST /v1/0 Hi',
    `node 200 POST /v1/5 ${body}`,
    'node 200 POST /v1/5 Ho',
  ])
})

const REFUSED_HEAD = /HTTP\/1\.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n$/

t.test('a client that floods while its reply is open is held back, and then all is read', async (t) => {
  const open = Promise.withResolvers<void>()
  let bytesRead = (): number => 0
  const wire = await connect(t, (request, reply, by) => {
    if (request.url !== '/v1/first') return echo(request, reply, by)
    bytesRead = () => request.socket.bytesRead
    void open.promise.then(() => sendText(reply, 200, '{}', by))
  })
  const many = 40
  wire.write(post('Hi', { path: '/v1/first' }) + post('x'.repeat(200_000)).repeat(many))
  await sleep(50)
  t.ok(bytesRead() < 300_000, `${bytesRead()} bytes were read`)
  open.resolve()
  await wire.reply()
  for (const line of await replies(wire, many)) t.match(line, /^\w+ 200 POST \/v1\/echo x{200000}$/)
})

t.test('a head above 64 KiB is refused, also one that waited behind a reply', async (t) => {
  const headers = `X: ${'y'.repeat(100_000)}\r\n`
  const alone = await connect(t)
  alone.write(post('Hi', { headers }))
  await alone.closed()
  t.match(alone.rest, REFUSED_HEAD)
  const wire = await connect(t, lazyEcho)
  wire.write(post('Hi', { path: '/v1/0' }))
  await sleep(5)
  wire.write(post('Ho', { path: '/v1/5', headers }))
  await wire.closed()
  t.match(wire.rest, REFUSED_HEAD)
})

t.test('Connection: close is honoured, on a first request and on a later one', async (t) => {
  const { port } = await startListener(t, echo)
  for (const before of ['', post('Hi')]) {
    const wire = await Wire.connect(t, port)
    if (before !== '') wire.write(before)
    if (before !== '') await wire.reply()
    wire.write(post('last', { headers: 'Connection: close\r\n' }))
    const reply = await wire.reply()
    t.equal(served(reply), 'node 200 POST /v1/echo last')
    t.equal(reply.headers['connection'], 'close')
    await wire.closed()
  }
})

t.test('Expect: 100-continue gets its 100', async (t) => {
  const wire = await connect(t)
  const text = post('Hi', { headers: 'Expect: 100-continue\r\n' })
  wire.write(text.slice(0, -2))
  t.equal((await wire.reply()).status, 100)
  wire.write(text.slice(-2))
  t.equal(served(await wire.reply()), 'node 200 POST /v1/echo Hi')
})

t.test('a chunked upload is served', async (t) => {
  const wire = await connect(t)
  wire.write(post('Hi'))
  t.equal(served(await wire.reply()), 'plain 200 POST /v1/echo Hi')
  wire.write(postChunked('0123456789'))
  t.equal(served(await wire.reply()), 'node 200 POST /v1/echo 0123456789')
})

t.test('a request that no reader understands is refused, after one that was served', async (t) => {
  const wire = await connect(t)
  wire.write(post('Hi'))
  t.equal(served(await wire.reply()), 'plain 200 POST /v1/echo Hi')
  wire.write(post('Hi', { headers: 'Content-Length: 3\r\n' }))
  await wire.closed()
  t.match(wire.rest, /^HTTP\/1\.1 400 Bad Request\r\nConnection: close\r\n\r\n$/)
})

t.test('a reply that does not wait for the body leaves the connection fit for the next request', async (t) => {
  const { port } = await startListener(t, (request, reply, by) => {
    if (request.url !== '/v1/large') return echo(request, reply, by)
    request.on('data', () => t.fail('nobody listens any more'))
    request.removeAllListeners('data')
    sendText(reply, 413, 'too large', by)
  })
  const body = post('not a request').repeat(2_000)
  const text = post(body, { path: '/v1/large' })
  for (const cut of [text.length - body.length, 5_000, text.length]) {
    const wire = await Wire.connect(t, port)
    wire.write(text.slice(0, cut))
    t.equal((await wire.reply()).status, 413)
    wire.write(text.slice(cut) + post('next') + post('and one more'))
    // Who reads them depends on how the kernel cuts.
    t.strictSame(
      (await replies(wire, 2)).map((line) => line.replace(/^\w+ /, '')),
      ['200 POST /v1/echo next', '200 POST /v1/echo and one more'],
    )
  }
})

t.test('a request behind a body that nobody waited for is whole', async (t) => {
  const wire = await connect(t, (request, reply, by) => {
    if (request.url === '/v1/early') sendText(reply, 413, 'too large', by)
    else echo(request, reply, by)
  })
  const text = post('0123456789', { path: '/v1/early' })
  wire.write(text.slice(0, -5))
  t.equal((await wire.reply()).status, 413)
  wire.write(`${text.slice(-5)}${post('next')}${post('cut', { path: '/v1/cut' }).slice(0, 20)}`)
  t.equal(served(await wire.reply()), 'plain 200 POST /v1/echo next')
  wire.write(post('cut', { path: '/v1/cut' }).slice(20))
  t.equal(served(await wire.reply()), 'node 200 POST /v1/cut cut')
})
