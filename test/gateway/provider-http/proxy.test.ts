import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import t, { type Test } from 'tap'
import { NoConnection } from '#gateway/provider-http/call-error.ts'
import type { ConnectionPool } from '#gateway/provider-http/connection-pool.ts'
import { dialHost, encryption, within } from '#gateway/provider-http/dial.ts'
import { dialThrough, proxyCredential } from '#gateway/provider-http/proxy.ts'
import { waitFor } from '../../helpers/stack.ts'
import { type Asked, answer, RawProvider, say } from './raw-provider.ts'
import { GET, openPool, post, RecordedCall, toLoopback } from './recorded-call.ts'

function certificate(name: string): string {
  return readFileSync(new URL(`../certificates/${name}`, import.meta.url), 'utf8')
}

const CA = [certificate('self-signed.crt')]
const OPEN = 'HTTP/1.1 200 Connection established\r\n\r\n'

function startProvider(t: Test): Promise<RawProvider> {
  const server = createTlsServer({ cert: certificate('self-signed.crt'), key: certificate('self-signed.key') })
  server.on('tlsClientError', () => {})
  return RawProvider.over(t, server, ({ socket, body }) => say(socket, answer(`ok ${body.length}`)))
}

/** A pool that reaches the target through a tunnel. */
function tunnelled(t: Test, proxy: string, target: string, connectMs = 5_000): ConnectionPool {
  const [proxyUrl, url] = [new URL(proxy), new URL(target)]
  const dialProxy = dialHost(proxyUrl, { lookup: toLoopback, ca: CA })
  const dial = within(connectMs, dialThrough(proxyUrl, url, dialProxy, encryption(url, CA)))
  return openPool(t, target, { dial })
}

/** Opens every tunnel, to this port. */
function tunnelTo(t: Test, port: () => number, reply = OPEN): (asked: Asked) => void {
  return ({ socket, head }) => {
    if (!head.startsWith('CONNECT ')) return
    socket.removeAllListeners('data')
    const beyond = connect(port(), '127.0.0.1')
    t.teardown(() => beyond.destroy())
    beyond.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.on('close', () => beyond.destroy())
    say(socket, reply)
    socket.pipe(beyond).pipe(socket)
  }
}

const OPENED: Readonly<Record<string, string>> = {
  'a 200': OPEN,
  'another 2xx': 'HTTP/1.1 204 Go on\r\nvia: a\r\n\r\n',
  'HTTP/1.0': 'HTTP/1.0 200 Connection established\r\nProxy-agent: a\r\n\r\n',
  'a length, which means nothing here': 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n',
}
for (const [title, reply] of Object.entries(OPENED)) {
  t.test(`a tunnel is opened by ${title}, and its connection is kept`, async (t) => {
    const provider = await startProvider(t)
    const proxy = await RawProvider.start(
      t,
      tunnelTo(t, () => provider.port, reply),
    )
    const pool = tunnelled(t, proxy.url, `https://localhost:${provider.port}`)
    for (let at = 0; at < 2; at += 1) {
      t.equal((await RecordedCall.send(pool, post(Buffer.alloc(2_000_000))).over).outcome, '200 ok 2000000')
    }
    t.strictSame(
      proxy.asked.map(({ head }) => head),
      [`CONNECT localhost:${provider.port} HTTP/1.1\r\nhost: localhost:${provider.port}`],
    )
    t.match(provider.asked[0]?.head, /^POST \/v1\/chat\/completions HTTP\/1\.1\r\nhost: localhost:\d+\r\n/)
    t.notMatch(provider.asked[0]?.head, 'proxy-')
    t.equal(provider.sockets.length, 1)
    pool.destroy()
    t.equal(await provider.hasOpen(0), 0)
    t.equal(await proxy.hasOpen(0), 0)
  })
}

t.test('the credential of the proxy URL is sent to the proxy, decoded, and to nobody else', async (t) => {
  const provider = await startProvider(t)
  const proxy = await RawProvider.start(
    t,
    tunnelTo(t, () => provider.port),
  )
  const proxyUrl = `http://us%40er:p%3Aa%C3%A9@127.0.0.1:${proxy.port}`
  const pool = tunnelled(t, proxyUrl, `https://localhost:${provider.port}`)
  t.equal((await RecordedCall.send(pool).over).outcome, '200 ok 0')
  const credential = Buffer.from('us@er:p:a\u00e9').toString('base64')
  t.match(proxy.asked[0]?.head, `\r\nproxy-authorization: Basic ${credential}`)
  t.notMatch(provider.asked[0]?.head, credential)
})

t.test('a target without a port is asked for with port 443, an IPv6 address in brackets', async (t) => {
  const refuse = ({ socket }: Asked): void => say(socket, 'HTTP/1.1 403 Forbidden\r\n\r\n')
  const proxy = await RawProvider.start(t, refuse)
  for (const target of ['https://api.example.com', 'https://[2001:db8::1]', 'https://[::1]:8443']) {
    t.equal(
      (await RecordedCall.send(tunnelled(t, proxy.url, target)).over).outcome,
      'NoConnection: its proxy answered 403',
    )
  }
  t.strictSame(
    proxy.asked.map(({ head }) => head.split('\r\n')[0]),
    ['CONNECT api.example.com:443 HTTP/1.1', 'CONNECT [2001:db8::1]:443 HTTP/1.1', 'CONNECT [::1]:8443 HTTP/1.1'],
  )
})

t.test('a later tunnel takes up the session of TLS, and a proxy may have TLS itself', async (t) => {
  const reused: boolean[] = []
  const server = createTlsServer({ cert: certificate('self-signed.crt'), key: certificate('self-signed.key') })
  server.on('secureConnection', (socket) => reused.push(socket.isSessionReused()))
  const provider = await RawProvider.over(t, server, ({ socket }) => say(socket, answer('ok', 'connection: close\r\n')))
  const tlsProxy = createTlsServer({ cert: certificate('self-signed.crt'), key: certificate('self-signed.key') })
  const proxy = await RawProvider.over(
    t,
    tlsProxy,
    tunnelTo(t, () => provider.port),
  )
  const pool = tunnelled(t, `https://localhost:${proxy.port}`, `https://localhost:${provider.port}`)
  for (let at = 0; at < 2; at += 1) t.equal((await RecordedCall.send(pool).over).outcome, '200 ok')
  t.strictSame(reused, [false, true])
  t.equal(await provider.hasOpen(0), 0)
  t.equal(await proxy.hasOpen(0), 0)
})

const NO_HTTP = 'NoConnection: its proxy speaks no HTTP'
const REFUSALS: Readonly<Record<string, [(socket: Socket) => void, string]>> = {
  'a 407': [
    (socket) => say(socket, 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
    'NoConnection: its proxy answered 407',
  ],
  'a 403 with a body': [
    (socket) => say(socket, `HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno`),
    'NoConnection: its proxy answered 403',
  ],
  'a 503 and its end': [(socket) => socket.end('HTTP/1.1 503 x\r\n\r\n'), 'NoConnection: its proxy answered 503'],
  'a redirect': [
    (socket) => say(socket, 'HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n'),
    'NoConnection: its proxy answered 302',
  ],
  'another protocol': [(socket) => say(socket, 'SSH-2.0-x\r\n'), NO_HTTP],
  'half a status line, and another half': [(socket) => say(socket, 'HTTP/1.1 OK\r\n\r\n'), NO_HTTP],
  'a head without end': [(socket) => say(socket, `HTTP/1.1 200 ${'x'.repeat(70_000)}`), NO_HTTP],
  'bytes behind the tunnel': [(socket) => say(socket, `${OPEN}x`), NO_HTTP],
  'half a head and its end': [(socket) => socket.end('HTTP/1.1 200'), 'NoConnection: its proxy closed the connection'],
  'its end': [(socket) => socket.end(), 'NoConnection: its proxy closed the connection'],
  'a reset': [(socket) => socket.resetAndDestroy(), 'NoConnection: read ECONNRESET'],
  'a tunnel that is reset': [
    (socket) => {
      socket.once('data', () => socket.resetAndDestroy())
      say(socket, OPEN)
    },
    'NoConnection: read ECONNRESET',
  ],
  'a tunnel that ends': [
    (socket) => {
      socket.once('data', () => socket.end())
      say(socket, OPEN)
    },
    'NoConnection: Client network socket disconnected before secure TLS connection was established',
  ],
  nothing: [() => {}, 'ConnectTimeout: no connection after 200 ms'],
  'half a head': [(socket) => say(socket, 'HTTP/1.1 200 OK\r\n'), 'ConnectTimeout: no connection after 200 ms'],
  'a tunnel into nowhere': [(socket) => say(socket, OPEN), 'ConnectTimeout: no connection after 200 ms'],
}
for (const [title, [reply, outcome]] of Object.entries(REFUSALS)) {
  t.test(`a proxy that answers with ${title} gives no connection`, async (t) => {
    const proxy = await RawProvider.start(t, ({ socket }) => reply(socket))
    const pool = tunnelled(t, proxy.url, 'https://localhost:1', 200)
    const call = await RecordedCall.send(pool).over
    t.equal(call.outcome, outcome)
    t.strictSame(call.told, ['begun', 'failed'])
    t.equal(proxy.asked.length, 1)
    t.equal(await proxy.hasOpen(0), 0)
  })
}

t.test('a proxy that refuses connections', async (t) => {
  const outcome = (await RecordedCall.send(tunnelled(t, 'http://127.0.0.1:1', 'https://localhost:1')).over).outcome
  t.equal(outcome, 'NoConnection: connect ECONNREFUSED 127.0.0.1:1')
})

t.test('whoever gives up closes the connection to the proxy, in each phase', async (t) => {
  const replies = ['', 'HTTP/1.1 20', OPEN]
  for (const reply of replies) {
    const proxy = await RawProvider.start(t, ({ socket }) => say(socket, reply))
    const call = RecordedCall.send(tunnelled(t, proxy.url, 'https://localhost:1'))
    await waitFor(
      () => proxy.asked.length,
      (asked) => asked === 1,
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
    call.control.abort(new Error('given up'))
    t.equal((await call.over).outcome, 'Error: given up')
    t.equal(await proxy.hasOpen(0), 0, JSON.stringify(reply))
    t.strictSame(call.told, ['begun', 'failed'])
  }
})

t.test('a dial through a proxy that is given up tells nobody anything, in each phase', async (t) => {
  const told: unknown[] = []
  for (const reply of ['', 'HTTP/1.1 20', OPEN]) {
    const proxy = await RawProvider.start(t, ({ socket }) => say(socket, reply))
    const [proxyUrl, url] = [new URL(proxy.url), new URL('https://localhost:1')]
    const dialProxy = dialHost(proxyUrl, { lookup: toLoopback, ca: undefined })
    const giveUp = dialThrough(proxyUrl, url, dialProxy, encryption(url, CA))((result) => told.push(result))
    await waitFor(
      () => proxy.asked.length,
      (asked) => asked === 1,
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
    giveUp()
    t.equal(await proxy.hasOpen(0), 0)
  }
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.strictSame(told, [])
})

/** A pool whose calls a proxy forwards. */
function forwarded(t: Test, proxy: string): ConnectionPool {
  const url = new URL(proxy)
  const forwarding = { origin: 'http://provider.example:8080', headers: proxyCredential(url) }
  const dial = dialHost(url, { lookup: toLoopback, ca: undefined })
  return openPool(t, 'http://provider.example:8080', { dial, forwarding })
}

t.test('a forwarded call names its provider, and has the credential for the proxy', async (t) => {
  const proxy = await RawProvider.start(t, ({ socket }) => say(socket, answer('ok')))
  const pool = forwarded(t, `http://user:pass@127.0.0.1:${proxy.port}`)
  const call = { ...GET, path: '/v1/models?a=b', headers: ['authorization', 'Bearer sk'] }
  for (let at = 0; at < 2; at += 1) t.equal((await RecordedCall.send(pool, call).over).outcome, '200 ok')
  const head =
    'GET http://provider.example:8080/v1/models?a=b HTTP/1.1\r\nhost: provider.example:8080\r\nconnection: keep-alive\r\nauthorization: Bearer sk\r\nproxy-authorization: Basic dXNlcjpwYXNz'
  t.strictSame(
    proxy.asked.map(({ head }) => head),
    [head, head],
  )
  t.equal(proxy.sockets.length, 1)
})

t.test('a proxy URL without credentials sends none; one of a name or a word alone does', async (t) => {
  t.strictSame(proxyCredential(new URL('http://proxy.example')), [])
  t.strictSame(proxyCredential(new URL('http://user@proxy.example')), ['proxy-authorization', 'Basic dXNlcjo='])
  t.strictSame(proxyCredential(new URL('http://:pass@proxy.example')), ['proxy-authorization', 'Basic OnBhc3M='])
})

t.test('a credential with a percent sign that encodes nothing is sent as it is', async (t) => {
  const [, value = ''] = proxyCredential(new URL('http://user:100%@proxy.example'))
  t.equal(value, 'Basic dXNlcjoxMDAl')
})

t.test('a 407 to a forwarded call is of the proxy: no reply, and no connection', async (t) => {
  const proxy = await RawProvider.start(t, ({ socket }) =>
    say(socket, 'HTTP/1.1 407 No\r\ncontent-length: 2\r\n\r\nno'),
  )
  const call = await RecordedCall.send(forwarded(t, proxy.url)).over
  t.type(call.error, NoConnection)
  t.equal(call.outcome, 'NoConnection: its proxy answered 407')
  t.strictSame(call.told, ['begun', 'failed'])
  t.equal(await proxy.hasOpen(0), 0)
})

t.test('a reply to a forwarded call is told as any other', async (t) => {
  const proxy = await RawProvider.start(t, ({ socket, head }) => {
    if (head.includes('/cut')) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe')
    else say(socket, 'HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno')
  })
  const pool = forwarded(t, proxy.url)
  const call = await RecordedCall.send(pool).over
  t.equal(call.outcome, '502 no')
  t.strictSame(call.told, ['begun', 'head', 'data', 'ended'])
  const cut = await RecordedCall.send(pool, { ...GET, path: '/cut' }).over
  t.equal(cut.outcome, 'ConnectionLost: connection lost: other side closed')
  t.strictSame(cut.told, ['begun', 'head', 'data', 'failed'])
})
