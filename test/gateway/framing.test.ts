import t from 'tap'
import { openSocket, sendRaw } from '../helpers/raw-socket.ts'
import { accounts, startStack } from '../helpers/stack.ts'

const BODY = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}'
const PATH = '/v1/chat/completions'

interface Case {
  readonly name: string
  readonly request: string
}

function post(head: string, body = BODY, path = PATH): string {
  return `POST ${path} HTTP/1.1\r\n${head}\r\n${body}`
}

const HOST = 'Host: 127.0.0.1\r\n'
const JSON_TYPE = 'Content-Type: application/json\r\n'
const LENGTH = `Content-Length: ${BODY.length}\r\n`
const CHUNKED = 'Transfer-Encoding: chunked\r\n'
const CHUNKS = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`

/** What two readers could understand differently. None may be served. */
const REFUSED: readonly Case[] = [
  { name: 'a fragment', request: post(HOST + JSON_TYPE + LENGTH, BODY, `${PATH}#x`) },
  { name: 'an escaped letter', request: post(HOST + JSON_TYPE + LENGTH, BODY, '/v1/ch%61t/completions') },
  { name: 'Content-Length and chunked together', request: post(HOST + JSON_TYPE + LENGTH + CHUNKED, CHUNKS) },
  { name: 'chunked, then Content-Length', request: post(HOST + JSON_TYPE + CHUNKED + LENGTH, CHUNKS) },
  { name: 'two different Content-Lengths', request: post(`${HOST}${JSON_TYPE}${LENGTH}Content-Length: 3\r\n`) },
  { name: 'two equal Content-Lengths', request: post(HOST + JSON_TYPE + LENGTH + LENGTH) },
  { name: 'a list of Content-Lengths', request: post(`${HOST}Content-Length: 5, 5\r\n`) },
  { name: 'Content-Length with a sign', request: post(`${HOST}Content-Length: +${BODY.length}\r\n`) },
  { name: 'a negative Content-Length', request: post(`${HOST}Content-Length: -1\r\n`) },
  { name: 'a hexadecimal Content-Length', request: post(`${HOST}Content-Length: 0x43\r\n`) },
  { name: 'a Content-Length with a blank inside', request: post(`${HOST}Content-Length: 6 7\r\n`) },
  { name: 'an empty Content-Length', request: post(`${HOST}Content-Length: \r\n`) },
  { name: 'a Content-Length beyond 2^64', request: post(`${HOST}Content-Length: 99999999999999999999\r\n`) },
  { name: 'Transfer-Encoding: xchunked', request: post(`${HOST}Transfer-Encoding: xchunked\r\n`, CHUNKS) },
  { name: 'Transfer-Encoding: gzip', request: post(`${HOST}Transfer-Encoding: gzip\r\n`, CHUNKS) },
  {
    name: 'Transfer-Encoding: chunked, identity',
    request: post(`${HOST}Transfer-Encoding: chunked, identity\r\n`, CHUNKS),
  },
  { name: 'Transfer-Encoding with a vertical tab', request: post(`${HOST}Transfer-Encoding: \x0bchunked\r\n`, CHUNKS) },
  {
    name: 'a blank before the colon of Transfer-Encoding',
    request: post(`${HOST}Transfer-Encoding : chunked\r\n`, CHUNKS),
  },
  { name: 'a blank before the colon of Content-Length', request: post(`${HOST}Content-Length : 5\r\n`) },
  { name: 'an obsolete folded header', request: post(`${HOST}X-Fold: a\r\n b\r\n${LENGTH}`) },
  { name: 'a folded Transfer-Encoding', request: post(`${HOST}Transfer-Encoding:\r\n chunked\r\n`, CHUNKS) },
  { name: 'a line that begins with a blank', request: post(` ${HOST}${LENGTH}`) },
  { name: 'a bare CR in a value', request: post(`${HOST}X-Evil: a\rb\r\n${LENGTH}`) },
  {
    name: 'a bare LF before a header',
    request: `POST ${PATH} HTTP/1.1\r\n${HOST}X-Evil: a\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  },
  {
    name: 'bare LFs all over',
    request: `POST ${PATH} HTTP/1.1\n${HOST.replace('\r', '')}${LENGTH.replace('\r', '')}\n${BODY}`,
  },
  { name: 'a NUL in a value', request: post(`${HOST}X-Evil: a\0b\r\n${LENGTH}`) },
  { name: 'a NUL in a name', request: post(`${HOST}X-E\0vil: a\r\n${LENGTH}`) },
  { name: 'a control character in a value', request: post(`${HOST}X-Evil: a\x01b\r\n${LENGTH}`) },
  { name: 'a header without a colon', request: post(`${HOST}Evil\r\n${LENGTH}`) },
  { name: 'a header without a name', request: post(`${HOST}: evil\r\n${LENGTH}`) },
  { name: 'a chunk size with a sign', request: post(HOST + CHUNKED, `+${CHUNKS}`) },
  { name: 'a chunk size of 0x43', request: post(HOST + CHUNKED, `0x${CHUNKS}`) },
  { name: 'a chunk size of nothing', request: post(HOST + CHUNKED, `\r\n${BODY}\r\n0\r\n\r\n`) },
  { name: 'a chunk size beyond 2^64', request: post(HOST + CHUNKED, `fffffffffffffffff\r\n${BODY}\r\n0\r\n\r\n`) },
  { name: 'a chunk without its CRLF', request: post(HOST + CHUNKED, `3\r\nabcd\r\n0\r\n\r\n`) },
  { name: 'chunk lines that end in LF', request: post(HOST + CHUNKED, CHUNKS.replaceAll('\r\n', '\n')) },
  { name: 'two Host headers', request: post(`${HOST}Host: other\r\n${LENGTH}`) },
  { name: 'two equal Host headers', request: post(HOST + HOST + LENGTH) },
  { name: 'no Host', request: post(LENGTH) },
  { name: 'a Host with a path', request: post(`Host: 127.0.0.1/x?y=#\r\n${LENGTH}`) },
  { name: 'a Host with credentials', request: post(`Host: user@127.0.0.1\r\n${LENGTH}`) },
  { name: 'a Host with a blank', request: post(`Host: 127.0.0.1 evil\r\n${LENGTH}`) },
  { name: 'an absolute target', request: post(HOST + LENGTH, BODY, `http://127.0.0.1${PATH}`) },
  { name: 'an absolute target elsewhere', request: post(HOST + LENGTH, BODY, `http://169.254.169.254${PATH}`) },
  { name: 'a target without a slash', request: post(HOST + LENGTH, BODY, 'v1/chat/completions') },
  { name: 'the target *', request: `OPTIONS * HTTP/1.1\r\n${HOST}\r\n` },
  { name: 'CONNECT', request: `CONNECT 169.254.169.254:80 HTTP/1.1\r\n${HOST}\r\n` },
  { name: 'Transfer-Encoding with HTTP/1.0', request: `POST ${PATH} HTTP/1.0\r\n${HOST}${CHUNKED}\r\n${CHUNKS}` },
  { name: 'HTTP/2.0 in the request line', request: `POST ${PATH} HTTP/2.0\r\n${HOST}${LENGTH}\r\n${BODY}` },
  { name: 'HTTP/1.11', request: `POST ${PATH} HTTP/1.11\r\n${HOST}${LENGTH}\r\n${BODY}` },
  { name: 'the preface of HTTP/2', request: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  { name: 'a dot segment', request: post(HOST + LENGTH, BODY, '/v1/../v1/chat/completions') },
  { name: 'an escaped dot segment', request: post(HOST + LENGTH, BODY, '/v1/%2e%2e//_korproxy/status') },
  { name: 'an escaped slash', request: post(HOST + LENGTH, BODY, '/v1%2fchat/completions') },
  { name: 'a doubled slash', request: post(HOST + LENGTH, BODY, '//v1/chat/completions') },
  { name: 'a backslash', request: post(HOST + LENGTH, BODY, '/v1\\chat/completions') },
  { name: 'an escaped NUL', request: post(HOST + LENGTH, BODY, '/v1/chat%00/completions') },
  { name: 'a broken escape', request: post(HOST + LENGTH, BODY, '/v1/models/%E0%A4:generateContent') },
  { name: 'an escape that is none', request: post(HOST + LENGTH, BODY, '/v1/%zz') },
  { name: 'a blank in the target', request: post(HOST + LENGTH, BODY, '/v1/chat completions') },
  { name: 'headers of 70 KiB', request: post(`${HOST}X-Large: ${'x'.repeat(70 * 1024)}\r\n${LENGTH}`) },
  { name: '20,000 header lines', request: post(`${HOST}${'X-Many: 1\r\n'.repeat(20_000)}${LENGTH}`) },
  { name: 'garbage', request: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage\r\n\r\n' },
]

t.test('B8 B9 what two readers could understand differently is refused, and the next request is served', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  for (const { name, request } of REFUSED) {
    const reply = await sendRaw(stack.url, request)
    t.ok(reply.status === 0 ? reply.closed : reply.status >= 400 && reply.status < 500, `${name}: ${reply.status}`)
    if (reply.body !== '') t.equal(JSON.parse(reply.body).error.kp_code, 'KP-NET-310', `${name}: ${reply.body}`)
  }
  t.strictSame(
    stack.simulator.requests().map(({ path }) => path),
    [],
    'nothing reached a provider',
  )
  const good = await sendRaw(stack.url, post(HOST + JSON_TYPE + LENGTH))
  t.equal(good.status, 200)
  t.equal(stack.standalone.gateway.inFlight, 0)
})

/** Unusual, but with one meaning only. */
const SERVED: readonly Case[] = [
  { name: 'plain', request: post(HOST + JSON_TYPE + LENGTH) },
  { name: 'chunked', request: post(HOST + JSON_TYPE + CHUNKED, CHUNKS) },
  { name: 'chunked in capitals', request: post(`${HOST}Transfer-Encoding: CHUNKED\r\n`, CHUNKS) },
  { name: 'a chunk extension', request: post(HOST + CHUNKED, CHUNKS.replace('\r\n', ';name=value\r\n')) },
  {
    name: 'a trailer',
    request: post(HOST + CHUNKED, `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\nX-Trailer: 1\r\n\r\n`),
  },
  { name: 'a Host with a port', request: post(`Host: 127.0.0.1:1337\r\n${LENGTH}`) },
  { name: 'localhost', request: post(`Host: localhost\r\n${LENGTH}`) },
  { name: 'an IPv6 Host', request: post(`Host: [::1]:1337\r\n${LENGTH}`) },
  { name: '400 header lines', request: post(`${HOST}${'X-Many: 1\r\n'.repeat(400)}${LENGTH}`) },
  { name: 'HTTP/1.0 with a length', request: `POST ${PATH} HTTP/1.0\r\n${HOST}${LENGTH}\r\n${BODY}` },
  { name: 'Latin-1 in a header', request: post(`${HOST}X-Latin: caf\xe9\r\n${LENGTH}`) },
  {
    name: 'Upgrade: h2c',
    request: post(
      `${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n${LENGTH}`,
    ),
  },
  { name: 'Upgrade: websocket', request: post(`${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n${LENGTH}`) },
]

t.test('B8 what has one meaning is served', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  for (const { name, request } of SERVED) {
    const reply = await sendRaw(stack.url, request)
    t.equal(reply.status, 200, name)
  }
})

t.test('B10 the content type decides nothing: the body is checked whatever it says', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const types = [
    'application/json\ta',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'text/plain',
    'garbage',
    ';;;',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    '',
  ]
  for (const type of types) {
    const good = await sendRaw(stack.url, post(`${HOST}Content-Type: ${type}\r\n${LENGTH}`))
    t.equal(good.status, 200, `good body as ${type}`)
    const bad = '{"model":"a","model":"b"}'
    const refused = await sendRaw(
      stack.url,
      post(`${HOST}Content-Type: ${type}\r\nContent-Length: ${bad.length}\r\n`, bad),
    )
    t.equal(refused.status, 400, `bad body as ${type}`)
  }
  const none = await sendRaw(stack.url, post(HOST + LENGTH))
  t.equal(none.status, 200, 'no content type at all')
})

t.test('B13 hostile ids, names and models split no header and no log line', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const hostile = [
    'a\\r\\nX-Evil: 1',
    '\\u001b[31mred',
    'x\\u0000y',
    '\\u2028',
    '日本',
    '<script>',
    '"; DROP TABLE',
    '%0d%0aX-Evil: 1',
    '../../etc',
  ]
  for (const text of hostile) {
    const body = `{"model":"${text.replaceAll('"', '\\"')}","messages":[{"role":"user","content":"Hi"}]}`
    const bytes = Buffer.from(body)
    const head = `${HOST}X-Correlation-Id: ${text}\r\nX-KorProxy-Profile: default\r\nContent-Length: ${bytes.length}\r\n\r\n`
    const reply = await sendRaw(stack.url, Buffer.concat([Buffer.from(`POST ${PATH} HTTP/1.1\r\n${head}`), bytes]))
    t.equal(reply.headers['x-evil'], undefined, text)
    t.match(reply.headers['x-correlation-id'], /^[A-Za-z0-9._-]{1,128}$/, text)
    t.ok([200, 404].includes(reply.status), `${text}: ${reply.status}`)
  }
  const lines = stack
    .log()
    .split('\n')
    .filter((line) => line !== '')
  for (const line of lines) t.doesNotThrow(() => JSON.parse(line), line.slice(0, 200))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
  t.notMatch(stack.log(), /[\x00-\x09\x0b-\x1f]/)
  await stack.settled(hostile.length)
  t.equal(stack.accessLog().length, hostile.length, 'one line a request')
})

t.test('a model name of 64 KiB is refused at once', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const reply = await fetch(`${stack.url}${PATH}`, {
    method: 'POST',
    body: JSON.stringify({ model: 'x'.repeat(65_536), messages: [] }),
  })
  t.equal(reply.status, 400)
  t.equal(reply.headers.get('x-korproxy-error'), 'KP-SYS-516')
})

t.test('pipelined requests are answered in their order, each with its own reply', async (t) => {
  const stack = await startStack(t, accounts(['a']))
  const socket = await openSocket(stack.url)
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  for (const id of ['one', 'two', 'three']) {
    socket.write(post(`${HOST}X-Correlation-Id: ${id}\r\n${LENGTH}${id === 'three' ? 'Connection: close\r\n' : ''}`))
  }
  await new Promise((resolve) => socket.once('close', resolve))
  t.strictSame(
    [...text.matchAll(/x-correlation-id: (\w+)/gi)].map(([, id]) => id),
    ['one', 'two', 'three'],
  )
})
