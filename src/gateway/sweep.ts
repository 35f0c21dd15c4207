/** Something with deadlines. One timer looks after all of them: a timer per request or chunk costs more than the request. */
export interface Swept {
  sweep(now: number): void
}

const INTERVAL_MS = 100

/** Calls `sweep` of everything that is under way, ten times a second. Slots are reused, so that nothing is allocated per request. */
export class Sweeper {
  readonly #slots: (Swept | undefined)[] = []
  readonly #free: number[] = []
  readonly #timer: NodeJS.Timeout

  constructor(clock: () => number) {
    this.#timer = setInterval(() => this.#sweepAll(clock()), INTERVAL_MS)
    this.#timer.unref()
  }

  add(item: Swept): number {
    const slot = this.#free.pop() ?? this.#slots.length
    this.#slots[slot] = item
    return slot
  }

  remove(slot: number): void {
    this.#slots[slot] = undefined
    this.#free.push(slot)
  }

  #sweepAll(now: number): void {
    for (const item of this.#slots) item?.sweep(now)
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
