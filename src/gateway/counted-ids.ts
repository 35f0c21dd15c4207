/** Ids that begin alike and then count, in hexadecimal: drawing each one at random costs as much as writing a reply. */
export class CountedIds {
  readonly #prefix: string
  readonly #digits: number
  #count = 0

  /** @param prefix drawn at random by the caller, so that no other process has it */
  constructor(prefix: string, digits: number) {
    this.#prefix = prefix
    this.#digits = digits
  }

  next(): string {
    this.#count += 1
    return this.#prefix + this.#count.toString(16).padStart(this.#digits, '0')
  }
}
