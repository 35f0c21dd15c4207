import fc from 'fast-check'
import { type Blow, blowWith, often, strike } from '../struck-message.ts'

const statusLine = fc
  .tuple(
    often('HTTP/1.1', 20, fc.constantFrom('HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', '')),
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(' 200', ' 201', ' 400', ' 404', ' 429', ' 500', ' 529') },
      { weight: 2, arbitrary: fc.constantFrom(' 204', ' 205', ' 304', ' 206', ' 301') },
      { weight: 1, arbitrary: fc.constantFrom(' 99', ' 1000', ' 0200', ' 2 0', ' 600', ' 999', ' 101', ' -20') },
    ),
    often(' OK', 8, fc.constantFrom('', ' ', ' Not Found', ' \xe9', '  two', '\tx', ' a:b', ' "')),
  )
  .map((parts) => parts.join(''))

const name = fc.constantFrom(
  ...['Content-Type', 'date', 'SERVER', 'x-request-id', 'Set-Cookie', 'set-cookie', 'Vary', 'CF-RAY', 'Via'],
  ...['Connection', 'Keep-Alive', 'Trailer', 'Upgrade', 'Content-Encoding', 'x-ratelimit-remaining-requests'],
  ...['__proto__', 'constructor', 'a', "!#$%&'*+-.^_`|~9", 'retry-after', 'Proxy-Connection'],
)
const value = fc.oneof(
  fc.constantFrom(
    ...['application/json', 'close', 'keep-alive', 'timeout=5, max=100', 'a, b', '', 'x-a', 'h2c', 'gzip'],
    ...['\xe9', 'voil\xc3\xa0', '\xa0', 'a\tb', 'a:b', '"a\\"', 'x'.repeat(300), '12', 'Close', 'upgrade'],
  ),
  fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 12 }),
)
const gap = often(': ', 14, fc.constantFrom(':', ':\t', ': \t ', ' : ', '', '::', ':\r\n ', ':\xa0'))
const line = fc
  .tuple(name, gap, value, often('', 10, fc.constantFrom(' ', '\t \t', '\xa0')))
  .map((parts) => parts.join(''))

const body = fc.oneof(
  fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 40 }),
  fc.constantFrom('{"ok":true}', 'data: {}\n\n', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n', '\r\n\r\n', ''),
)

interface Framed {
  readonly lines: readonly string[]
  readonly bytes: string
}

const counted: fc.Arbitrary<Framed> = fc
  .tuple(
    body,
    often(0, 12, fc.integer({ min: -2, max: 3 })),
    often('', 14, fc.constantFrom('0', '+', '-', ' ', '\t', '0x', '\xa0', '1e', '5, ')),
  )
  .map(([bytes, more, prefix]) => ({ lines: [`Content-Length: ${prefix}${Math.max(0, bytes.length + more)}`], bytes }))

const extension = often(
  '',
  6,
  fc.constantFrom(';a', ';a=b', '; a', ' ;a=b', ';a="b c"', ';', ';a=', ' ', ';\xe9', ';;a'),
)
const chunk = fc
  .tuple(
    body.filter((bytes) => bytes !== ''),
    extension,
    often('', 16, fc.constantFrom('0', '00000000000', '+', '0x', ' ', '-')),
    often('\r\n', 24, fc.constantFrom('\n', '\r', '', '\r\n\r\n')),
  )
  .map(([bytes, more, prefix, end]) => `${prefix}${bytes.length.toString(16)}${more}\r\n${bytes}${end}`)
const trailer = fc.oneof(
  line,
  fc.constantFrom('x-a: 1', 'Content-Length: 9', 'Transfer-Encoding: gzip', 'nothing', ': a'),
)
const coding = often(
  'chunked',
  12,
  fc.constantFrom('Chunked', 'CHUNKED ', 'gzip, chunked', 'identity', '', 'chunked, chunked', 'gzip', 'xchunked'),
)
const chunked: fc.Arbitrary<Framed> = fc
  .tuple(
    fc.array(chunk, { maxLength: 4 }),
    often('0', 14, fc.constantFrom('000', '0;a', '', '-0', '0 ')),
    often<readonly string[]>([], 3, fc.array(trailer, { minLength: 1, maxLength: 3 })),
    coding,
  )
  .map(([chunks, last, trailers, te]) => ({
    lines: [`Transfer-Encoding: ${te}`],
    bytes: `${chunks.join('')}${last}\r\n${trailers.map((each) => `${each}\r\n`).join('')}\r\n`,
  }))

const framed: fc.Arbitrary<Framed> = fc.oneof(
  { weight: 5, arbitrary: counted },
  { weight: 5, arbitrary: chunked },
  { weight: 1, arbitrary: body.map((bytes) => ({ lines: [], bytes })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(counted, chunked)
      .map(([one, other]) => ({ lines: [...one.lines, ...other.lines], bytes: other.bytes })),
  },
)

const announcement = fc.constantFrom('100 Continue', '103 Early Hints\r\nlink: </a>', '102 Processing', '199 ')

const blow = blowWith(
  fc.constantFrom(
    ...['\r', '\n', '\r\n', '\r\n\r\n', ':', '\0', ' ', '\t', '\r\n ', ',', ';', '\x7f', '\x0b', '\x0c', '"', '='],
    ...['\x80', '\xa0', '\xff', '0', '1', 'a', 'F', 'g', '-', '_', '\x1f', '(', '\x08', '/', 'x', '0\r\n\r\n'],
  ),
)

export interface AnyReply {
  readonly method: 'GET' | 'HEAD'
  /** Latin-1, with what follows the reply. */
  readonly text: string
  /** Where to cut, modulo the length. */
  readonly cuts: readonly number[]
}

/** Replies that are right, or wrong in a place or two. */
export const anyReply: fc.Arbitrary<AnyReply> = fc
  .record({
    method: often<'GET' | 'HEAD'>('GET', 14, fc.constant('HEAD')),
    announcements: often<readonly string[]>([], 8, fc.array(announcement, { minLength: 1, maxLength: 3 })),
    statusLine,
    lines: fc.array(line, { maxLength: 4 }),
    framed,
    turn: fc.nat(20),
    blows: fc.oneof(
      { weight: 2, arbitrary: fc.constant<Blow[]>([]) },
      { weight: 1, arbitrary: fc.array(blow, { minLength: 1, maxLength: 2 }) },
    ),
    end: often(1, 12, fc.double({ min: 0, max: 1, noNaN: true })),
    next: often('', 8, fc.constantFrom('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', '\r\n', 'x', '\0')),
    cuts: fc.array(fc.nat(10_000), { maxLength: 3 }),
  })
  .map(({ method, announcements, statusLine, lines, framed, turn, blows, end, next, cuts }) => {
    const all = [...lines]
    for (const [at, each] of framed.lines.entries()) all.splice((turn * (at + 1)) % (all.length + 1), 0, each)
    const before = announcements.map((each) => `HTTP/1.1 ${each}\r\n\r\n`).join('')
    const head = `${[statusLine, ...all].join('\r\n')}\r\n\r\n`
    const text = blows.reduce(strike, before + head + framed.bytes)
    return { method, text: text.slice(0, Math.ceil(text.length * end)) + next, cuts }
  })
