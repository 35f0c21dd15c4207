import fc from 'fast-check'
import { type Blow, blowWith, often, strike } from '../struck-message.ts'

export function head(lines: readonly string[], requestLine = 'POST /v1/chat/completions HTTP/1.1'): string {
  return `${[requestLine, ...lines].join('\r\n')}\r\n\r\n`
}

const printable = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) })
const NAME_CHARACTERS = [..."!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"]
const freeName = fc.string({ unit: fc.constantFrom(...NAME_CHARACTERS), minLength: 1, maxLength: 12 })

const knownName = fc.constantFrom(
  ...['Accept', 'accept-encoding', 'AUTHORIZATION', 'Content-Type', 'User-Agent', 'x-api-key', 'Cookie', 'Set-Cookie'],
  ...['Referer', 'Date', 'ETag', 'Age', 'From', 'Keep-Alive', 'Range', 'If-Match', 'Location', 'Server', 'Vary'],
  ...['Content-Encoding', 'Content-Transfer-Encoding', 'Max-Forwards', 'Via', 'X-Forwarded-For', 'Origin', 'Pragma'],
)
const connectionName = fc.constantFrom(
  ...['Connection', 'Transfer-Encoding', 'TE', 'Expect', 'Upgrade', 'Trailer', 'Proxy-Connection', 'HTTP2-Settings'],
  ...['Host', 'Content-Length', 'constructor', '__proto__', 'hasOwnProperty', 'Content-Length\0', 'Transfer_Encoding'],
)
const knownValue = fc.constantFrom(
  ...[
    'keep-alive',
    'Keep-Alive ',
    'close',
    'chunked',
    'upgrade',
    '5',
    '',
    ' ',
    '\t',
    'a, b',
    '"a\\"b"',
    'x'.repeat(300),
  ],
  ...['application/json', '*/*', 'a=b; c=d', 'a\tb', '100-continue', '\u00e9', 'a:b', ':', 'HTTP/1.1', '100 a'],
)
const gap = often(': ', 14, fc.constantFrom(':', ':\t', ':  ', ' : ', ': \t ', '::', '', ' '))
const tail = often('', 14, fc.constantFrom(' ', '\t', '  ', ' \t ', '\0'))
const line = fc
  .tuple(
    fc.oneof(
      { weight: 20, arbitrary: knownName },
      { weight: 8, arbitrary: freeName },
      { weight: 1, arbitrary: connectionName },
    ),
    gap,
    fc.oneof(knownValue, printable),
    tail,
  )
  .map((parts) => parts.join(''))

const segment = fc.oneof(
  fc.constantFrom('v1', 'chat', 'completions', 'messages', 'gemini-2.5-pro:generateContent', '_korproxy', '@a', '~'),
  fc.constantFrom('-', 'a..b', 'a.', ':'),
)
const oddSegment = fc.constantFrom('', '.', '..', '.a', '%2e', 'a%2fb', 'a\\b', 'a;b', 'a b', 'a*', '[a]', 'a#b', 'a|b')
const path = fc
  .array(fc.oneof({ weight: 30, arbitrary: segment }, { weight: 1, arbitrary: oddSegment }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((segments) => `/${segments.join('/')}`)
const query = fc.oneof(
  fc.constantFrom('', '', '?', '?beta=true', '?a=%zz&b=//..', '?a?b', '?a b', '?a#b', '?"<>\\^`{|}'),
  printable.map((text) => `?${text.replaceAll(/[ #]/g, '+')}`),
)
const requestLine = fc
  .tuple(
    often('POST ', 60, fc.constantFrom('post ', 'GET ', 'POST  ', ' POST ', 'PUT ', 'PATCH ', 'POST\t', '\r\nPOST ')),
    path,
    query,
    often(' HTTP/1.1', 60, fc.constantFrom(' HTTP/1.0', ' HTTP/1.2', '  HTTP/1.1', ' HTTP/1.1 ', ' http/1.1', '')),
  )
  .map((parts) => parts.join(''))
const hostLine = often(
  'Host: 127.0.0.1',
  12,
  fc.constantFrom('host:[::1]:80', 'Host: a b', 'Host:', 'Host: a_b ', 'X:'),
)
const lengthLine = fc.oneof(
  { weight: 12, arbitrary: fc.nat(200).map((bytes) => `Content-Length: ${bytes}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'content-LENGTH:007 ',
      'Content-Length: 5\t',
      'Content-Length: +5',
      'Content-Length: 5,5',
    ),
  },
)

const blow = blowWith(
  fc.oneof(
    fc.constantFrom(
      ...['\r', '\n', '\r\n', '\r\n\r\n', ':', '"', "'", '\0', ' ', '\t', '\r\n ', ',', '#', '%', '\x7f'],
    ),
    fc.constantFrom('\x0b', '\x80', '\xa0', '\xff', '/', '?', '\\', '0', '1', '_', '-', 'A', 'z', '\x1f', '@', '~'),
  ),
)

/** Heads that are right, or wrong in a place or two. */
export const anyHead: fc.Arbitrary<string> = fc
  .record({
    requestLine,
    lines: fc.array(line, { maxLength: 5 }),
    hostLine,
    lengthLine,
    turn: fc.nat(20),
    blows: fc.oneof(fc.constant<Blow[]>([]), fc.array(blow, { minLength: 1, maxLength: 3 })),
  })
  .map(({ requestLine, lines, hostLine, lengthLine, turn, blows }) => {
    const all = [...lines]
    all.splice(turn % (all.length + 1), 0, hostLine)
    all.splice((turn * 3) % (all.length + 1), 0, lengthLine)
    return blows.reduce(strike, head(all, requestLine))
  })
