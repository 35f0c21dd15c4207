const LF = 0x0a
const CR = 0x0d

/** Walks over the line ends (LF, CR, CRLF) of a chunk by `indexOf`; one that does not occur is looked for only once. */
export class LineEnds {
  readonly #bytes: Uint8Array
  #lineFeed: number
  #carriageReturn: number

  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes
    this.#lineFeed = bytes.indexOf(LF, from)
    this.#carriageReturn = bytes.indexOf(CR, from)
  }

  /** Offset of the next line end, -1 for none. */
  get next(): number {
    if (this.#carriageReturn === -1) return this.#lineFeed
    return this.#lineFeed === -1 ? this.#carriageReturn : Math.min(this.#lineFeed, this.#carriageReturn)
  }

  /** Whether the next line end is a CR as the last byte: it may be half of a CRLF. */
  get isUncertain(): boolean {
    return this.#carriageReturn === this.#bytes.length - 1 && this.next === this.#carriageReturn
  }

  /** Steps over the next line end; tells how many bytes long it is and whether it has a LF. */
  take(): { readonly length: 1 | 2; readonly hasLineFeed: boolean } {
    const at = this.next
    const isReturn = at === this.#carriageReturn
    const hasLineFeed = this.#lineFeed === (isReturn ? at + 1 : at)
    const length = isReturn && hasLineFeed ? 2 : 1
    const from = at + length
    if (isReturn) this.#carriageReturn = this.#bytes.indexOf(CR, from)
    // A blank line follows every event: looking at one byte saves most searches.
    if (hasLineFeed) this.#lineFeed = this.#bytes[from] === LF ? from : this.#bytes.indexOf(LF, from)
    return { length, hasLineFeed }
  }
}
