/** Bounds the retries in flight, so that an outage is not multiplied by those who retry. */
export class RetryBudget {
  readonly #percent: number
  readonly #minimum: number
  #retries = 0

  /**
   * @param percent share of the active requests that may be retries
   * @param minimum retries that are always allowed
   */
  constructor(percent: number, minimum: number) {
    this.#percent = percent
    this.#minimum = minimum
  }

  /** Every `true` must be given back by `release`. */
  tryAcquire(activeRequests: number): boolean {
    const allowed = Math.max(this.#minimum, Math.floor((activeRequests * this.#percent) / 100))
    if (this.#retries >= allowed) return false
    this.#retries += 1
    return true
  }

  release(): void {
    if (this.#retries > 0) this.#retries -= 1
  }
}
