import { deepStrictEqual } from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { writeInTurn } from '#gateway/turn-writes.ts'
import { SEED } from '../../formats/pairs/mutate.ts'
import { waitFor } from '../../helpers/stack.ts'

interface Ends {
  readonly near: Socket
  readonly far: Socket
}

async function connected(t: Test): Promise<() => Promise<Ends>> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const all: Socket[] = []
  t.teardown(() => {
    for (const socket of all) socket.destroy()
    server.close()
  })
  return async () => {
    // A server that listens on a port has an address of this kind.
    const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
    // The listener of `once` gets one socket.
    const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [[Socket], unknown]
    all.push(near, far)
    for (const socket of [near, far]) socket.on('error', () => {})
    return { near, far }
  }
}

/** All that comes until the end. */
async function received(far: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  far.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(far, 'end')
  return Buffer.concat(chunks)
}

/** A message whose bytes are of no other one. */
function bytesOf(seed: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let at = 0, value = seed * 2_654_435_761 + 1; at < length; at += 1) {
    value = (Math.imul(value, 1_103_515_245) + 12_345) >>> 0
    bytes[at] = value >>> 16
  }
  return bytes
}

const WHENS = ['now', 'microtask', 'nextTick', 'immediate', 'timer'] as const

interface Step {
  readonly socket: number
  readonly startBytes: number
  readonly pieces: readonly number[]
  readonly when: (typeof WHENS)[number]
  readonly hasCallback: boolean
}

const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(600) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 8_191, 8_192, 8_193, 32_767, 32_768, 32_769) },
  { weight: 1, arbitrary: fc.nat(300_000) },
)
const anyStep: fc.Arbitrary<Step> = fc.record({
  socket: fc.nat(3),
  startBytes: size,
  pieces: fc.array(size, { maxLength: 3 }),
  when: fc.constantFrom(...WHENS),
  hasCallback: fc.boolean(),
})

const DO: Readonly<Record<Step['when'], (write: () => void) => void>> = {
  now: (write) => write(),
  microtask: (write) => queueMicrotask(write),
  nextTick: (write) => process.nextTick(write),
  immediate: (write) => setImmediate(write),
  timer: (write) => setTimeout(write, 0),
}

async function writeAll(sockets: readonly Socket[], steps: readonly Step[]): Promise<Buffer[][]> {
  const written: Buffer[][] = sockets.map(() => [])
  const { promise, resolve } = Promise.withResolvers<void>()
  const calls = steps.map(() => 0)
  let missing = steps.length + steps.filter(({ hasCallback }) => hasCallback).length
  const done = (): void => {
    missing -= 1
    if (missing === 0) resolve()
  }
  const write = ({ socket: which, startBytes, pieces, hasCallback }: Step, at: number): void => {
    const socket = sockets[which]
    if (socket === undefined) throw new Error('no such socket')
    const start = bytesOf(at, startBytes).toString('latin1')
    const parts = pieces.map((bytes, nth) => bytesOf(at * 5 + nth + 1, bytes))
    written[which]?.push(Buffer.from(start, 'latin1'), ...parts)
    const onWritten = (error: Error | null | undefined): void => {
      deepStrictEqual(error ?? undefined, undefined)
      calls[at] = (calls[at] ?? 0) + 1
      done()
    }
    if (hasCallback) writeInTurn(socket, start, parts, onWritten)
    else writeInTurn(socket, start, parts)
    done()
  }
  for (const [at, step] of steps.entries()) DO[step.when](() => write(step, at))
  await promise
  await new Promise(setImmediate)
  deepStrictEqual(
    calls,
    steps.map(({ hasCallback }) => (hasCallback ? 1 : 0)),
  )
  return written
}

t.test('property: what is written to sockets arrives there, in order', async (t) => {
  const open = await connected(t)
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 40 }), async (steps) => {
      const ends = [await open(), await open(), await open(), await open()]
      const arrived = ends.map(({ far }) => received(far))
      const written = await writeAll(
        ends.map(({ near }) => near),
        steps,
      )
      for (const { near } of ends) near.end()
      for (const [at, bytes] of (await Promise.all(arrived)).entries()) {
        deepStrictEqual(bytes.equals(Buffer.concat(written[at] ?? [])), true, `socket ${at}`)
      }
    }),
    { seed: SEED, numRuns: 400 },
  )
})

t.test('messages to a reader that reads nothing yet are kept as they were, whatever others are sent', async (t) => {
  const open = await connected(t)
  const [waiting, reading] = [await open(), await open()]
  waiting.far.pause()
  const other = received(reading.far)
  const written: Buffer[][] = [[], []]
  for (let round = 0; round < 300; round += 1) {
    // No large one: those are not copied.
    for (const bytes of [7_000, 300, 32_000, 5]) {
      for (const [which, { near }] of [waiting, reading].entries()) {
        const piece = bytesOf(round * 7 + bytes * (which + 1), bytes)
        written[which]?.push(piece)
        writeInTurn(near, '', [piece])
      }
    }
    await new Promise(setImmediate)
  }
  t.ok(waiting.near.writableLength > 1_000_000, 'most of it waits')
  const arrived = received(waiting.far)
  waiting.far.resume()
  waiting.near.end()
  reading.near.end()
  t.ok((await arrived).equals(Buffer.concat(written[0] ?? [])))
  t.ok((await other).equals(Buffer.concat(written[1] ?? [])))
})

t.test('messages over TLS and without, in turn, arrive as they were written', async (t) => {
  const read = (name: string): string => readFileSync(new URL(`../certificates/${name}`, import.meta.url), 'utf8')
  const secure: Socket[] = []
  const server = createTlsServer({ cert: read('good.crt'), key: read('good.key') }, (socket) => secure.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  // A server that listens on a port has an address of this kind.
  const near = connectTls({
    port: (server.address() as AddressInfo).port,
    ca: read('authority.crt'),
    host: '127.0.0.1',
  })
  await once(near, 'secureConnect')
  await waitFor(
    () => secure.length,
    (length) => length === 1,
  )
  const plain = await (await connected(t))()
  const sockets = [near, plain.near]
  const arrived = [...secure, plain.far].map(received)
  const written: Buffer[][] = [[], []]
  for (let at = 0; at < 600; at += 1) {
    const piece = bytesOf(at, [300, 9_000, 20_000, 33_000, 1][at % 5] ?? 0)
    for (const [which, socket] of sockets.entries()) {
      written[which]?.push(piece)
      writeInTurn(socket, '', [piece])
    }
    if (at % 3 === 0) await new Promise(setImmediate)
    if (at % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await new Promise(setImmediate)
  for (const socket of sockets) socket.end()
  for (const [which, bytes] of (await Promise.all(arrived)).entries()) {
    t.ok(bytes.equals(Buffer.concat(written[which] ?? [])), which === 0 ? 'TLS' : 'plain')
  }
})

for (const bytes of [10, 8_192, 8_194, 1_000_000, 20_000_000]) {
  t.test(`a message of ${bytes} bytes is written when the kernel has all of it, and this is told once`, async (t) => {
    const open = await connected(t)
    const { near, far } = await open()
    const arrived = received(far)
    far.pause()
    const told: number[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const pieces = [bytesOf(1, bytes / 2), bytesOf(2, bytes / 2)]
    writeInTurn(near, 'ab', [], () => told.push(near.bytesWritten - near.writableLength))
    writeInTurn(near, '', pieces, () => {
      told.push(near.bytesWritten - near.writableLength)
      resolve()
    })
    if (bytes === 20_000_000) {
      await new Promise((done) => setTimeout(done, 30))
      t.ok(near.writableLength > 1_000_000)
      t.equal(told.length, 1, 'not before it is read')
    }
    far.resume()
    await promise
    near.end()
    t.ok((await arrived).equals(Buffer.concat([Buffer.from('ab'), ...pieces])))
    t.equal(told.length, 2)
    t.equal(told[1], bytes + 2)
  })
}

t.test('small messages of a turn leave before a large one to the same socket', async (t) => {
  const open = await connected(t)
  const { near, far } = await open()
  const arrived = received(far)
  const large = bytesOf(3, 50_000)
  writeInTurn(near, 'a', [])
  writeInTurn(near, 'b', [Buffer.from('c')])
  writeInTurn(near, 'd', [large])
  writeInTurn(near, 'e', [])
  writeInTurn(near, '', [large])
  writeInTurn(near, '\xff', [])
  await new Promise(setImmediate)
  near.end()
  const expected = Buffer.concat([Buffer.from('abcd'), large, Buffer.from('e'), large, Buffer.from([0xff])])
  t.ok((await arrived).equals(expected))
})

for (const bytes of [5, 8_193, 40_000]) {
  t.test(`${bytes} bytes to a socket that is destroyed: told with an error, and the others get theirs`, async (t) => {
    const open = await connected(t)
    const [one, gone, late, other] = [await open(), await open(), await open(), await open()]
    const arrived = [one, other].map(({ far }) => received(far))
    const errors: unknown[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const told = (error: Error | null | undefined): void => {
      errors.push(error instanceof Error && 'code' in error ? error.code : error)
      if (errors.length === 3) resolve()
    }
    gone.near.destroy()
    writeInTurn(one.near, 'a', [])
    writeInTurn(gone.near, '', [bytesOf(1, bytes)], told)
    writeInTurn(gone.near, '', [bytesOf(1, bytes)])
    writeInTurn(late.near, 'late', [], told)
    writeInTurn(one.near, 'b', [])
    late.near.destroy()
    writeInTurn(late.near, '', [bytesOf(1, bytes)], told)
    writeInTurn(other.near, 'c', [])
    await promise
    t.strictSame(errors, ['ERR_STREAM_DESTROYED', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_DESTROYED'])
    await new Promise(setImmediate)
    for (const { near } of [one, other]) near.end()
    t.strictSame((await Promise.all(arrived)).map(String), ['ab', 'c'])
  })
}
