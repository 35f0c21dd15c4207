import { MalformedReply } from './call-error.ts'

const CR = 0x0d
const LF = 0x0a
const SEMICOLON = 0x3b
/** Of a chunk's size: 2^48 and more is nobody's chunk. */
const MOST_DIGITS = 12
/** Of one line that is not data: a size with its extensions, a trailer. */
const MOST_LINE_BYTES = 8_192
/** Of all trailers. */
const MOST_TRAILER_BYTES = 65_536
const EXTENSIONS =
  /^(?:;[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)+$/
/** The empty line ends them. */
const TRAILER = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*)?$/

type Part = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailer' | 'trailer-lf' | 'end'

/**
 * Takes the chunked coding off a body as it comes. Extensions and trailers are read, and dropped.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-7.1
 */
export class ChunkedBody {
  #part: Part = 'size'
  #size = 0
  #digits = 0
  #line = ''
  #trailerBytes = 0

  get hasEnded(): boolean {
    return this.#part === 'end'
  }

  /**
   * Reads as far as the next data, or to the end of the body.
   * @param at where in the bytes to begin
   * @returns where that is; the length of the bytes if they hold neither
   * @throws MalformedReply
   */
  skipFraming(bytes: Buffer, at: number): number {
    let next = at
    while (next < bytes.length && this.#part !== 'data' && this.#part !== 'end') {
      this.#readFraming(bytes[next] ?? 0)
      next += 1
    }
    return next
  }

  /** @returns the data that begin there: those of one chunk */
  takeData(bytes: Buffer, at: number): Buffer {
    const data = bytes.subarray(at, at + this.#size)
    this.#size -= data.length
    if (this.#size === 0) this.#part = 'data-cr'
    return data
  }

  #readFraming(byte: number): void {
    switch (this.#part) {
      case 'size':
        this.#readSize(byte)
        return
      case 'extension':
        this.#skipInLine(byte, EXTENSIONS, 'size-lf')
        return
      case 'size-lf':
        expect(byte, LF)
        this.#beginChunk()
        return
      case 'data-cr':
        expect(byte, CR)
        this.#part = 'data-lf'
        return
      case 'data-lf':
        expect(byte, LF)
        this.#part = 'size'
        return
      case 'trailer':
        this.#trailerBytes += 1
        if (this.#trailerBytes > MOST_TRAILER_BYTES) throw new MalformedReply('its trailers have no end')
        this.#skipInLine(byte, TRAILER, 'trailer-lf')
        return
      default:
        expect(byte, LF)
        // An empty line ends the trailers.
        this.#part = this.#line === '' ? 'end' : 'trailer'
        this.#line = ''
    }
  }

  #readSize(byte: number): void {
    const digit = hexDigit(byte)
    if (digit !== -1) {
      this.#digits += 1
      if (this.#digits > MOST_DIGITS) throw new MalformedReply('a chunk is too large')
      this.#size = this.#size * 16 + digit
      return
    }
    if (this.#digits === 0) throw new MalformedReply('a chunk has no size')
    if (byte === CR) this.#part = 'size-lf'
    else if (byte === SEMICOLON) {
      this.#part = 'extension'
      this.#line = ';'
    } else throw new MalformedReply('the size of a chunk is none')
  }

  #beginChunk(): void {
    this.#part = this.#size === 0 ? 'trailer' : 'data'
    this.#digits = 0
    this.#line = ''
  }

  #skipInLine(byte: number, allowed: RegExp, atEnd: Part): void {
    if (byte === CR) {
      if (!allowed.test(this.#line)) throw new MalformedReply('an extension or a trailer is none')
      this.#part = atEnd
      return
    }
    if (byte === LF) throw new MalformedReply('a line ends with LF alone')
    if (this.#line.length === MOST_LINE_BYTES) throw new MalformedReply('a line between chunks has no end')
    this.#line += String.fromCharCode(byte)
  }
}

function expect(byte: number, expected: number): void {
  if (byte !== expected) throw new MalformedReply('a chunk does not end where its size says')
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
