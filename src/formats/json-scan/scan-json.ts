import { KorProxyError } from '#errors/korproxy-error.ts'
import { JsonMembers } from './json-members.ts'
import { readPlainString } from './read-string.ts'
import { invalidJson, scanScalar, scanString, skipSpace, type Words, wordsOf } from './scan-scalar.ts'

export type JsonType = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

/** Where a member of the root object stands; offsets in bytes, ends exclusive. */
export interface JsonMember {
  /** The key's opening quote. */
  readonly keyStart: number
  readonly valueStart: number
  readonly valueEnd: number
  readonly type: JsonType
  /** Of an array longer than 8 KB: commas between its elements, that far apart, where it can be parsed in pieces. */
  readonly cuts: readonly number[] | undefined
}
export interface JsonScan {
  readonly root: JsonType
  readonly rootStart: number
  readonly rootEnd: number
  /** Members of the root object by decoded key (`"\u006dodel"` is `model`), in their order; empty for other roots. */
  readonly members: JsonMembers
}

const OPEN_OBJECT = 0x7b
const OPEN_ARRAY = 0x5b
/** Requests have some dozens; a million of them would hold everybody else up for seconds. */
const MOST_MEMBERS = 10_000
/** Shorter arrays are not cut. */
export const PIECE_BYTES = 8 * 1024
/** In ASCII both closing brackets stand two after their opening ones. */
const TO_CLOSING = 2
const COMMA = 0x2c
const QUOTE = 0x22
const COLON = 0x3a

/**
 * Reads a JSON text once without building it: strict RFC 8259, depth counted, root members located.
 * That the bytes are UTF-8 is the caller's check.
 * @throws KorProxyError KP-SYS-511 (not JSON, with the byte offset), KP-SYS-512 (too deep), KP-SYS-515 (root key twice),
 * KP-SYS-516 (more than 10,000 root keys)
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
export function scanJson(bytes: Uint8Array, { maxDepth }: { readonly maxDepth: number }): JsonScan {
  const rootStart = skipSpace(bytes, 0)
  const root = typeAt(bytes, rootStart)
  const members = new RootMembers(bytes)
  const containers = new OpenContainers(bytes, members, maxDepth)
  let at = rootStart
  for (;;) {
    const first = bytes[at] ?? 0
    if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
      at = containers.open(first, at)
      if (bytes[at] !== first + TO_CLOSING) {
        if (first === OPEN_OBJECT) at = containers.key(at)
        continue
      }
    } else at = containers.scalar(at)
    at = containers.afterValue(at)
    if (containers.depth === 0) break
  }
  const end = skipSpace(bytes, at)
  if (end < bytes.length) throw invalidJson(bytes, end)
  return { root, rootStart, rootEnd: at, members: members.found }
}

/** The containers around the current offset: a stack instead of recursion, which deep input would overflow. */
class OpenContainers {
  depth = 0
  readonly #bytes: Uint8Array
  readonly #words: Words | undefined
  readonly #members: RootMembers
  readonly #maxDepth: number
  /** Opening bracket by depth. */
  readonly #opened: number[] = [0]

  constructor(bytes: Uint8Array, members: RootMembers, maxDepth: number) {
    this.#bytes = bytes
    this.#words = wordsOf(bytes)
    this.#members = members
    this.#maxDepth = maxDepth
  }

  open(bracket: number, at: number): number {
    this.depth += 1
    if (this.depth > this.#maxDepth) throw new KorProxyError('KP-SYS-512', { limit: this.#maxDepth })
    this.#opened[this.depth] = bracket
    return skipSpace(this.#bytes, at + 1)
  }

  key(at: number): number {
    return scanKey(this.#bytes, at, this.depth === 1 ? this.#members : undefined)
  }

  scalar(start: number): number {
    const end = scanScalar(this.#bytes, start, this.#words)
    if (this.depth === 1) this.#members.endValue(end)
    return end
  }

  /** Closes what ends here; gives the offset of the next value, or with depth 0 the end of the root. */
  afterValue(start: number): number {
    const bytes = this.#bytes
    let at = start
    while (this.depth > 0) {
      at = skipSpace(bytes, at)
      const bracket = this.#opened[this.depth] ?? 0
      const next = bytes[at] ?? 0
      if (next === COMMA) {
        if (this.depth === 2) this.#members.endPart(at)
        at = skipSpace(bytes, at + 1)
        return bracket === OPEN_OBJECT ? this.key(at) : at
      }
      if (next !== bracket + TO_CLOSING) throw invalidJson(bytes, at)
      at += 1
      this.depth -= 1
      if (this.depth === 1) this.#members.endValue(at)
    }
    return at
  }
}

/** Reads `"key" :` and gives the offset of the value. */
function scanKey(bytes: Uint8Array, keyStart: number, members: RootMembers | undefined): number {
  if (bytes[keyStart] !== QUOTE) throw invalidJson(bytes, keyStart)
  // Keys are short.
  const keyEnd = scanString(bytes, keyStart, undefined)
  const colon = skipSpace(bytes, keyEnd)
  if (bytes[colon] !== COLON) throw invalidJson(bytes, colon)
  const valueStart = skipSpace(bytes, colon + 1)
  members?.begin({ keyStart, keyEnd, valueStart })
  return valueStart
}

class RootMembers {
  readonly #bytes: Uint8Array
  readonly found = new JsonMembers()
  #key: string | undefined
  #keyStart = 0
  #valueStart = 0
  #cuts: number[] | undefined
  /** Where the piece of the value's array begins. */
  #pieceStart = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  begin({ keyStart, keyEnd, valueStart }: { keyStart: number; keyEnd: number; valueStart: number }): void {
    const key = readKey(this.#bytes, keyStart, keyEnd)
    if (this.found.has(key)) throw new KorProxyError('KP-SYS-515', { key })
    if (this.found.size === MOST_MEMBERS) {
      throw new KorProxyError('KP-SYS-516', { message: `body: more than ${MOST_MEMBERS} members` })
    }
    this.#key = key
    this.#keyStart = keyStart
    this.#valueStart = valueStart
    this.#cuts = undefined
    this.#pieceStart = valueStart
  }

  /** After an element of an array, or a member of an object, which is not cut. */
  endPart(comma: number): void {
    if (comma - this.#pieceStart < PIECE_BYTES) return
    this.#cuts ??= []
    this.#cuts.push(comma)
    this.#pieceStart = comma
  }

  /** Also called for the elements of a root array, which have no key. */
  endValue(valueEnd: number): void {
    if (this.#key === undefined) return
    const valueStart = this.#valueStart
    const type = typeAt(this.#bytes, valueStart)
    const cuts = type === 'array' ? this.#cuts : undefined
    this.found.add(this.#key, { keyStart: this.#keyStart, valueStart, valueEnd, type, cuts })
    this.#key = undefined
  }
}

/** Keys of requests, by length and first letter: finding one is faster than making a text of bytes. */
const KNOWN_KEYS: ReadonlyMap<number, readonly string[]> = Map.groupBy(
  [
    'model',
    'messages',
    'stream',
    'temperature',
    'max_tokens',
    'max_completion_tokens',
    'max_output_tokens',
    'top_p',
    'tools',
    'tool_choice',
    'stream_options',
    'response_format',
    'system',
    'metadata',
    'thinking',
    'stop',
    'stop_sequences',
    'input',
    'instructions',
    'prompt',
    'user',
    'contents',
    'generationConfig',
    'systemInstruction',
    'reasoning',
    'store',
    'text',
    'include',
    'parallel_tool_calls',
    'encoding_format',
  ],
  (key) => (key.length << 8) | key.charCodeAt(0),
)

function readKey(bytes: Uint8Array, keyStart: number, keyEnd: number): string {
  const candidates = KNOWN_KEYS.get(((keyEnd - keyStart - 2) << 8) | (bytes[keyStart + 1] ?? 0))
  const known = candidates?.find((key) => standsAt(bytes, keyStart + 1, key))
  return known ?? readPlainString(bytes, keyStart, keyEnd)
}

function standsAt(bytes: Uint8Array, start: number, text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (bytes[start + at] !== text.charCodeAt(at)) return false
  return true
}

function typeAt(bytes: Uint8Array, at: number): JsonType {
  switch (bytes[at]) {
    case OPEN_OBJECT:
      return 'object'
    case OPEN_ARRAY:
      return 'array'
    case QUOTE:
      return 'string'
    case 0x74:
    case 0x66:
      return 'boolean'
    case 0x6e:
      return 'null'
    default:
      return 'number'
  }
}
