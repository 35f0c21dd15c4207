import { KorProxyError } from '#errors/korproxy-error.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const LOWER_U = 0x75
const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const ZERO = 0x30
const LITERALS: readonly Uint8Array[] = ['true', 'false', 'null'].map((text) => new TextEncoder().encode(text))

/** 1 for the bytes that end a run of plain string content: quote, backslash, control characters. */
const STOPS = new Uint8Array(256).fill(1, 0, 0x20)
STOPS[QUOTE] = 1
STOPS[BACKSLASH] = 1

/** 1 for the characters that may follow a backslash, 2 for `u`. */
const ESCAPES = new Uint8Array(256)
for (const char of '"\\/bfnrt') ESCAPES[char.charCodeAt(0)] = 1
ESCAPES[LOWER_U] = 2

const HEX = new Uint8Array(256)
for (const char of '0123456789abcdefABCDEF') HEX[char.charCodeAt(0)] = 1

export function invalidJson(bytes: Uint8Array, at: number): KorProxyError {
  const reason = at >= bytes.length ? `it ends unexpectedly at byte ${bytes.length}` : `unexpected byte at offset ${at}`
  return new KorProxyError('KP-SYS-511', { reason })
}

export function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start
  for (;;) {
    const byte = bytes[at]
    if (byte === undefined || byte > 0x20) return at
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at
    at += 1
  }
}

/** Shorter texts are looked at byte by byte: they do not earn the view. */
const WORTH_WORDS = 4_096

/** The same bytes in fours. */
export interface Words {
  readonly words: Int32Array
  /** Offset of the first one. */
  readonly from: number
}

/** Undefined: the text is too short to gain by it. */
export function wordsOf(bytes: Uint8Array): Words | undefined {
  if (bytes.length < WORTH_WORDS) return undefined
  const from = -bytes.byteOffset & 3
  return { words: new Int32Array(bytes.buffer, bytes.byteOffset + from, (bytes.length - from) >> 2), from }
}

/** Reads a string, number or literal and gives the offset after it. */
export function scanScalar(bytes: Uint8Array, start: number, words: Words | undefined): number {
  const first = bytes[start] ?? 0
  if (first === QUOTE) return scanString(bytes, start, words)
  if (first === MINUS || isDigit(first)) return scanNumber(bytes, start)
  const literal = LITERALS.find((it) => it[0] === first)
  if (literal === undefined) throw invalidJson(bytes, start)
  for (let at = 1; at < literal.length; at += 1) {
    if (bytes[start + at] !== literal[at]) throw invalidJson(bytes, start + at)
  }
  return start + literal.length
}

/** `start` is the opening quote. */
export function scanString(bytes: Uint8Array, start: number, words: Words | undefined): number {
  let at = start + 1
  for (;;) {
    at = words === undefined ? skipPlain(bytes, at) : skipPlainWords(bytes, at, words)
    const byte = bytes[at] ?? 0
    if (byte === QUOTE) return at + 1
    if (byte !== BACKSLASH) throw invalidJson(bytes, at)
    at = scanEscape(bytes, at)
  }
}

/** Hot: a request is mostly strings, so four bytes are looked at before each decision. */
function skipPlain(bytes: Uint8Array, start: number): number {
  const last = bytes.length - 4
  let at = start
  while (
    at <= last &&
    stopsAt(bytes, at) + stopsAt(bytes, at + 1) + stopsAt(bytes, at + 2) + stopsAt(bytes, at + 3) === 0
  ) {
    at += 4
  }
  while (STOPS[bytes[at] ?? 0] === 0) at += 1
  return at
}

function stopsAt(bytes: Uint8Array, at: number): number {
  return STOPS[bytes[at] ?? 0] ?? 1
}

/** The same with one look at four bytes. */
function skipPlainWords(bytes: Uint8Array, start: number, { words, from }: Words): number {
  let at = start
  for (; ((at - from) & 3) !== 0; at += 1) if (STOPS[bytes[at] ?? 0] !== 0) return at
  let index = (at - from) >> 2
  while (index < words.length && !mayStop(words[index] ?? 0)) index += 1
  let stop = from + (index << 2)
  while (STOPS[bytes[stop] ?? 0] === 0) stop += 1
  return stop
}

/**
 * Whether one of the four bytes is a quote, a backslash or a control character. Subtracting sets the highest bit of a byte that was too
 * small; where that bit was set before, the byte is none of them. May say yes in vain, never no.
 */
function mayStop(word: number): boolean {
  const control = word - 0x20202020
  const quote = (word ^ 0x22222222) - 0x01010101
  const backslash = (word ^ 0x5c5c5c5c) - 0x01010101
  return ((control | quote | backslash) & ~word & 0x80808080) !== 0
}

function scanEscape(bytes: Uint8Array, start: number): number {
  const kind = ESCAPES[bytes[start + 1] ?? 0]
  if (kind === 1) return start + 2
  if (kind === 0) throw invalidJson(bytes, start + 1)
  for (let at = start + 2; at < start + 6; at += 1) {
    if (HEX[bytes[at] ?? 0] === 0) throw invalidJson(bytes, at)
  }
  return start + 6
}

function scanNumber(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start
  at = bytes[at] === ZERO ? at + 1 : scanDigits(bytes, at)
  if (bytes[at] === POINT) at = scanDigits(bytes, at + 1)
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    const sign = bytes[at + 1]
    at = scanDigits(bytes, sign === PLUS || sign === MINUS ? at + 2 : at + 1)
  }
  return at
}

/** At least one digit. */
function scanDigits(bytes: Uint8Array, start: number): number {
  let at = start
  while (isDigit(bytes[at] ?? 0)) at += 1
  if (at === start) throw invalidJson(bytes, at)
  return at
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39
}
