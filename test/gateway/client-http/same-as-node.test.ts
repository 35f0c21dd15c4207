import { deepStrictEqual } from 'node:assert/strict'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { SEED } from '../../formats/pairs/mutate.ts'
import {
  type Extra,
  get,
  type Handler,
  post,
  postChunked,
  readBody,
  sendText,
  startListener,
  startNode,
  Wire,
} from './wire.ts'

/** Echoes in different ways and times, as the path says. */
const anyEcho: Handler = (request, reply, by) => {
  const { method, url = '', headers } = request
  const answer = (body: string): void => {
    const text = JSON.stringify({ method, url, headers, body })
    if (!url.includes('stream')) {
      sendText(reply, 200, text, by)
      return
    }
    reply.writeHead(200, ['x-served-by', by])
    reply.write(text.slice(0, 10))
    setImmediate(() => reply.end(text.slice(10)))
  }
  if (url.includes('early')) {
    request.removeAllListeners('data')
    sendText(reply, 413, 'too large', by)
  } else readBody(request, (body) => (url.includes('slow') ? setTimeout(answer, 2, body) : answer(body)))
}

/** Stands for a body of more than one read, so that a report of a failure stays short. */
const LARGE = '<large>'

interface Request {
  readonly form: keyof typeof FORMS
  readonly path: string
  readonly headers: string
  readonly body: string
}

const FORMS = {
  plain: post,
  chunked: postChunked,
  put: (body: string, extra: Extra): string => post(body, extra).replace('POST', 'PUT'),
  /** Behind an empty line, which Node forgives. */
  late: (body: string, extra: Extra): string => `\r\n${post(body, extra)}`,
  get: (_body: string, { path = '' }: Extra): string => get(path),
  delete: (_body: string, { path = '' }: Extra): string => get(path).replace('GET', 'DELETE'),
}

const anyPath = fc.constantFrom(
  ...['/v1/echo', '/v1/slow', '/v1/stream', '/v1/slow-stream', '/v1/early', '/v1/echo?a=b%2f/../'],
)
const anyBody = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 60 }) },
  { weight: 3, arbitrary: fc.constant(post('not a request')) },
  { weight: 1, arbitrary: fc.constant(LARGE) },
)
const plainRequest: fc.Arbitrary<Request> = fc.record({
  form: fc.constant('plain'),
  path: anyPath,
  headers: fc.constantFrom('', 'Connection: Keep-Alive\r\n', 'x-api-key:k\r\nAccept: */*\r\n', 'Cookie: a=b\r\n'),
  body: anyBody,
})
const anyRequest: fc.Arbitrary<Request> = fc.record({
  form: fc.constantFrom('plain', 'chunked', 'put', 'late', 'get', 'delete'),
  path: anyPath,
  headers: fc.constantFrom(
    ...['', '', 'X-A: 1\r\nX-A: 2\r\n', 'Expect: 100-continue\r\n', 'X-Latin: \xe9\r\n'],
    ...['Set-Cookie: a=b\r\n', 'TE: trailers\r\n'],
  ),
  body: anyBody,
})

interface Cut {
  /** Which of all requests, modulo their number. */
  readonly request: number
  readonly where: 'head' | 'body'
  /** How far in that part of it, modulo its length. */
  readonly at: number
  readonly pause: 'none' | 'turn' | 'millisecond'
}

const anyCut: fc.Arbitrary<Cut> = fc.record({
  request: fc.nat(5),
  where: fc.constantFrom('head', 'body', 'body'),
  // Often the first byte, so that the request before stands alone.
  at: fc.oneof(fc.constant(0), fc.nat()),
  pause: fc.constantFrom('none', 'turn', 'millisecond'),
})

interface Case {
  readonly requests: readonly Request[]
  readonly cuts: readonly Cut[]
}

const anyCase: fc.Arbitrary<Case> = fc.record({
  requests: fc
    .tuple(fc.array(plainRequest, { maxLength: 4 }), fc.array(anyRequest, { maxLength: 2 }))
    .map((parts) => parts.flat())
    .filter((requests) => requests.length > 0),
  cuts: fc.array(anyCut, { maxLength: 6 }),
})

function textOf({ form, path, headers, body }: Request): string {
  return FORMS[form](body === LARGE ? post('not a request').repeat(2_000) : body, { path, headers })
}

interface Piece {
  readonly bytes: string
  readonly pause: Cut['pause']
}

/** All requests in one text, cut. */
function piecesOf({ requests, cuts }: Case): Piece[] {
  const texts = requests.map(textOf)
  const whole = texts.join('')
  const pauses = new Map<number, Cut['pause']>([[whole.length, 'none']])
  for (const { request, where, at, pause } of cuts) {
    const index = request % texts.length
    const text = texts[index] ?? ''
    const before = texts.slice(0, index).join('').length
    const headBytes = text.indexOf('\r\n\r\n', 1) + 4
    const place = where === 'head' ? at % headBytes : headBytes + (at % (text.length - headBytes + 1))
    pauses.set(before + place, pause)
  }
  let from = 0
  return [...pauses]
    .sort(([a], [b]) => a - b)
    .map(([to, pause]) => {
      const bytes = whole.slice(from, to)
      from = to
      return { bytes, pause }
    })
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends the requests in pieces and gives the replies, without those of status 100. */
async function converse(t: Test, port: number, it: Case): Promise<Answer[]> {
  const wire = await Wire.connect(t, port)
  wire.socket.setNoDelay(true)
  for (const { bytes, pause } of piecesOf(it)) {
    wire.write(bytes)
    if (pause === 'turn') await turn()
    if (pause === 'millisecond') await sleep(1)
  }
  const answers: Answer[] = []
  while (answers.length < it.requests.length) {
    const { status, headers, body } = await wire.reply()
    // When a 100 comes depends on the timing.
    if (status === 100) continue
    const { date, 'x-served-by': by, ...others } = headers
    answers.push({ status, headers: others, body: body.toString() })
  }
  deepStrictEqual(wire.rest.replaceAll('HTTP/1.1 100 Continue\r\n\r\n', ''), '')
  wire.socket.destroy()
  return answers
}

const RUNS = 500

t.test('property: any requests, cut anywhere, are answered as Node alone answers them', async (t) => {
  const served = { plain: 0, node: 0 }
  const { port } = await startListener(t, (request, reply, by) => {
    served[by] += 1
    anyEcho(request, reply, by)
  })
  const nodePort = await startNode(t, (request, reply) => anyEcho(request, reply, 'node'))
  await fc.assert(
    fc.asyncProperty(anyCase, async (it) => {
      deepStrictEqual(await converse(t, port, it), await converse(t, nodePort, it))
    }),
    { seed: SEED, numRuns: RUNS },
  )
  t.ok(served.plain > RUNS / 2 && served.node > RUNS / 2, `${served.plain} plain, ${served.node} by Node`)
})
