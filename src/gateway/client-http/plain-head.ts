import type { IncomingHttpHeaders } from 'node:http'

/** The head of a request in its plainest form, which every reader of HTTP/1.1 understands alike. */
export interface PlainHead {
  readonly url: string
  /** Lower-case names, each once. */
  readonly headers: IncomingHttpHeaders
  readonly bodyBytes: number
  /** Where the body begins. */
  readonly end: number
}

const LETTER_P = 0x50
/** Node's limit is 64 KiB and counts in its own way: what comes near it is Node's to judge. */
const MOST_HEAD_BYTES = 60_000
const HEAD_END = Buffer.from('\r\n\r\n')

/** Visible ASCII, no folded line, no space before a colon, no bare CR or LF. */
const PLAIN = /^POST \/[\x21-\x7e]* HTTP\/1\.1(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*)+$/
const VERSION_LENGTH = ' HTTP/1.1'.length
const URL_START = 'POST '.length
const LENGTH = /^[0-9]{1,10}$/
const HOST = /^[A-Za-z0-9._:[\]-]+$/
/** No escapes, no empty or dot segments: nothing that another reader could resolve to another path. */
const PATH = /^(?:\/[A-Za-z0-9_~@:-][A-Za-z0-9._~@:-]*)+(?:\?[^#]*)?$/

/** Headers that say how to read the message or the connection, but for a length and `keep-alive`; and one that Node gives as a list. */
const NOT_PLAIN: readonly string[] = [
  'transfer-encoding',
  'expect',
  'upgrade',
  'trailer',
  'te',
  'proxy-connection',
  'http2-settings',
  'set-cookie',
]

/** Undefined: anything but the plainest form, or a head that is not whole. Node's own parser is the judge of those. */
export function readPlainHead(bytes: Buffer): PlainHead | undefined {
  if (bytes[0] !== LETTER_P) return undefined
  const end = bytes.indexOf(HEAD_END)
  if (end === -1 || end > MOST_HEAD_BYTES) return undefined
  const text = bytes.toString('latin1', 0, end)
  if (!PLAIN.test(text)) return undefined
  const lineEnd = text.indexOf('\r\n')
  const url = text.slice(URL_START, lineEnd - VERSION_LENGTH)
  const headers = readHeaders(text, lineEnd)
  if (headers === undefined || !PATH.test(url) || !isPlain(headers)) return undefined
  return { url, headers, bodyBytes: Number(headers['content-length']), end: end + HEAD_END.length }
}

/** Undefined: a name occurs twice. */
function readHeaders(text: string, firstLineEnd: number): IncomingHttpHeaders | undefined {
  const headers: IncomingHttpHeaders = {}
  let lineEnd = firstLineEnd
  while (lineEnd < text.length) {
    const start = lineEnd + 2
    const next = text.indexOf('\r\n', start)
    lineEnd = next === -1 ? text.length : next
    const colon = text.indexOf(':', start)
    const name = text.slice(start, colon).toLowerCase()
    if (headers[name] !== undefined) return undefined
    const value = text.slice(colon + 1, lineEnd)
    // Node refuses this tab.
    if (name === 'content-length' && value.endsWith('\t')) return undefined
    headers[name] = value.trim()
  }
  return headers
}

function isPlain(headers: IncomingHttpHeaders): boolean {
  const { host = '', connection = 'keep-alive' } = headers
  if (!HOST.test(host) || !LENGTH.test(headers['content-length'] ?? '')) return false
  if (connection !== 'keep-alive' && connection.toLowerCase() !== 'keep-alive') return false
  for (const name of NOT_PLAIN) if (headers[name] !== undefined) return false
  return true
}
