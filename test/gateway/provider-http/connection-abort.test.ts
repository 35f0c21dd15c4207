import { once } from 'node:events'
import t, { type Test } from 'tap'
import { waitFor } from '../../helpers/stack.ts'
import { answer, RawProvider, say } from './raw-provider.ts'
import { GET, openPool, post, RecordedCall } from './recorded-call.ts'

const GIVEN_UP = new Error('given up')
const giveUp = (call: RecordedCall): void => call.control.abort(GIVEN_UP)
const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'

async function start(t: Test, reply: string): Promise<RawProvider> {
  return RawProvider.start(t, ({ socket, head }) => say(socket, head.includes('/kept') ? answer('ok') : reply))
}

/** Nothing more is told after a while, and the provider has no connection left. */
async function isOver(t: Test, call: RecordedCall, provider: RawProvider, told: readonly string[]): Promise<void> {
  t.equal((await call.over).error, GIVEN_UP)
  t.equal(await provider.hasOpen(0), 0)
  await new Promise((resolve) => setTimeout(resolve, 20))
  giveUp(call)
  call.control.pause()
  call.control.resume()
  t.strictSame(call.told, told)
}

const REPLIES: Readonly<Record<string, string>> = {
  'a length': answer('hello'),
  'no body': answer(''),
  chunks: `${CHUNKED}5\r\nhello\r\n5\r\nthere\r\n0\r\n\r\n`,
  'chunks, of which the second is none': `${CHUNKED}5\r\nhello\r\n-5\r\n`,
  'bytes behind it': `${answer('hello')}${answer('of nobody')}`,
  'an open end': 'HTTP/1.1 200 OK\r\n\r\nhello',
}

for (const isKept of [false, true]) {
  const on = isKept ? 'a kept connection' : 'a new connection'

  for (const [title, reply] of Object.entries(REPLIES)) {
    for (const when of ['begun', 'head', 'data'] as const) {
      if (when === 'data' && title === 'no body') continue
      t.test(`given up from inside ${when}, on ${on}: ${title}`, async (t) => {
        const provider = await start(t, reply)
        const pool = openPool(t, provider.url)
        if (isKept) await RecordedCall.send(pool, { ...GET, path: '/kept' }).over
        const call = RecordedCall.send(pool, GET, { [when]: giveUp })
        const told = {
          begun: ['begun', 'failed'],
          head: ['begun', 'head', 'failed'],
          data: ['begun', 'head', 'data', 'failed'],
        }
        await isOver(t, call, provider, told[when])
        t.equal(provider.asked.filter(({ head }) => head.startsWith('GET /v1/models')).length, when === 'begun' ? 0 : 1)
      })
    }
  }

  t.test(`given up at once after it was sent, on ${on}`, async (t) => {
    const provider = await start(t, answer('hello'))
    const pool = openPool(t, provider.url)
    if (isKept) await RecordedCall.send(pool, { ...GET, path: '/kept' }).over
    const call = RecordedCall.send(pool)
    giveUp(call)
    await isOver(t, call, provider, ['begun', 'failed'])
  })

  t.test(`given up before the head, inside the head and inside the body, on ${on}`, async (t) => {
    for (const [part, told] of [
      ['', ['begun', 'failed']],
      ['HTTP/1.1 20', ['begun', 'failed']],
      ['HTTP/1.1 100 Continue\r\n\r\n', ['begun', 'failed']],
      ['HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n', ['begun', 'head', 'failed']],
      ['HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell', ['begun', 'head', 'data', 'failed']],
      [`${CHUNKED}5\r\nhello`, ['begun', 'head', 'data', 'failed']],
    ] as const) {
      const provider = await start(t, part)
      const pool = openPool(t, provider.url)
      if (isKept) await RecordedCall.send(pool, { ...GET, path: '/kept' }).over
      const call = RecordedCall.send(pool)
      await waitFor(
        () => call.told.length,
        (length) => provider.asked.length > 0 && length === told.length - 1,
      )
      giveUp(call)
      await isOver(t, call, provider, told)
    }
  })

  t.test(`given up inside a large request, on ${on}`, async (t) => {
    const provider = await start(t, answer('hello'))
    provider.server.on('connection', (socket) => socket.pause())
    const pool = openPool(t, provider.url)
    if (isKept) {
      const kept = RecordedCall.send(pool, { ...GET, path: '/kept' })
      await waitFor(
        () => provider.sockets.length,
        (length) => length === 1,
      )
      provider.sockets[0]?.resume()
      await kept.over
      provider.sockets[0]?.pause()
    }
    const call = RecordedCall.send(pool, post(Buffer.alloc(20_000_000)))
    await waitFor(
      () => provider.sockets.length,
      (length) => length === 1,
    )
    giveUp(call)
    for (const socket of provider.sockets) socket.resume()
    await isOver(t, call, provider, ['begun', 'failed'])
  })
}

t.test('given up from inside ended and failed: nothing happens', async (t) => {
  const provider = await RawProvider.start(t, ({ socket, head }) => {
    if (head.includes('/lost')) socket.destroy()
    else say(socket, answer('ok'))
  })
  const pool = openPool(t, provider.url)
  const well = RecordedCall.send(pool, GET, { ended: giveUp })
  t.equal((await well.over).outcome, '200 ok')
  t.equal((await RecordedCall.send(pool).over).outcome, '200 ok')
  t.equal(provider.sockets.length, 1)
  const lost = RecordedCall.send(pool, { ...GET, path: '/lost' }, { failed: giveUp })
  t.match((await lost.over).outcome, /^ConnectionLost: /)
  t.strictSame(lost.told, ['begun', 'failed'])
})

t.test('who has control of a call that is over has none of the next one', async (t) => {
  let finish = (): void => {}
  const provider = await RawProvider.start(t, ({ socket, nth }) => {
    if (nth === 0) say(socket, answer('ok'))
    else {
      say(socket, 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello')
      finish = () => say(socket, 'there')
    }
  })
  const pool = openPool(t, provider.url)
  const before = await RecordedCall.send(pool).over
  const call = RecordedCall.send(pool, GET, {
    begun: () => giveUp(before),
    head: () => before.control.pause(),
    data: () => giveUp(before),
  })
  await waitFor(
    () => call.text,
    (text) => text === 'hello',
  )
  giveUp(before)
  before.control.pause()
  call.control.pause()
  before.control.resume()
  finish()
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(call.text, 'hello', 'it pauses')
  call.control.resume()
  before.control.pause()
  t.equal((await call.over).outcome, '200 hellothere')
  t.equal(provider.sockets.length, 1)
})

t.test('a call that was paused at its end leaves a connection that reads', async (t) => {
  const provider = await RawProvider.start(t, ({ socket }) => say(socket, answer('ok')))
  const pool = openPool(t, provider.url)
  for (let call = 0; call < 3; call += 1) {
    const paused = RecordedCall.send(pool, GET, { data: ({ control }) => control.pause() })
    t.equal((await paused.over).outcome, '200 ok')
  }
  t.equal(provider.sockets.length, 1)
})

t.test('a pool that is closed ends its idle connections at once, and others after their call', async (t) => {
  let finish = (): void => {}
  const provider = await RawProvider.start(t, ({ socket, head }) => {
    if (head.includes('/slow')) finish = () => say(socket, answer('slow'))
    else say(socket, answer('ok'))
  })
  const pool = openPool(t, provider.url)
  const slow = RecordedCall.send(pool, { ...GET, path: '/slow' })
  await RecordedCall.send(pool).over
  t.equal(provider.open, 2)
  let emptied = 0
  pool.close(() => {
    emptied += 1
  })
  t.equal(await provider.hasOpen(1), 1)
  t.equal(emptied, 0)
  finish()
  t.equal((await slow.over).outcome, '200 slow')
  t.equal(emptied, 1)
  t.equal(await provider.hasOpen(0), 0)
})

t.test('a pool that is destroyed loses its calls, those that connect too', async (t) => {
  const provider = await RawProvider.start(t, ({ socket, head }) => {
    if (head.includes('/kept')) say(socket, answer('ok'))
  })
  const pool = openPool(t, provider.url)
  await Promise.all([1, 2].map(() => RecordedCall.send(pool, { ...GET, path: '/kept' }).over))
  const waiting = RecordedCall.send(pool)
  await waitFor(
    () => provider.asked.length,
    (asked) => asked === 3,
  )
  RecordedCall.send(pool)
  const connecting = RecordedCall.send(pool)
  pool.destroy()
  for (const call of [waiting, connecting]) {
    t.equal((await call.over).outcome, 'ConnectionLost: connection lost: closed')
    t.strictSame(call.told, ['begun', 'failed'])
  }
  t.equal(await provider.hasOpen(0), 0)
})

t.test('a refused port, once for each call', async (t) => {
  const provider = await start(t, answer(''))
  provider.server.close()
  await once(provider.server, 'close')
  const pool = openPool(t, provider.url)
  for (let at = 0; at < 2; at += 1) {
    const call = RecordedCall.send(pool)
    t.equal((await call.over).outcome, `NoConnection: connect ECONNREFUSED 127.0.0.1:${provider.port}`)
    t.strictSame(call.told, ['begun', 'failed'])
  }
})

t.test('nothing is left behind', async (t) => {
  t.equal(
    await waitFor(
      () => process.getActiveResourcesInfo().filter((resource) => /TCP|Socket|Immediate/.test(resource)).length,
      (left) => left === 0,
    ),
    0,
  )
})
