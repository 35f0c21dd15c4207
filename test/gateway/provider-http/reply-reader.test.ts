import { deepStrictEqual } from 'node:assert/strict'
import t from 'tap'
import { cutAt, inBytes, type Read, type Reading, readReply } from './read-reply.ts'

interface Accepted extends Reading {
  readonly reply: string
  readonly is: Omit<Read, 'rest'>
}

const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
const chunkedHeaders = ['transfer-encoding: chunked']

function whole(status: number, headers: readonly string[] = [], body = ''): Accepted['is'] {
  return { status, headers, body, end: 'whole' }
}

function ok(lines: readonly string[], body = ''): string {
  return `${['HTTP/1.1 200 OK', ...lines].join('\r\n')}\r\n\r\n${body}`
}

const ACCEPTED: Readonly<Record<string, Accepted>> = {
  'a length': { reply: ok(['Content-Length: 5'], 'hello'), is: whole(200, ['content-length: 5'], 'hello') },
  'a length of 0': { reply: ok(['content-length:0']), is: whole(200, ['content-length: 0']) },
  'a length with zeros before it': {
    reply: ok(['content-length: 007'], '1234567'),
    is: whole(200, ['content-length: 007'], '1234567'),
  },
  'no reason': { reply: 'HTTP/1.1 429 \r\ncontent-length: 0\r\n\r\n', is: whole(429, ['content-length: 0']) },
  'no blank before no reason': {
    reply: 'HTTP/1.1 429\r\ncontent-length: 0\r\n\r\n',
    is: whole(429, ['content-length: 0']),
  },
  'a reason of any characters': {
    reply: 'HTTP/1.1 503 Erreur\tr\xe9seau: "1"\r\ncontent-length: 0\r\n\r\n',
    is: whole(503, ['content-length: 0']),
  },
  'a status of nobody': { reply: 'HTTP/1.1 999 x\r\ncontent-length: 0\r\n\r\n', is: whole(999, ['content-length: 0']) },
  chunks: {
    reply: `${CHUNKED}5\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n`,
    is: whole(200, chunkedHeaders, 'hello 0123456789'),
  },
  'chunks that look like framing': {
    reply: `${CHUNKED}7\r\n0\r\n\r\n\r\n\r\n2\r\n\r\n\r\n0\r\n\r\n`,
    is: whole(200, chunkedHeaders, '0\r\n\r\n\r\n\r\n'),
  },
  'chunk sizes in any case, with zeros before them': {
    reply: `${CHUNKED}00a\r\n0123456789\r\n0000000B\r\n0123456789a\r\n000\r\n\r\n`,
    is: whole(200, chunkedHeaders, '01234567890123456789a'),
  },
  'extensions of chunks': {
    reply: `${CHUNKED}5;a\r\nhello\r\n1;a=b;c="d;\\"e"\r\n!\r\n0;end\r\n\r\n`,
    is: whole(200, chunkedHeaders, 'hello!'),
  },
  trailers: { reply: `${CHUNKED}2\r\nhi\r\n0\r\nx-a: 1\r\nX-B:2\r\n\r\n`, is: whole(200, chunkedHeaders, 'hi') },
  'a coding in capitals': {
    reply: ok(['Transfer-Encoding: CHUNKED'], '1\r\na\r\n0\r\n\r\n'),
    is: whole(200, ['transfer-encoding: CHUNKED'], 'a'),
  },
  'a body until the end of the connection': {
    reply: ok(['content-type: text/plain'], 'hello'),
    closes: true,
    is: whole(200, ['content-type: text/plain'], 'hello'),
  },
  'no body until the end of the connection': { reply: ok([]), closes: true, is: whole(200) },
  'HTTP/1.0 with a length': {
    reply: 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi',
    is: whole(200, ['content-length: 2'], 'hi'),
  },
  'HTTP/1.0 without': { reply: 'HTTP/1.0 200 OK\r\n\r\nhi', closes: true, is: whole(200, [], 'hi') },
  'a reply that was announced': {
    reply: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok(['content-length: 2'], 'hi')}`,
    is: whole(200, ['content-length: 2'], 'hi'),
  },
  '32 announcements': {
    reply: 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(32) + ok(['content-length: 0']),
    is: whole(200, ['content-length: 0']),
  },
  'a 204, which has no body': { reply: 'HTTP/1.1 204 No Content\r\n\r\n', is: whole(204) },
  'a 304, whose length is of another reply': {
    reply: 'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n',
    is: whole(304, ['content-length: 5']),
  },
  'a reply to HEAD, whose length is of another reply': {
    reply: ok(['content-length: 5']),
    method: 'HEAD',
    is: whole(200, ['content-length: 5']),
  },
  'a reply to HEAD that would be chunked': { reply: CHUNKED, method: 'HEAD', is: whole(200, chunkedHeaders) },
  'a header again and again': {
    reply: ok(['set-cookie: a=1', 'content-length: 0', 'Set-Cookie: b=2', 'SET-COOKIE: c=3']),
    is: whole(200, ['set-cookie: [a=1, b=2, c=3]', 'content-length: 0']),
  },
  'names that every object has': {
    reply: ok(['__proto__: a', 'constructor: b', '__PROTO__: c', 'toString: d', 'content-length: 0']),
    is: whole(200, ['__proto__: [a, c]', 'constructor: b', 'tostring: d', 'content-length: 0']),
  },
  'every character a name may have': {
    reply: ok(["!#$%&'*+-.^_`|~09azAZ: 1", 'content-length: 0']),
    is: whole(200, ["!#$%&'*+-.^_`|~09azaz: 1", 'content-length: 0']),
  },
  'blanks around a value, and none': {
    reply: ok(['a: \t b \t c \t ', 'd:', 'e:\t', 'content-length:\t0 ']),
    is: whole(200, ['a: b \t c', 'd: ', 'e: ', 'content-length: 0']),
  },
  'values of Latin-1, whose last byte is no blank': {
    reply: ok(['a: \xe9\xff\x80', 'b: voil\xc3\xa0', 'c: \xa0', 'content-length: 0']),
    is: whole(200, ['a: \xe9\xff\x80', 'b: voil\xc3\xa0', 'c: \xa0', 'content-length: 0']),
  },
  'a head of 65536 bytes': {
    reply: ok([`a: ${'x'.repeat(65_536 - 'HTTP/1.1 200 OK\r\na: \r\ncontent-length: 0'.length)}`, 'content-length: 0']),
    is: whole(200, [`a: ${'x'.repeat(65_497)}`, 'content-length: 0']),
  },
}

for (const [title, { reply, is, ...reading }] of Object.entries(ACCEPTED)) {
  t.test(`${title}: is read, however it is cut`, async (t) => {
    t.strictSame(readReply([reply], reading), { ...is, rest: '' })
    // Of a head that is large, the cuts about its ends.
    const step = reply.length > 10_000 ? [...Array(100).keys()].map((at) => reply.length - 1 - at) : [...reply].keys()
    for (const at of step) deepStrictEqual(readReply(cutAt(reply, at), reading), { ...is, rest: '' }, `cut at ${at}`)
    if (reply.length < 10_000) t.strictSame(readReply(inBytes(reply), reading), { ...is, rest: '' })
  })

  if (reading.closes === true) continue
  t.test(`${title}: what follows is not of it, however it is cut`, async (t) => {
    const next = ok(['content-length: 4'], 'next')
    t.strictSame(readReply([reply + next], reading), { ...is, rest: next })
    if (reply.length > 10_000) return
    for (const at of (reply + next).split('').keys()) {
      deepStrictEqual(readReply(cutAt(reply + next, at), reading), { ...is, rest: next }, `cut at ${at}`)
    }
    t.strictSame(readReply(inBytes(reply + next), reading), { ...is, rest: next })
  })

  t.test(`${title}: the end of the connection is no end of it before its last byte`, async () => {
    for (const at of [0, 1, 9, 12, 16, reply.length - 4, reply.length - 2, reply.length - 1]) {
      const cut = readReply([reply.slice(0, at)], { ...reading, closes: true })
      deepStrictEqual(cut.end, 'lost', `cut at ${at}`)
    }
  })
}
