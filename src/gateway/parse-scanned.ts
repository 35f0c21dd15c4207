import { type JsonMember, type JsonScan, PIECE_BYTES } from '#formats/json-scan/scan-json.ts'

/**
 * The value of a JSON text in UTF-8, as `JSON.parse` gives it. Long arrays are parsed in pieces: the text of a long conversation at once
 * would fill fresh memory, which takes as long as the parsing.
 */
export function parseScanned(bytes: Uint8Array, scan: JsonScan | undefined): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const members = scan === undefined || bytes.length < PIECE_BYTES ? [] : [...scan.members]
  const long = members.filter(([, { cuts }]) => cuts !== undefined)
  if (long.length === 0) return JSON.parse(text.toString())
  let rest = ''
  let at = 0
  for (const [, { valueStart, valueEnd }] of long) {
    rest += `${text.toString('utf8', at, valueStart)}[]`
    at = valueEnd
  }
  // Only objects have members.
  const object = JSON.parse(rest + text.toString('utf8', at)) as Record<string, unknown>
  // Each key is the object's own by now, `__proto__` too.
  for (const [key, member] of long) object[key] = parsePieces(text, member)
  return object
}

function parsePieces(text: Buffer, { valueStart, valueEnd, cuts = [] }: JsonMember): unknown[] {
  const elements: unknown[] = []
  let start = valueStart + 1
  for (const end of [...cuts, valueEnd - 1]) {
    // Between the brackets of an array.
    elements.push(...(JSON.parse(inBrackets(text, start, end)) as unknown[]))
    start = end + 1
  }
  return elements
}

const scratch = Buffer.allocUnsafeSlow(32 * 1024)
const OPEN = 0x5b
const CLOSE = 0x5d

/** Bytes are put together, as two texts would be copied into a third. */
function inBrackets(text: Buffer, start: number, end: number): string {
  const last = end - start + 1
  if (last >= scratch.length) return `[${text.toString('utf8', start, end)}]`
  scratch[0] = OPEN
  text.copy(scratch, 1, start, end)
  scratch[last] = CLOSE
  return scratch.toString('utf8', 0, last + 1)
}
