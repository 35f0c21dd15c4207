import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type PlainHead, readPlainHead } from '#gateway/client-http/plain-head.ts'
import { SEED } from '../../formats/pairs/mutate.ts'
import { anyHead, head } from './any-head.ts'
import { isNext, NEXT, NEXT_SEEN, NodeReader } from './node-reader.ts'

const HOST = 'Host: 127.0.0.1:1337'
const LENGTH = 'Content-Length: 5'

function target(url: string): string {
  return head([HOST, LENGTH], `POST ${url} HTTP/1.1`)
}

function read(text: string): PlainHead | undefined {
  return readPlainHead(Buffer.from(text, 'latin1'))
}

const ACCEPTED: Readonly<Record<string, string>> = {
  curl: head([
    'Host: localhost:1337',
    'User-Agent: curl/8.14.1',
    'Accept: */*',
    'Content-Type: application/json',
    'Authorization: Bearer kp-test',
    LENGTH,
  ]),
  'the OpenAI SDK of Python': head([
    'Host: 127.0.0.1:1337',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Connection: keep-alive',
    'Accept: application/json',
    'Content-Type: application/json',
    'User-Agent: OpenAI/Python 1.99.9',
    'X-Stainless-Lang: python',
    'X-Stainless-Runtime-Version: 3.13.5',
    'x-stainless-read-timeout: 600',
    'Authorization: Bearer sk-test',
    LENGTH,
  ]),
  'the OpenAI SDK of Node': head([
    'host: 127.0.0.1:1337',
    'connection: keep-alive',
    'accept: application/json',
    'content-type: application/json',
    'user-agent: OpenAI/JS 6.49.0',
    'x-stainless-retry-count: 0',
    'x-stainless-os: Linux',
    'authorization: Bearer sk-test',
    'accept-language: *',
    'sec-fetch-mode: cors',
    'accept-encoding: gzip, deflate',
    'content-length: 5',
  ]),
  'an Anthropic SDK': head(
    [
      'host: localhost',
      'Connection: Keep-Alive',
      'content-type: application/json',
      'anthropic-version: 2023-06-01',
      'anthropic-beta: fine-grained-tool-streaming-2025-05-14,interleaved-thinking-2025-05-14',
      'x-api-key: sk-ant-test',
      'x-app: cli',
      'user-agent: claude-cli/2.0.14 (external, cli)',
      LENGTH,
    ],
    'POST /v1/messages?beta=true HTTP/1.1',
  ),
  'Gemini, with its method in the path': head(
    [HOST, 'x-goog-api-key: AIza', LENGTH],
    'POST /v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse&key=a%2Fb HTTP/1.1',
  ),
  'no blank, blanks and tabs around a value': head([`Host:a`, 'A:b', 'C: \t d \t ', 'E:', 'Content-Length:5 ']),
  'every character a name may have': head([HOST, "!#$%&'*+-.^_`|~09azAZ: 1", LENGTH]),
  'every character a value may have': head([
    HOST,
    `X: ${Array.from({ length: 95 }, (_, at) => String.fromCharCode(at + 32)).join('')}x`,
    LENGTH,
  ]),
  'a Host of IPv6': head(['Host: [::1]:1337', LENGTH]),
  'a length with zeros in front': head([HOST, 'Content-Length: 0005']),
}

for (const [name, text] of Object.entries(ACCEPTED)) {
  t.test(`accepted, and read as Node reads it: ${name}`, async (t) => {
    const node = await NodeReader.start(t)
    const plain = read(`${text}HELLOPOST`)
    t.equal(plain?.bodyBytes, 5)
    t.equal(plain?.end, text.length)
    t.strictSame(await node.read(`${text}HELLO${NEXT}`, isNext), [
      { method: 'POST', url: plain?.url, headers: plain?.headers, body: 'HELLO' },
      NEXT_SEEN,
    ])
  })
}

const LEFT_TO_NODE: Readonly<Record<string, string>> = {
  'a chunked body': head([HOST, 'Transfer-Encoding: chunked']),
  'a chunked body and a length': head([HOST, 'Transfer-Encoding: chunked', LENGTH]),
  'Expect: 100-continue': head([HOST, LENGTH, 'Expect: 100-continue']),
  'Connection: close': head([HOST, LENGTH, 'Connection: close']),
  'a list in Connection': head([HOST, LENGTH, 'Connection: keep-alive, x-api-key']),
  'an empty Connection': head([HOST, LENGTH, 'Connection:']),
  'an upgrade': head([HOST, LENGTH, 'Upgrade: h2c']),
  'an upgrade that Connection names': head([HOST, LENGTH, 'Connection: Upgrade', 'Upgrade: websocket']),
  'HTTP2-Settings': head([HOST, LENGTH, 'HTTP2-Settings: AAMAAABkAAQAAP__']),
  'a trailer': head([HOST, LENGTH, 'Trailer: X']),
  TE: head([HOST, LENGTH, 'TE: trailers']),
  'Proxy-Connection': head([HOST, LENGTH, 'Proxy-Connection: close']),
  'a name twice': head([HOST, 'X-Api-Key: a', LENGTH, 'X-Api-Key: a']),
  'a name twice in other letters': head([HOST, 'X-Api-Key: a', LENGTH, 'x-api-KEY: b']),
  'an empty value and the name once more': head([HOST, 'X:', 'X: a', LENGTH]),
  'two Hosts': head([HOST, HOST, LENGTH]),
  'two lengths': head([HOST, LENGTH, LENGTH]),
  'no Host': head([LENGTH]),
  'an empty Host': head(['Host:', LENGTH]),
  'a Host with a path': head(['Host: a/b', LENGTH]),
  'a Host with credentials': head(['Host: a@b', LENGTH]),
  'no length': head([HOST]),
  'no header': head([]),
  'an empty length': head([HOST, 'Content-Length:']),
  'a signed length': head([HOST, 'Content-Length: +5']),
  'a negative length': head([HOST, 'Content-Length: -5']),
  'a hexadecimal length': head([HOST, 'Content-Length: 0x5']),
  'a list of lengths': head([HOST, 'Content-Length: 5, 5']),
  'a length with a blank inside': head([HOST, 'Content-Length: 5 5']),
  'a length with a fraction': head([HOST, 'Content-Length: 5.0']),
  'a length with a tab behind, which Node refuses': head([HOST, 'Content-Length: 5\t']),
  'a length beyond all': head([HOST, 'Content-Length: 99999999999999999999']),
  'a list that Node keeps as one: Set-Cookie': head([HOST, 'Set-Cookie: a=b', LENGTH]),
  'a folded line': head([HOST, 'X: a', ' b', LENGTH]),
  'a line folded by a tab': head([HOST, 'X: a', '\tb', LENGTH]),
  'a bare LF in a value': head([HOST, 'X: a\nTransfer-Encoding: chunked', LENGTH]),
  'a bare CR in a value': head([HOST, 'X: a\rb', LENGTH]),
  'bare LFs all over': head([HOST, LENGTH]).replaceAll('\r\n', '\n'),
  'a bare LF behind the request line': head([HOST, LENGTH]).replace('\r\n', '\n'),
  'a blank before a colon': head([HOST, 'Content-Length : 5']),
  'a blank before a name': head([HOST, ' X: a', LENGTH]),
  'a line without a colon': head([HOST, 'X', LENGTH]),
  'a line without a name': head([HOST, ': a', LENGTH]),
  'a NUL in a name': head([HOST, 'X\0: a', LENGTH]),
  'a NUL in a value': head([HOST, 'X: a\0b', LENGTH]),
  'a control character': head([HOST, 'X: a\x01b', LENGTH]),
  DEL: head([HOST, 'X: a\x7fb', LENGTH]),
  'Latin-1 in a value': head([HOST, 'X: caf\xe9', LENGTH]),
  'Latin-1 in a name': head([HOST, 'caf\xe9: 1', LENGTH]),
  'Latin-1 in the target': target('/v1/caf\xe9'),
  'a method in small letters': head([HOST, LENGTH], 'post /v1/messages HTTP/1.1'),
  GET: head([HOST], 'GET /v1/models HTTP/1.1'),
  PUT: head([HOST, LENGTH], 'PUT /v1/messages HTTP/1.1'),
  'a longer method': head([HOST, LENGTH], 'POSTS /v1/messages HTTP/1.1'),
  'HTTP/1.0': head([HOST, LENGTH], 'POST /v1/messages HTTP/1.0'),
  'HTTP/1.11': head([HOST, LENGTH], 'POST /v1/messages HTTP/1.11'),
  'HTTP/2.0': head([HOST, LENGTH], 'POST /v1/messages HTTP/2.0'),
  'no version': head([HOST, LENGTH], 'POST /v1/messages'),
  'two blanks before the target': head([HOST, LENGTH], 'POST  /v1/messages HTTP/1.1'),
  'two blanks behind the target': head([HOST, LENGTH], 'POST /v1/messages  HTTP/1.1'),
  'an absolute target': target('http://127.0.0.1/v1/messages'),
  'a target without a slash': target('v1/messages'),
  'the target *': target('*'),
  'the target /': target('/'),
  'two slashes in front': target('//v1/messages'),
  'two slashes inside': target('/v1//messages'),
  'a slash at the end': target('/v1/messages/'),
  'a dot segment': target('/v1/./messages'),
  'a segment of two dots': target('/v1/../messages'),
  'dots at the end': target('/v1/..'),
  'an escape': target('/v1/%6dessages'),
  'an escaped slash': target('/v1%2fmessages'),
  'a backslash': target('/v1\\messages'),
  'a fragment': target('/v1/messages#a'),
  'a fragment behind a query': target('/v1/messages?a#b'),
  'an empty line in front': `\r\n${head([HOST, LENGTH])}`,
  '__proto__ as a name': head([HOST, '__proto__: evil', LENGTH]),
  'nothing at all': '',
}

t.test('all but the plainest form is left to Node', (t) => {
  for (const [name, text] of Object.entries(LEFT_TO_NODE)) t.equal(read(`${text}HELLO`), undefined, name)
  t.equal(Object.getPrototypeOf({}), Object.prototype)
  t.equal(Reflect.get({}, 'evil'), undefined, 'nothing has been polluted')
  t.end()
})

t.test('a head that is not whole is left to Node, wherever it is cut', (t) => {
  const text = ACCEPTED['curl'] ?? ''
  for (let end = 0; end < text.length; end += 1) {
    if (read(text.slice(0, end)) !== undefined) t.fail(`cut after ${end} bytes`)
  }
  t.not(read(text), undefined)
  t.end()
})

/** A body that would be a request if it were read as one. */
function bodyOf(bytes: number): string {
  return 'POST /inner HTTP/1.1\r\nHost: inner\r\nContent-Length: 0\r\n\r\n'.repeat(bytes / 50 + 1).slice(0, bytes)
}

/** Heads that promise more are compared without their bodies. */
const MAX_BODY_BYTES = 100_000
const RUNS = 12_000

t.test('property: what is accepted, Node reads as the same request with the same end', async (t) => {
  const node = await NodeReader.start(t)
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(anyHead, async (text) => {
      const plain = read(text + bodyOf(200) + NEXT)
      if (plain === undefined) return
      accepted += 1
      const { url, headers, bodyBytes, end } = plain
      const own = { method: 'POST', url, headers }
      const headText = (text + bodyOf(200) + NEXT).slice(0, end)
      if (bodyBytes > MAX_BODY_BYTES) {
        const [first] = await node.read(`${headText}${NEXT}`, (seen) => seen.length > 0)
        deepStrictEqual({ ...first, body: undefined }, { ...own, body: undefined })
        return
      }
      const body = bodyOf(bodyBytes)
      deepStrictEqual(await node.read(headText + body + NEXT, isNext), [{ ...own, body }, NEXT_SEEN])
    }),
    { seed: SEED, numRuns: RUNS },
  )
  t.ok(accepted > RUNS / 4, `${accepted} of ${RUNS} heads were accepted`)
})
