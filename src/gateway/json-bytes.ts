import type { JsonObject } from '#formats/ir/chat-request.ts'

/** What is probably shorter is written at once, which is 3 µs cheaper. */
const LONG_BYTES = 16 * 1024
/** Length at which text is turned into bytes, UTF-16 units. */
const PIECE_UNITS = 1024
/** Of a UTF-16 unit in UTF-8; a pair of units takes four bytes. */
const MOST_BYTES_PER_UNIT = 3

const scratch = Buffer.allocUnsafeSlow(256 * 1024)

/**
 * The bytes of `JSON.stringify(object)`. Arrays of a long one are written element by element: the text of a long conversation at once,
 * and its conversion, would each fill fresh memory, which takes three times as long.
 * @param likelyBytes about as long as it will be
 */
export function jsonBytes(object: JsonObject, likelyBytes: number): Buffer {
  return likelyBytes < LONG_BYTES ? Buffer.from(JSON.stringify(object)) : inPieces(object)
}

function inPieces(object: JsonObject): Buffer {
  const bytes = new ByteWriter()
  let before = '{'
  for (const [key, value] of Object.entries(object)) {
    bytes.add(`${before}${JSON.stringify(key)}:`)
    before = ','
    if (Array.isArray(value)) addArray(bytes, value)
    else bytes.add(JSON.stringify(value))
  }
  bytes.add(before === '{' ? '{}' : '}')
  return bytes.end()
}

function addArray(bytes: ByteWriter, values: readonly unknown[]): void {
  let before = '['
  for (const value of values) {
    bytes.add(before)
    bytes.add(JSON.stringify(value))
    before = ','
  }
  bytes.add(before === '[' ? '[]' : ']')
}

/** Gathers text and gives its UTF-8. What is added must not end within a surrogate pair. */
class ByteWriter {
  #text = ''
  /** Bytes in the scratch buffer. */
  #used = 0
  readonly #written: Buffer[] = []

  add(text: string): void {
    const isLong = text.length >= PIECE_UNITS
    if (isLong || this.#text.length >= PIECE_UNITS) this.#writeGathered()
    // A long text is not joined to another, which would be one copy more.
    if (isLong) this.#write(text)
    else this.#text += text
  }

  end(): Buffer {
    this.#writeGathered()
    this.#keepScratch()
    const [only] = this.#written
    return only !== undefined && this.#written.length === 1 ? only : Buffer.concat(this.#written)
  }

  #writeGathered(): void {
    this.#write(this.#text)
    this.#text = ''
  }

  #write(text: string): void {
    const most = text.length * MOST_BYTES_PER_UNIT
    if (this.#used + most > scratch.length) this.#keepScratch()
    if (most > scratch.length) this.#written.push(Buffer.from(text))
    else this.#used += scratch.write(text, this.#used)
  }

  #keepScratch(): void {
    if (this.#used === 0) return
    const kept = Buffer.allocUnsafeSlow(this.#used)
    scratch.copy(kept, 0, 0, this.#used)
    this.#written.push(kept)
    this.#used = 0
  }
}
