import { BYTES_PER_TOKEN, TOKENS_PER_FILE } from './estimate-tokens.ts'

/** How far apart the bytes are looked at. */
const STRIDE = 1024
/** So many characters without a space, and none that is foreign to base64, are no text. */
const WINDOW = 48
/** Shorter base64 counts as text. */
const SHORTEST_FILE = 4 * STRIDE
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SMALL_U = 0x75

/** Both alphabets of base64. */
const IS_BASE64: readonly boolean[] = Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9+/=_-]/.test(String.fromCharCode(byte)),
)

/**
 * Estimates the prompt's tokens from the JSON of a request that need not be read for it: four bytes a token, but long base64 is a
 * file. Looks at samples only, so that it costs nothing beside receiving the body.
 */
export function estimateBodyTokens(body: Uint8Array): number {
  let files = 0
  let fileBytes = 0
  let quote = -1
  for (let at = 0; at < body.length; at += STRIDE) {
    const start = at
    if (!isBase64(body, at, body.length)) continue
    // Two files that follow one another have little more than a quote between them.
    if (quote < at) quote = nextQuote(body, at)
    while (at < quote && isBase64(body, at, quote)) at += STRIDE
    const bytes = Math.min(at, quote) - start
    if (bytes < SHORTEST_FILE) continue
    files += 1
    fileBytes += bytes
    at = Math.min(at, quote)
  }
  return Math.ceil((body.length - fileBytes) / BYTES_PER_TOKEN) + files * TOKENS_PER_FILE
}

function nextQuote(body: Uint8Array, from: number): number {
  const at = body.indexOf(QUOTE, from)
  return at === -1 ? body.length : at
}

/** Some clients escape the slash or break the lines; what stands as \u is text. */
function isBase64(body: Uint8Array, from: number, to: number): boolean {
  const end = Math.min(from + WINDOW, to)
  for (let at = from; at < end; at += 1) {
    const byte = body[at] ?? 0
    if (IS_BASE64[byte] === true) continue
    if (byte !== BACKSLASH || body[at + 1] === SMALL_U) return false
  }
  return true
}
