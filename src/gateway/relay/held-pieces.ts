/**
 * What waits to be written to a client, joined into one write. Neighbours in memory, as the events of a chunk are, join without a copy;
 * texts join before they become bytes.
 */
export class HeldPieces {
  readonly #pieces: Uint8Array[] = []
  #last: Uint8Array | undefined
  #text = ''

  get isEmpty(): boolean {
    return this.#last === undefined && this.#text === ''
  }

  add(piece: Uint8Array | string): void {
    if (typeof piece === 'string') this.#text += piece
    else {
      this.#endText()
      this.#addBytes(piece)
    }
  }

  #endText(): void {
    if (this.#text === '') return
    const bytes = Buffer.from(this.#text)
    this.#text = ''
    this.#addBytes(bytes)
  }

  #addBytes(bytes: Uint8Array): void {
    const last = this.#last
    if (last === undefined) this.#last = bytes
    else if (last.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
      this.#last = Buffer.from(last.buffer, last.byteOffset, last.length + bytes.length)
    } else {
      this.#pieces.push(last)
      this.#last = bytes
    }
  }

  /** Everything, in order; nothing is held any more. */
  take(): Uint8Array | string {
    if (this.#last === undefined) {
      const text = this.#text
      this.#text = ''
      return text
    }
    this.#endText()
    const last = this.#last
    this.#last = undefined
    if (this.#pieces.length === 0) return last
    const all = Buffer.concat([...this.#pieces, last])
    this.#pieces.length = 0
    return all
  }
}
