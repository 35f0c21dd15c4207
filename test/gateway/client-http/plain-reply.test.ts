import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { HttpReply } from '#gateway/client-http/http-exchange.ts'
import { eventually } from '../../helpers/eventually.ts'
import { type Handler, post, postChunked, readBody, sendText, startListener, Wire } from './wire.ts'

/** The same is asked of our replies and of Node's. */
const READERS = { plain: post, node: postChunked } as const

interface Client {
  readonly wire: Wire
  /** Text of a request; its body says which. */
  readonly request: (body: string) => string
}

/** Runs a test of each reader; `answer` gets a request when its body is whole. */
function testBoth(
  name: string,
  answer: (reply: HttpReply, body: string) => unknown,
  check: (t: Test, client: Client) => Promise<void>,
): void {
  for (const [reader, request] of Object.entries(READERS)) {
    t.test(`${name} (${reader})`, async (t) => {
      const handler: Handler = (request, reply, by) => {
        if (by !== reader) t.fail(`served by ${by}`)
        readBody(request, (body) => answer(reply, body))
      }
      const { port } = await startListener(t, handler)
      await check(t, { wire: await Wire.connect(t, port), request })
    })
  }
}

/** Twice on one connection, so that nothing is left behind the first. */
async function expectBody(t: Test, { wire, request }: Client, body: string | Buffer, framing: string): Promise<void> {
  for (const which of ['first', 'second']) {
    wire.write(request(which))
    const reply = await wire.reply()
    t.equal(reply.status, 200)
    t.ok(reply.body.equals(Buffer.from(body)), `${which}: ${reply.body.length} bytes`)
    t.equal(reply.chunkSizes === undefined ? 'length' : 'chunked', framing)
  }
  t.equal(wire.rest, '')
}

const PIECES = Array.from({ length: 1_000 }, (_, at) => `data: ${at}\n\n`)

testBoth(
  'many small writes in one turn are one body',
  (reply) => {
    reply.writeHead(200, ['content-type', 'text/event-stream'])
    for (const piece of PIECES) reply.write(piece)
    reply.end()
  },
  (t, client) => expectBody(t, client, PIECES.join(''), 'chunked'),
)

testBoth(
  'writes over several turns are one body',
  async (reply) => {
    reply.writeHead(200, [])
    for (const [at, piece] of PIECES.entries()) {
      reply.write(at % 2 === 0 ? piece : Buffer.from(piece))
      reply.write('')
      if (at % 7 === 0) await turn()
    }
    reply.write('x'.repeat(20_000))
    reply.write('y')
    reply.end('last')
  },
  (t, client) => expectBody(t, client, `${PIECES.join('')}${'x'.repeat(20_000)}ylast`, 'chunked'),
)

t.test('what is written in one turn leaves as one chunk, whatever comes later', async (t) => {
  const later = Promise.withResolvers<void>()
  const { port } = await startListener(t, (request, reply) => {
    readBody(request, () => {
      reply.writeHead(200, [])
      for (const piece of ['one ', 'two ', 'three ']) reply.write(piece)
      void later.promise.then(() => reply.end('four'))
    })
  })
  const wire = await Wire.connect(t, port)
  wire.write(post('Hi'))
  const firstChunk = 'e\r\none two three \r\n'
  await eventually(
    () => wire.rest,
    (rest) => rest.endsWith(firstChunk),
    2_000,
  )
  t.equal(wire.rest.split('\r\n\r\n')[1], firstChunk)
  later.resolve()
  t.strictSame((await wire.reply()).chunkSizes, [14, 4])
})

testBoth(
  'a body in one piece without a length is chunked',
  (reply) => {
    reply.writeHead(200, [])
    reply.end('whole')
  },
  (t, client) => expectBody(t, client, 'whole', 'chunked'),
)

testBoth(
  'an end without a body and without a length ends the reply',
  (reply) => {
    reply.writeHead(200, [])
    reply.end()
  },
  (t, client) => expectBody(t, client, '', 'chunked'),
)

testBoth(
  'a length of 0 ends the reply',
  (reply) => {
    reply.writeHead(200, ['content-length', '0'])
    reply.end()
  },
  (t, client) => expectBody(t, client, '', 'length'),
)

for (const status of [204, 304]) {
  testBoth(
    `${status} has no body, whatever the handler gives`,
    (reply, body) => {
      reply.writeHead(status, ['x-which', body])
      if (body === 'none') reply.end()
      else if (body === 'whole') reply.end('never seen')
      else {
        reply.write('never seen')
        setTimeout(() => reply.end('either'), 5)
      }
    },
    async (t, { wire, request }) => {
      for (const which of ['none', 'whole', 'stream']) {
        wire.write(request(which))
        const reply = await wire.reply()
        t.equal(reply.status, status)
        t.equal(reply.headers['x-which'], which)
        await sleep(10)
        t.equal(wire.rest, '', `nothing comes behind it: ${which}`)
      }
    },
  )
}

const LARGE = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251))

testBoth(
  'a large body with a length, in one piece',
  (reply) => {
    reply.writeHead(200, ['content-length', String(LARGE.length)])
    reply.end(LARGE)
  },
  (t, client) => expectBody(t, client, LARGE, 'length'),
)

testBoth(
  'a large body with a length, in several pieces',
  (reply) => {
    reply.writeHead(200, ['content-length', String(LARGE.length)])
    reply.write(LARGE.subarray(0, 10_000))
    reply.write(LARGE.subarray(10_000, 110_000))
    reply.write(LARGE.subarray(110_000, 120_000))
    setTimeout(() => {
      reply.write(LARGE.subarray(120_000, 120_001))
      reply.end(LARGE.subarray(120_001))
    }, 5)
  },
  (t, client) => expectBody(t, client, LARGE, 'length'),
)

testBoth(
  'a large body without a length',
  (reply) => {
    reply.writeHead(200, [])
    reply.write(LARGE.subarray(0, 100_000))
    reply.end(LARGE.subarray(100_000))
  },
  (t, client) => expectBody(t, client, LARGE, 'chunked'),
)

t.test('replies of clients that do not read yet keep apart', async (t) => {
  const { port } = await startListener(t, (request, reply) => {
    readBody(request, (letter) => {
      reply.writeHead(200, [])
      // Until the kernel takes no more.
      do reply.write(letter.repeat(17_000))
      while (reply.writableLength === 0)
      setTimeout(() => reply.end(letter), 100)
    })
  })
  const letters = ['a', 'b', 'c', 'd']
  const wires = await Promise.all(letters.map(() => Wire.connect(t, port)))
  for (const [at, wire] of wires.entries()) {
    wire.socket.pause()
    wire.write(post(letters[at] ?? ''))
  }
  await sleep(200)
  for (const wire of wires) wire.socket.resume()
  for (const [at, wire] of wires.entries()) {
    const { body } = await wire.reply()
    const letter = letters[at]?.charCodeAt(0)
    const isOwn = body.every((byte) => byte === letter)
    t.ok(isOwn, `${body.length} bytes are all its own`)
  }
})

const TEXT = 'ä€𝄞 日本 \u2028'

testBoth(
  'text beyond ASCII is UTF-8, and counts in bytes',
  (reply) => {
    reply.writeHead(200, [])
    reply.write(TEXT)
    reply.end(TEXT)
  },
  (t, client) => expectBody(t, client, TEXT + TEXT, 'chunked'),
)

testBoth(
  'text beyond ASCII with a length',
  (reply) => sendText(reply, 200, TEXT, 'plain'),
  (t, client) => expectBody(t, client, TEXT, 'length'),
)

const UNSENDABLE_VALUES = ['a\r\nX-Injected: 1', 'a\nb', 'a\rb', 'a\0b', 'a\x7fb', '日本']
const UNSENDABLE_NAMES = ['x-evil: 1\r\nX-Injected', 'x evil', 'x-evil:', 'é', '']

for (const [what, headers] of [
  ['value', UNSENDABLE_VALUES.map((value) => ['x-evil', value])],
  ['name', UNSENDABLE_NAMES.map((name) => [name, 'a'])],
] as const) {
  testBoth(
    `a header whose ${what} cannot be sent throws a TypeError, and nothing has been sent`,
    (reply, body) => {
      try {
        reply.writeHead(200, ['x-good', '1', ...(headers[Number(body)] ?? [])])
        reply.end('sent all the same')
      } catch (error) {
        reply.writeHead(500, ['content-length', '2'])
        reply.end(error instanceof TypeError ? 'no' : 'NO')
      }
    },
    async (t, { wire, request }) => {
      for (const [at, header] of headers.entries()) {
        wire.write(request(String(at)))
        const reply = await wire.reply()
        t.equal(`${reply.status} ${reply.body.toString()}`, '500 no', JSON.stringify(header))
        t.equal(reply.headers['x-good'], undefined)
      }
    },
  )
}

t.test('Latin-1 in the value of a header is sent as it is', async (t) => {
  const { port } = await startListener(t, (_request, reply) => {
    reply.writeHead(200, ['x-latin', 'caf\xe9\xff\t!'])
    reply.end('日本')
  })
  const wire = await Wire.connect(t, port)
  wire.write(post(''))
  const { headers, body } = await wire.reply()
  t.equal(headers['x-latin'], 'caf\xe9\xff\t!')
  t.equal(body.toString(), '日本')
})

testBoth(
  'a reply that says Connection: close is the last, and says so once',
  (reply, body) => {
    reply.writeHead(200, ['content-length', String(body.length), 'connection', 'close'])
    reply.end(body)
  },
  async (t, { wire, request }) => {
    wire.write(request('last'))
    const { headers, body } = await wire.reply()
    t.equal(body.toString(), 'last')
    t.equal(headers['connection'], 'close')
    t.equal(headers['keep-alive'], undefined)
    await wire.closed()
    t.equal(wire.rest, '')
  },
)

testBoth(
  'a reply that is ended twice is ended once',
  (reply, body) => {
    reply.writeHead(200, [])
    reply.end(body)
    reply.end()
  },
  async (t, { wire, request }) => {
    wire.write(request('one'))
    t.equal((await wire.reply()).body.toString(), 'one')
    await sleep(10)
    t.equal(wire.rest, '')
  },
)
