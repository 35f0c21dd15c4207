/** The part of a body that is not cut into events yet. Whole chunks are used where they lie; only a remainder is copied, into a buffer that doubles. */
export class PendingBytes {
  #buffer: Uint8Array = new Uint8Array(0)
  #length = 0
  #owned = false

  /** Valid until the next `append`. */
  get bytes(): Uint8Array {
    return this.#length === this.#buffer.length ? this.#buffer : this.#buffer.subarray(0, this.#length)
  }

  append(chunk: Uint8Array): void {
    if (this.#length === 0) {
      this.#buffer = chunk
      this.#length = chunk.length
      this.#owned = false
      return
    }
    const length = this.#length + chunk.length
    if (!this.#owned || length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(2 * this.#buffer.length, length))
      grown.set(this.bytes)
      this.#buffer = grown
      this.#owned = true
    }
    this.#buffer.set(chunk, this.#length)
    this.#length = length
  }

  /** Forgets the first `count` bytes. They were handed out, so what is left must not be written over them. */
  drop(count: number): void {
    if (count === 0) return
    this.#buffer = this.#buffer.subarray(count, this.#length)
    this.#length -= count
    this.#owned = false
  }
}
