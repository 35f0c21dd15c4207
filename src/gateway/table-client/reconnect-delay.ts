const FIRST_MS = 100
const MAX_MS = 10_000

/**
 * Waits that grow up to ten seconds, each drawn from the whole range: a fleet that lost its controller at one moment comes back spread
 * out.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export class ReconnectDelay {
  readonly #random: () => number
  #failures = 0

  /** @param random 0 ≤ x < 1 */
  constructor(random: () => number) {
    this.#random = random
  }

  /** @param atLeastMs what the controller asked for (`Retry-After`) */
  next(atLeastMs = 0): number {
    const rangeMs = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(this.#failures, 20))
    this.#failures += 1
    return Math.min(atLeastMs, MAX_MS) + rangeMs * this.#random()
  }

  reset(): void {
    this.#failures = 0
  }
}
