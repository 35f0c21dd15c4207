import { once } from 'node:events'
import t, { type Test } from 'tap'
import { ConnectionLost, MalformedReply, UnsendableRequest } from '#gateway/provider-http/call-error.ts'
import type { ProviderCall } from '#gateway/provider-http/provider-call.ts'
import { waitFor } from '../../helpers/stack.ts'
import { type Asked, answer, RawProvider, say } from './raw-provider.ts'
import { GET, openPool, post, RecordedCall } from './recorded-call.ts'

/** Each request's connection, in order. */
function connections({ asked }: RawProvider): number[] {
  return asked.map(({ connection }) => connection)
}

/** The first reply is this one, each later one is `ok`. */
async function startWith(t: Test, first: string, end?: (asked: Asked) => void): Promise<RawProvider> {
  const provider = await RawProvider.start(t, (asked) => {
    const isFirst = provider.asked.length === 1
    say(asked.socket, isFirst ? first : answer('ok'))
    if (isFirst) end?.(asked)
  })
  return provider
}

const KEPT: Readonly<Record<string, string>> = {
  'a length': answer('one'),
  'a length of 0': answer(''),
  chunks: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n0\r\nx-a: b\r\n\r\n',
  'no body': 'HTTP/1.1 204 No Content\r\n\r\n',
  'a status of 500': 'HTTP/1.1 500 Internal Server Error\r\ncontent-length: 3\r\n\r\none',
  'an announcement before': `HTTP/1.1 100 Continue\r\n\r\n${answer('one')}`,
  'HTTP/1.0 that is kept': 'HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 3\r\n\r\none',
  'a connection header that says nothing of it': answer('one', 'connection: x-a\r\n'),
  'a time of half a minute': answer('one', 'keep-alive: timeout=30, max=100\r\n'),
}

for (const [title, reply] of Object.entries(KEPT)) {
  t.test(`a connection carries another call after ${title}`, async (t) => {
    const provider = await startWith(t, reply)
    const pool = openPool(t, provider.url)
    await RecordedCall.send(pool).over
    for (let call = 0; call < 3; call += 1) t.equal((await RecordedCall.send(pool).over).outcome, '200 ok')
    t.strictSame(connections(provider), [0, 0, 0, 0])
    t.equal(provider.open, 1)
  })
}

const NOT_KEPT: Readonly<Record<string, string>> = {
  'connection: close': answer('one', 'connection: close\r\n'),
  'close in a list': answer('one', 'Connection: x-a, Close\r\n'),
  'close in a second header': answer('one', 'connection: keep-alive\r\nconnection: close\r\n'),
  'HTTP/1.0': 'HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\none',
  'HTTP/1.0 with chunks':
    'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n',
  'bytes behind it': `${answer('one')}x`,
  'a reply behind it': answer('one') + answer('of nobody'),
  'a reply behind its chunks': `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n${answer('of nobody')}`,
  'an empty line behind it': `${answer('one')}\r\n`,
  'a body that a 204 has not': 'HTTP/1.1 204 No Content\r\n\r\none',
  'a keep-alive time of 2 s': answer('one', 'keep-alive: timeout=2\r\n'),
  'a keep-alive time of 1 s': answer('one', 'Keep-Alive: max=5, timeout=1\r\n'),
  'a keep-alive time of 0 s': answer('one', 'keep-alive: timeout=0\r\n'),
}

for (const [title, reply] of Object.entries(NOT_KEPT)) {
  t.test(`a connection is closed after ${title}`, async (t) => {
    const provider = await startWith(t, reply)
    const pool = openPool(t, provider.url)
    t.match((await RecordedCall.send(pool).over).outcome, /^20[04] (one)?$/)
    t.equal((await RecordedCall.send(pool).over).outcome, '200 ok')
    t.strictSame(connections(provider), [0, 1])
    t.equal(await provider.hasOpen(1), 1)
  })
}

t.test('a connection is closed after a body until its end', async (t) => {
  const provider = await startWith(t, 'HTTP/1.1 200 OK\r\n\r\none', ({ socket }) => socket.end())
  const pool = openPool(t, provider.url)
  t.equal((await RecordedCall.send(pool).over).outcome, '200 one')
  t.equal((await RecordedCall.send(pool).over).outcome, '200 ok')
  t.strictSame(connections(provider), [0, 1])
})

t.test('a connection is closed after a reply that came before its request was read', async (t) => {
  const provider = await RawProvider.start(t, ({ socket }) => say(socket, answer('ok')))
  provider.server.prependOnceListener('connection', (socket) => {
    socket.once('data', () => {
      socket.pause()
      say(socket, 'HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n')
    })
  })
  const pool = openPool(t, provider.url)
  t.equal((await RecordedCall.send(pool, post(Buffer.alloc(20_000_000))).over).outcome, '413 ')
  t.equal((await RecordedCall.send(pool).over).outcome, '200 ok')
  t.strictSame(connections(provider), [1])
})

t.test('a provider that keeps a connection for 5 s is not sent a call on it after 3 s', async (t) => {
  const provider = await RawProvider.start(t, ({ socket }) => say(socket, answer('ok', 'keep-alive: timeout=5\r\n')))
  const pool = openPool(t, provider.url)
  await RecordedCall.send(pool).over
  await RecordedCall.send(pool).over
  t.strictSame(connections(provider), [0, 0], 'at once')
  const idle = pool.sweep(0)
  const since = idle[0]?.idleSince ?? Number.NaN
  t.equal(idle[0]?.hasExpired(since + 2_999.999, 60_000), false)
  t.equal(idle[0]?.hasExpired(since + 3_000.001, 60_000), true)
  await new Promise((resolve) => setTimeout(resolve, 3_050))
  await RecordedCall.send(pool).over
  t.strictSame(connections(provider), [0, 0, 1])
  t.equal(await provider.hasOpen(1), 1)
})

t.test('what a provider said of the time it keeps a connection is over with its next reply', async (t) => {
  const provider = await startWith(t, answer('one', 'keep-alive: timeout=3\r\n'))
  const pool = openPool(t, provider.url)
  await RecordedCall.send(pool).over
  await RecordedCall.send(pool).over
  const [idle] = pool.sweep(0)
  t.equal(idle?.hasExpired(idle.idleSince + 59_999.999, 60_000), false)
  t.equal(idle?.hasExpired(idle.idleSince + 60_000.001, 60_000), true)
})

t.test('an idle connection is closed after its time: by a sweep, or instead of a next call', async (t) => {
  const provider = await RawProvider.start(t, ({ socket }) => say(socket, answer('ok')))
  const pool = openPool(t, provider.url, { idleTimeoutMs: 50 })
  await RecordedCall.send(pool).over
  await new Promise((resolve) => setTimeout(resolve, 60))
  await RecordedCall.send(pool).over
  t.strictSame(connections(provider), [0, 1])
  t.equal(await provider.hasOpen(1), 1)
  t.equal(pool.sweep(performance.now() + 60_000).length, 0)
  t.equal(await provider.hasOpen(0), 0)
})

t.test('the connection that was used last is used next', async (t) => {
  const provider = await RawProvider.start(t, ({ socket }) => say(socket, answer('ok')))
  const pool = openPool(t, provider.url)
  await Promise.all([1, 2, 3].map(() => RecordedCall.send(pool).over))
  t.equal(provider.open, 3)
  const [, , last] = connections(provider)
  for (let call = 0; call < 3; call += 1) await RecordedCall.send(pool).over
  t.strictSame(connections(provider).slice(3), [last, last, last])
})

const ENDS: Readonly<Record<string, (asked: Asked) => void>> = {
  'bytes that nobody asked for': ({ socket }) =>
    say(socket, 'HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n'),
  'one byte': ({ socket }) => say(socket, '\n'),
  'its end': ({ socket }) => socket.end(),
  'its reset': ({ socket }) => socket.resetAndDestroy(),
}
for (const [title, end] of Object.entries(ENDS)) {
  t.test(`an idle connection is dropped with ${title}`, async (t) => {
    const provider = await RawProvider.start(t, ({ socket }) => say(socket, answer('ok')))
    const pool = openPool(t, provider.url)
    await RecordedCall.send(pool).over
    const [first] = provider.asked
    if (first === undefined) throw new Error('nothing was asked')
    const closed = once(first.socket, 'close')
    end(first)
    await closed
    await new Promise(setImmediate)
    t.equal(pool.sweep(0).length, 0)
    t.equal((await RecordedCall.send(pool).over).outcome, '200 ok')
    t.strictSame(connections(provider), [0, 1])
  })
}

t.test('bytes that nobody asked for are no answer to a call that has not left yet', async (t) => {
  const provider = await RawProvider.start(t, ({ socket, nth }) => {
    if (nth === 0) say(socket, answer('ok'))
  })
  const pool = openPool(t, provider.url)
  const other = openPool(t, provider.url)
  for (const each of [pool, other]) await RecordedCall.send(each).over
  const [first, second] = provider.asked.map(({ socket }) => socket)
  const sent = new Promise<RecordedCall>((resolve) => {
    const ended = (): void => {
      // Leaves at once; whatever else this turn writes waits for its end.
      RecordedCall.send(other)
      resolve(RecordedCall.send(pool))
    }
    RecordedCall.send(other, { ...GET, path: '/other' }, { ended })
  })
  await waitFor(
    () => provider.asked.length,
    (asked) => asked === 3,
  )
  // One turn reads both, in this order.
  if (second !== undefined) say(second, answer('x'))
  if (first !== undefined) say(first, answer('stray'))
  const { error } = await (await sent).over
  t.type(error, ConnectionLost)
  t.match(error, { reason: 'bytes before the request', wasIdle: true })
  t.equal(await provider.hasOpen(1), 1)
})

function thrownBy(action: () => void): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}

const UNSENDABLE: Readonly<Record<string, ProviderCall>> = {
  'a CR in a value': { ...GET, headers: ['x-a', 'b\rc'] },
  'an LF in a value': { ...GET, headers: ['x-a', 'b\nx-b: c'] },
  'a NUL in a value': { ...GET, headers: ['x-a', 'b\0'] },
  'a character beyond Latin-1 in a value': { ...GET, headers: ['x-a', '\u{10d}\u{10a}x-b: c'] },
  'a colon in a name': { ...GET, headers: ['x-a: b', 'c'] },
  'a line break in a name': { ...GET, headers: ['x-a\r\nx-b', 'c'] },
  'no name': { ...GET, headers: ['', 'c'] },
  'a line break in the path': { ...GET, path: '/a\r\nx-b: c' },
  'a blank in the path': { ...GET, path: '/a HTTP/1.1' },
  'a NUL in the path': { ...GET, path: '/a\0' },
  'Latin-1 in the path': { ...GET, path: '/\xe9' },
  'a line break in the method': { ...GET, method: 'GET\r\n' },
  'no method': { ...GET, method: '' },
}
for (const [title, call] of Object.entries(UNSENDABLE)) {
  for (const forwarding of [undefined, { origin: 'http://provider.example', headers: [] }]) {
    t.test(`${title}: nothing is sent, and no connection lost (${forwarding ? 'forwarded' : 'direct'})`, async (t) => {
      const provider = await RawProvider.start(t, ({ socket }) => say(socket, answer('ok')))
      const pool = openPool(t, provider.url, { forwarding })
      const refused = new RecordedCall()
      t.type(
        thrownBy(() => pool.send(call, refused)),
        UnsendableRequest,
      )
      await RecordedCall.send(pool).over
      t.type(
        thrownBy(() => pool.send(call, refused)),
        UnsendableRequest,
      )
      t.equal((await RecordedCall.send(pool).over).outcome, '200 ok')
      t.strictSame(refused.told, [])
      t.strictSame(connections(provider), [0, 0])
      let isEmpty = false
      pool.close(() => {
        isEmpty = true
      })
      t.equal(isEmpty, true, 'none is left behind')
      t.equal(await provider.hasOpen(0), 0)
    })
  }
}

t.test('the end of a kept connection before anything of a reply is told apart', async (t) => {
  const provider = await RawProvider.start(t, ({ socket, nth, head }) => {
    if (nth === 0 && !head.includes('/lost')) say(socket, answer('ok'))
    else if (head.includes('/begun')) socket.end('HTTP/1.1 2')
    else if (head.includes('/announced')) socket.end('HTTP/1.1 100 Continue\r\n\r\n')
    else if (head.includes('/headless')) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n')
    else if (head.includes('/odd')) say(socket, 'SSH-2.0\r\n')
    else if (head.includes('/reset')) socket.resetAndDestroy()
    else socket.end()
  })
  const cases: [string, boolean, boolean, string][] = [
    ['/lost', false, false, 'other side closed'],
    ['/lost', true, true, 'other side closed'],
    ['/reset/lost', false, false, 'ECONNRESET'],
    ['/reset', true, true, 'ECONNRESET'],
    ['/begun', true, false, 'other side closed'],
    ['/announced', true, false, 'other side closed'],
    ['/headless', true, false, 'other side closed'],
  ]
  for (const [path, isKept, wasIdle, reason] of cases) {
    const pool = openPool(t, provider.url)
    if (isKept) await RecordedCall.send(pool).over
    const { error } = await RecordedCall.send(pool, { ...GET, path }).over
    t.type(error, ConnectionLost)
    t.match(error, { wasIdle, reason }, `${path}, ${isKept ? 'kept' : 'new'}`)
  }
  const pool = openPool(t, provider.url)
  await RecordedCall.send(pool).over
  t.type((await RecordedCall.send(pool, { ...GET, path: '/odd' }).over).error, MalformedReply)
  t.equal(await provider.hasOpen(0), 0)
})
