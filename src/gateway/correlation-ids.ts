import { randomUUID } from 'node:crypto'

const COUNTER_DIGITS = 12

/** Ids in the shape of a UUID: the first part is drawn once for a gateway, the last one counts. A draw for each request would cost more. */
export class CorrelationIds {
  readonly #prefix = randomUUID().slice(0, -COUNTER_DIGITS)
  #count = 0

  next(): string {
    this.#count += 1
    return this.#prefix + this.#count.toString(16).padStart(COUNTER_DIGITS, '0')
  }
}
