import type { TimeAndChance } from './time-and-chance.ts'

export interface BackoffOptions {
  readonly firstMs: number
  readonly maxMs: number
}

/** Waits that double up to a limit and vary by half, so that many who failed together do not come back together. */
export class Backoff {
  readonly #world: TimeAndChance
  readonly #options: BackoffOptions
  #failures = 0

  constructor(world: TimeAndChance, options: BackoffOptions) {
    this.#world = world
    this.#options = options
  }

  /** @param atLeastMs what the other side asked for (`Retry-After`) */
  next(atLeastMs = 0): number {
    const { firstMs, maxMs } = this.#options
    const wholeMs = Math.min(maxMs, firstMs * 2 ** Math.min(this.#failures, 30))
    this.#failures += 1
    const waitMs = wholeMs * (0.5 + 0.5 * this.#world.random())
    return waitMs >= atLeastMs ? waitMs : atLeastMs + firstMs * this.#world.random()
  }

  reset(): void {
    this.#failures = 0
  }
}
