import type { ReplyHeaders } from '#providers/provider.ts'
import { MalformedReply } from './call-error.ts'

export interface ReplyHead {
  readonly status: number
  readonly headers: ReplyHeaders
  readonly framing: Framing
  /** The connection may carry another call after this one. */
  readonly keepsAlive: boolean
  /** For how long the provider keeps the idle connection, as it says; milliseconds. */
  readonly keptMs: number | undefined
}

/** Bytes of the body, or how its end is told. */
export type Framing = number | 'chunked' | 'until-close'

export const HEAD_END = Buffer.from('\r\n\r\n')
const MOST_HEAD_BYTES = 65_536

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/
/** No folded line, no blank before a colon, no bare CR or LF. */
const HEADER_LINES = /^(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*)*$/
const LENGTH = /^[0-9]{1,15}$/
const START = 'HTTP/1.'
const CR = 0x0d
const LF = 0x0a
const SPACE = 0x20
const TAB = 0x09
const KEPT_SECONDS = /(?:^|[,\s])timeout=([0-9]{1,6})(?![0-9])/i

/**
 * @param end where the head ends; -1: not in these bytes
 * @throws MalformedReply when no reply begins like this, however it goes on
 */
export function checkStart(bytes: Buffer, end: number): void {
  const text = bytes.toString('latin1', 0, START.length)
  if (!START.startsWith(text)) throw new MalformedReply('it does not begin with HTTP/1')
  const lineEnd = bytes.indexOf(LF)
  if (lineEnd !== -1 && bytes[lineEnd - 1] !== CR) throw new MalformedReply('its status line ends with LF alone')
  // Of an end that is not all there, three bytes may be.
  const headBytes = end === -1 ? bytes.length - HEAD_END.length + 1 : end
  if (headBytes > MOST_HEAD_BYTES) throw new MalformedReply(`its head is larger than ${MOST_HEAD_BYTES} bytes`)
}

/**
 * @param text everything before the empty line
 * @throws MalformedReply
 * @see https://www.rfc-editor.org/rfc/rfc9112
 */
export function readReplyHead(text: string, method: string): ReplyHead {
  const firstLineEnd = text.indexOf('\r\n')
  const lineEnd = firstLineEnd === -1 ? text.length : firstLineEnd
  const [, version, digits] = STATUS_LINE.exec(text.slice(0, lineEnd)) ?? []
  if (version === undefined || digits === undefined) throw new MalformedReply('its status line is none')
  const lines = text.slice(lineEnd)
  if (!HEADER_LINES.test(lines)) throw new MalformedReply('one of its header lines is none')
  const headers = readHeaders(lines)
  const status = Number(digits)
  const framing = framingOf(status, headers, method)
  const connection = asText(headers['connection']).toLowerCase()
  // HTTP/1.0 knows no chunks: whoever sends them may be an intermediary that does not understand them.
  const persists =
    version === '1' ? !hasToken(connection, 'close') : hasToken(connection, 'keep-alive') && framing !== 'chunked'
  return {
    status,
    headers,
    framing,
    keepsAlive: persists && framing !== 'until-close',
    keptMs: keptMs(asText(headers['keep-alive'])),
  }
}

/** Names in lower case; what occurs several times is a list. */
function readHeaders(lines: string): ReplyHeaders {
  // Names are the provider's: none may meet what every object has.
  const headers: Record<string, string | string[]> = Object.create(null)
  let at = 0
  while (at < lines.length) {
    const start = at + 2
    const next = lines.indexOf('\r\n', start)
    at = next === -1 ? lines.length : next
    const colon = lines.indexOf(':', start)
    const name = lines.slice(start, colon).toLowerCase()
    const value = withoutBlanks(lines, colon + 1, at)
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (typeof before === 'string') headers[name] = [before, value]
    else before.push(value)
  }
  return headers
}

/** Blanks and tabs are none of a value; other bytes are, also those that are a blank to Unicode. */
function withoutBlanks(lines: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(lines.charCodeAt(start))) start += 1
  while (end > start && isBlank(lines.charCodeAt(end - 1))) end -= 1
  return lines.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

/** Whatever could be read in two ways is refused: the rest of it would be taken for the next reply. */
function framingOf(status: number, headers: ReplyHeaders, method: string): Framing {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers
  if (length !== undefined && (typeof length !== 'string' || !LENGTH.test(length))) {
    throw new MalformedReply('its Content-Length is no length')
  }
  if (encoding !== undefined && asText(encoding).toLowerCase() !== 'chunked') {
    throw new MalformedReply('its Transfer-Encoding is not chunked')
  }
  if (length !== undefined && encoding !== undefined) throw new MalformedReply('it has a length and is chunked')
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') return 0
  if (length !== undefined) return Number(length)
  return encoding === undefined ? 'until-close' : 'chunked'
}

function asText(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value ?? []).join(',')
}

function hasToken(list: string, token: string): boolean {
  if (list === '' || list === token) return list === token
  return list.split(',').some((each) => each.trim() === token)
}

function keptMs(keepAlive: string): number | undefined {
  if (keepAlive === '') return undefined
  const [, seconds] = KEPT_SECONDS.exec(keepAlive) ?? []
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}
