import t from 'tap'
import { inBytes, type Reading, readReply } from './read-reply.ts'

interface Refused extends Reading {
  readonly reply: string
  readonly because: string
  /** What the taker had of it before; nothing, where the head is at fault. */
  readonly body?: string
}

const STATUS_LINE = 'its status line is none'
const HEADER_LINE = 'one of its header lines is none'
const NO_LENGTH = 'its Content-Length is no length'
const NO_CHUNKS = 'its Transfer-Encoding is not chunked'
const NO_HTTP = 'it does not begin with HTTP/1'
const ENDLESS_LINE = 'a line between chunks has no end'
const NO_LINE = 'an extension or a trailer is none'
const NO_SIZE = 'the size of a chunk is none'
const NO_CHUNK_END = 'a chunk does not end where its size says'

function line(text: string): Refused {
  return { reply: `${text}\r\ncontent-length: 0\r\n\r\n`, because: STATUS_LINE }
}

function start(text: string): Refused {
  return { reply: `${text}\r\ncontent-length: 0\r\n\r\n`, because: NO_HTTP }
}

function headers(text: string, because = HEADER_LINE): Refused {
  return { reply: `HTTP/1.1 200 OK\r\n${text}\r\n\r\nhello`, because }
}

function chunked(text: string, because: string, body = ''): Refused {
  return { reply: `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${text}`, because, body }
}

const REFUSED: Readonly<Record<string, Refused>> = {
  'HTTP/2 in the open': { reply: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', because: NO_HTTP },
  'HTTP/0.9': { reply: '<html>\r\n\r\n', because: NO_HTTP },
  'an alert of TLS': { reply: '\x15\x03\x01\x00\x02\x02\x0a', because: NO_HTTP },
  'a greeting of SSH': { reply: 'SSH-2.0-OpenSSH_9.9\r\n', because: NO_HTTP },
  'an empty line first': start('\r\nHTTP/1.1 200 OK'),
  'a blank first': start(' HTTP/1.1 200 OK'),
  'small letters': start('http/1.1 200 OK'),
  'version 2.0': start('HTTP/2.0 200 OK'),
  'version 1.2': line('HTTP/1.2 200 OK'),
  'version 1.10': line('HTTP/1.10 200 OK'),
  'two blanks before the status': line('HTTP/1.1  200 OK'),
  'a tab before the status': line('HTTP/1.1\t200 OK'),
  'a tab behind the status': line('HTTP/1.1 200\tOK'),
  'a status of two digits': line('HTTP/1.1 20 OK'),
  'a status of four digits': line('HTTP/1.1 2000 OK'),
  'a status below 100': line('HTTP/1.1 099 x'),
  'a status with a sign': line('HTTP/1.1 +20 OK'),
  'no status': line('HTTP/1.1'),
  'a NUL in the reason': line('HTTP/1.1 200 O\0K'),
  'a bare CR in the status line': line('HTTP/1.1 200 O\rK'),
  'a status line that ends with LF alone': {
    reply: 'HTTP/1.1 200 OK\ncontent-length: 0\r\n\r\n',
    because: 'its status line ends with LF alone',
  },
  'a header without a colon': headers('a'),
  'a header without a name': headers(': a'),
  'a blank before the colon': headers('content-length : 5'),
  'a tab before the colon': headers('content-length\t: 5'),
  'a blank before the first name': headers(' a: b'),
  'a folded line': headers('a: b\r\n c'),
  'a line folded with a tab': headers('a: b\r\n\tc: d'),
  'a NUL in a name': headers('a\0: b'),
  'a NUL in a value': headers('a: b\0c'),
  'a DEL in a value': headers('a: b\x7f'),
  'a bell in a value': headers('a: b\x07'),
  'a bare CR in a value': headers('a: b\rcontent-length: 5'),
  'a CR before the end of a line': headers('a: b\r\r\ncontent-length: 5'),
  'a bare LF in a value': headers('a: b\ncontent-length: 5'),
  'a name in Latin-1': headers('\xe9: a'),
  'a name in brackets': headers('(a): b'),
  'a length and chunks': headers('content-length: 5\r\ntransfer-encoding: chunked', 'it has a length and is chunked'),
  'two lengths': headers('content-length: 5\r\ncontent-length: 6', NO_LENGTH),
  'one length twice': headers('content-length: 5\r\nContent-Length: 5', NO_LENGTH),
  'a list of lengths': headers('content-length: 5, 5', NO_LENGTH),
  'no length': headers('content-length:', NO_LENGTH),
  'a length below 0': headers('content-length: -5', NO_LENGTH),
  'a length with a plus': headers('content-length: +5', NO_LENGTH),
  'a length in hex': headers('content-length: 0x5', NO_LENGTH),
  'a length with a blank in it': headers('content-length: 5 0', NO_LENGTH),
  'a length with a fraction': headers('content-length: 5.0', NO_LENGTH),
  'a length with an exponent': headers('content-length: 5e0', NO_LENGTH),
  'a length with a blank of Unicode': headers('content-length: 5\xa0', NO_LENGTH),
  'a length beyond 2^53': headers('content-length: 9007199254740993', NO_LENGTH),
  'a length of 2^64 and 5': headers('content-length: 18446744073709551621', NO_LENGTH),
  'two lengths where there is no body': {
    reply: 'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n',
    because: NO_LENGTH,
  },
  'gzip as a transfer coding': headers('transfer-encoding: gzip', NO_CHUNKS),
  'gzip before chunks': headers('transfer-encoding: gzip, chunked', NO_CHUNKS),
  'chunks, and identity after': headers('transfer-encoding: chunked\r\ntransfer-encoding: identity', NO_CHUNKS),
  'chunks twice': headers('transfer-encoding: chunked\r\nTransfer-Encoding: chunked', NO_CHUNKS),
  'no coding': headers('transfer-encoding:', NO_CHUNKS),
  'chunks with a blank of Unicode': headers('transfer-encoding: chunked\xa0', NO_CHUNKS),
  'chunks with a vertical tab': headers('transfer-encoding: \x0bchunked'),
  'another protocol': { reply: 'HTTP/1.1 101 Switching\r\n\r\n', because: 'it changes to another protocol' },
  '33 announcements': {
    reply: 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(33),
    because: 'it is announced without end',
  },
  'an announcement that is no reply': { reply: 'HTTP/1.1 100 Continue\r\n\r\n{}', because: NO_HTTP },
  'a head of 65537 bytes': headers(
    `a: ${'x'.repeat(65_537 - 'HTTP/1.1 200 OK\r\na: '.length)}`,
    'its head is larger than 65536 bytes',
  ),
  'a head without end': {
    reply: `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(11_000)}`,
    because: 'its head is larger than 65536 bytes',
  },
  'a status line without end': {
    reply: `HTTP/1.1 200 ${'x'.repeat(66_000)}`,
    because: 'its head is larger than 65536 bytes',
  },
  'no chunk size': chunked('\r\nhello', 'a chunk has no size'),
  'an extension without a chunk size': chunked(';a\r\nhello', 'a chunk has no size'),
  'a chunk size with a plus': chunked('+5\r\nhello', 'a chunk has no size'),
  'a chunk size below 0': chunked('-5\r\nhello', 'a chunk has no size'),
  'a chunk size with 0x': chunked('0x5\r\nhello', NO_SIZE),
  'a blank before a chunk size': chunked(' 5\r\nhello', 'a chunk has no size'),
  'a blank behind a chunk size': chunked('5 \r\nhello', NO_SIZE),
  'a blank before an extension': chunked('5 ;a\r\nhello', NO_SIZE),
  'a chunk size that ends with LF alone': chunked('5\nhello', NO_SIZE),
  'a chunk size with a bare CR': chunked('5\rhello', NO_CHUNK_END),
  'a chunk size beyond 2^48': chunked('1000000000000\r\nhello', 'a chunk is too large'),
  'a chunk size beyond 2^64': chunked('10000000000000005\r\nhello', 'a chunk is too large'),
  'a chunk size of thirteen zeros': chunked('0000000000000\r\n\r\n', 'a chunk is too large'),
  'a size that is no number': chunked('g\r\n', 'a chunk has no size'),
  'a chunk that is longer': chunked('4\r\nhello\r\n0\r\n\r\n', NO_CHUNK_END, 'hell'),
  'a chunk that is shorter': chunked('6\r\nhello\r\n0\r\n\r\n', NO_CHUNK_END, 'hello\r'),
  'a chunk that ends with LF alone': chunked('5\r\nhello\n0\r\n\r\n', NO_CHUNK_END, 'hello'),
  'a chunk that ends with CR alone': chunked('5\r\nhello\r0\r\n\r\n', NO_CHUNK_END, 'hello'),
  'an extension that ends with LF alone': chunked('5;a\nhello', 'a line ends with LF alone'),
  'an extension without a name': chunked('5;\r\nhello', NO_LINE),
  'an extension between two semicolons': chunked('5;;a\r\nhello', NO_LINE),
  'an extension without its value': chunked('5;a=\r\nhello', NO_LINE),
  'an extension whose quotation has no end': chunked('5;a="b\r\nhello', NO_LINE),
  'a NUL in an extension': chunked('5;a\0\r\nhello', NO_LINE),
  'a trailer without a colon': chunked('5\r\nhello\r\n0\r\na\r\n\r\n', NO_LINE, 'hello'),
  'a trailer with a blank before its colon': chunked('0\r\na : b\r\n\r\n', NO_LINE),
  'a folded trailer': chunked('0\r\na: b\r\n c: d\r\n\r\n', NO_LINE),
  'a NUL in a trailer': chunked('0\r\na: \0\r\n\r\n', NO_LINE),
  'another reply where trailers are': chunked('0\r\nHTTP/1.1 200 OK\r\n\r\n', NO_LINE),
  'a bare CR in an extension': chunked('5;a\rb\r\nhello', NO_CHUNK_END),
  'an extension without end': chunked(`5;${'a'.repeat(8_193)}`, ENDLESS_LINE),
  'a trailer that ends with LF alone': chunked('0\r\na: b\n\r\n', 'a line ends with LF alone'),
  'the last line with LF alone': chunked('0\r\n\n', 'a line ends with LF alone'),
  'a trailer without end': chunked(`0\r\na: ${'b'.repeat(8_190)}`, ENDLESS_LINE),
  'trailers without end': chunked(`0\r\n${'a: b\r\n'.repeat(13_108)}`, 'its trailers have no end'),
}

for (const [title, { reply, because, body = '', ...reading }] of Object.entries(REFUSED)) {
  t.test(`${title}: is refused`, async (t) => {
    t.match(readReply([reply], reading), { end: because, body })
    if (reply.length < 10_000) t.match(readReply(inBytes(reply), reading), { end: because, body }, 'byte by byte')
    t.equal(readReply([reply.slice(0, -1)], reading).end === 'whole', false, 'and not whole before')
  })
}
