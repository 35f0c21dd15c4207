/** Requests that one turn of the event loop begins while streams are open. Each takes about 50 µs. */
const PER_TURN = 16

/**
 * Spreads a burst of requests over turns of the event loop, so that the chunks of open streams do not wait until all of the burst are
 * under way. Without streams nothing is spread: each turn has a price.
 */
export class BurstPace {
  #openStreams = 0
  #begun = 0
  readonly #waiting: (() => void)[] = []

  streamOpened(): void {
    this.#openStreams += 1
  }

  streamClosed(): void {
    this.#openStreams -= 1
  }

  /** When the request may begin; undefined: at once. */
  turn(): Promise<void> | undefined {
    if (this.#openStreams === 0) return undefined
    if (this.#begun === 0) setImmediate(this.#nextTurn)
    if (this.#begun < PER_TURN) {
      this.#begun += 1
      return undefined
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    return promise
  }

  readonly #nextTurn = (): void => {
    const next = this.#waiting.splice(0, PER_TURN)
    this.#begun = next.length
    if (next.length > 0) setImmediate(this.#nextTurn)
    for (const begin of next) begin()
  }
}
