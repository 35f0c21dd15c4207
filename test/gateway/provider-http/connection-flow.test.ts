import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import type { CallControl } from '#gateway/provider-http/provider-call.ts'
import { waitFor } from '../../helpers/stack.ts'
import { answer, RawProvider, say } from './raw-provider.ts'
import { GET, openPool, post, RecordedCall } from './recorded-call.ts'

const MIB = 1_048_576
const BODY_BYTES = 50 * MIB

/** 64 KiB of which no two are the same. */
function block(at: number): Buffer {
  const bytes = Buffer.alloc(65_536, at & 0xff)
  for (let offset = 0; offset < bytes.length; offset += 4) bytes.writeUInt32LE((at * 16_384 + offset) >>> 0, offset)
  return bytes
}

function* blocks(): Generator<Buffer> {
  for (let at = 0; at < BODY_BYTES / 65_536; at += 1) yield block(at)
}

function* chunks(): Generator<Buffer> {
  for (const bytes of blocks()) yield Buffer.concat([Buffer.from('10000\r\n'), bytes, Buffer.from('\r\n')])
  yield Buffer.from('0\r\n\r\n')
}

function hashOf(all: Iterable<Buffer>): string {
  const hash = createHash('sha256')
  for (const bytes of all) hash.update(bytes)
  return hash.digest('hex')
}

const EXPECTED = hashOf(blocks())

const FORMS = {
  'a length': { head: `content-length: ${BODY_BYTES}\r\n`, bytes: blocks, ends: false },
  chunks: { head: 'transfer-encoding: chunked\r\n', bytes: chunks, ends: false },
  'an open end': { head: '', bytes: blocks, ends: true },
}

for (const [title, { head, bytes, ends }] of Object.entries(FORMS)) {
  t.test(`a fast body of 50 MiB and a slow taker: every byte comes, and the provider waits (${title})`, async (t) => {
    let sent = 0
    const send = async (socket: Socket): Promise<void> => {
      say(socket, `HTTP/1.1 200 OK\r\n${head}\r\n`)
      const counted = Readable.from(bytes()).on('data', (each: Buffer) => {
        sent += each.length
      })
      await pipeline(counted, socket, { end: ends })
    }
    const sending: Promise<void>[] = []
    const provider = await RawProvider.start(t, ({ socket }) => sending.push(send(socket)))
    const pool = openPool(t, provider.url)
    const hash = createHash('sha256')
    let taken = 0
    let ahead = 0
    let pauses = 0
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let control: CallControl | undefined
    const goOn = (): void => {
      ahead = Math.max(ahead, sent - taken)
      control?.resume()
    }
    pool.send(GET, {
      begun(given) {
        control = given
      },
      head() {},
      data(chunk) {
        hash.update(chunk)
        taken += chunk.length
        if (taken < (pauses + 1) * MIB) return
        pauses += 1
        control?.pause()
        // Long enough for the provider to fill all that there is to fill.
        setTimeout(goOn, 10)
      },
      ended: resolve,
      failed: reject,
    })
    await promise
    await Promise.all(sending)
    t.equal(taken, BODY_BYTES)
    t.equal(hash.digest('hex'), EXPECTED)
    t.equal(pauses, 50)
    t.ok(ahead < 16 * MIB, `${ahead} bytes were between the two`)
  })
}

t.test('what a paused taker is still told is what had been read', async (t) => {
  const provider = await RawProvider.start(t, ({ socket }) => {
    say(socket, `HTTP/1.1 200 OK\r\ncontent-length: ${8 * MIB}\r\n\r\n`)
    socket.write(Buffer.alloc(8 * MIB))
  })
  const pool = openPool(t, provider.url)
  const call = RecordedCall.send(pool, GET, { head: ({ control }) => control.pause() })
  await waitFor(
    () => call.status,
    (status) => status === 200,
  )
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.ok(call.body.length <= 65_536, `${call.body.length} bytes`)
  call.control.resume()
  t.equal((await call.over).body.length, 8 * MIB)
})

t.test('a body that ends while its taker pauses comes whole', async (t) => {
  for (const head of ['content-length: 300000\r\n', '']) {
    const provider = await RawProvider.start(t, ({ socket }) => {
      say(socket, `HTTP/1.1 200 OK\r\n${head}\r\n`)
      socket.end(Buffer.alloc(300_000, 'a'))
    })
    const pool = openPool(t, provider.url)
    const call = RecordedCall.send(pool, GET, { head: ({ control }) => control.pause() })
    await waitFor(
      () => call.status,
      (status) => status === 200,
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    t.notOk(call.told.includes('ended'))
    call.control.resume()
    t.equal((await call.over).text, 'a'.repeat(300_000))
    t.equal(await provider.hasOpen(0), 0)
  }
})

t.test('a request is written as it is given, and its body byte for byte', async (t) => {
  const provider = await RawProvider.start(t, ({ socket }) => say(socket, answer('ok')))
  const pool = openPool(t, provider.url)
  const body = Buffer.concat([block(1), block(2)])
  const headers = [
    'Authorization',
    'Bearer a:b',
    'x-empty',
    '',
    'x-latin',
    '\xe9',
    'x-tab',
    'a\tb',
    'x-a',
    '1',
    'X-A',
    '2',
  ]
  await RecordedCall.send(pool, { method: 'POST', path: '/v1/a?b=c%20d&e=', headers, body }).over
  await RecordedCall.send(pool, { method: 'POST', path: '/', headers: [], body: undefined }).over
  await RecordedCall.send(pool, { method: 'POST', path: '/', headers: [], body: Buffer.alloc(0) }).over
  await RecordedCall.send(pool, { method: 'DELETE', path: '/', headers: [], body: undefined }).over
  await RecordedCall.send(pool, GET).over
  await RecordedCall.send(pool, { ...GET, method: 'HEAD' }).over
  const host = `host: 127.0.0.1:${provider.port}\r\nconnection: keep-alive`
  t.strictSame(
    provider.asked.map(({ head }) => head),
    [
      `POST /v1/a?b=c%20d&e= HTTP/1.1\r\n${host}\r\nAuthorization: Bearer a:b\r\nx-empty: \r\nx-latin: \xe9\r\nx-tab: a\tb\r\nx-a: 1\r\nX-A: 2\r\ncontent-length: 131072`,
      `POST / HTTP/1.1\r\n${host}\r\ncontent-length: 0`,
      `POST / HTTP/1.1\r\n${host}\r\ncontent-length: 0`,
      `DELETE / HTTP/1.1\r\n${host}\r\ncontent-length: 0`,
      `GET /v1/models HTTP/1.1\r\n${host}`,
      `HEAD /v1/models HTTP/1.1\r\n${host}`,
    ],
  )
  t.ok(provider.asked[0]?.body.equals(body))
})

t.test('many large and small requests at once arrive as they were sent, and each gets its own reply', async (t) => {
  const provider = await RawProvider.start(t, ({ socket, head, body }) => {
    const path = head.split(' ')[1] ?? ''
    say(socket, answer(`${path} ${createHash('sha256').update(body).digest('hex')}`))
  })
  const pool = openPool(t, provider.url)
  for (let round = 0; round < 3; round += 1) {
    const bodies = [...Array(24).keys()].map((at) => {
      const size = [0, 1, 700, 8_000, 8_300, 33_000, 300_000, 4 * MIB][at % 8] ?? 0
      return Buffer.alloc(size, block(round * 24 + at))
    })
    const calls = bodies.map((body, at) => RecordedCall.send(pool, post(body, `/${round}/${at}`)))
    for (const [at, call] of calls.entries()) {
      const hash = createHash('sha256')
        .update(bodies[at] ?? '')
        .digest('hex')
      t.equal((await call.over).outcome, `200 /${round}/${at} ${hash}`)
      t.strictSame(call.told, ['begun', 'head', 'data', 'ended'])
    }
  }
  t.equal(provider.sockets.length, 24, 'each connection carried three')
  pool.destroy()
  t.equal(await provider.hasOpen(0), 0)
})

t.test('a reply in one byte per write is the same, and its connection carries the next', async (t) => {
  const reply =
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-a: b\r\n\r\n5;c=d\r\nhello\r\n1\r\n!\r\n0\r\nx-e: f\r\n\r\n'
  const sayFrom = (socket: Socket, at: number): void => {
    say(socket, reply.charAt(at))
    if (at + 1 < reply.length) setImmediate(sayFrom, socket, at + 1)
  }
  const provider = await RawProvider.start(t, ({ socket }) => sayFrom(socket, 0))
  const pool = openPool(t, provider.url)
  for (let at = 0; at < 3; at += 1) t.equal((await RecordedCall.send(pool).over).outcome, '200 hello!')
  t.equal(provider.sockets.length, 1)
})
