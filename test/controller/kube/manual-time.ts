import type { TimeAndChance } from '../../../src/controller/kube/time-and-chance.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** Time that passes only when a test says so. Chance is always in the middle. */
export class ManualTime implements TimeAndChance {
  #now = 0
  readonly #timers = new Set<Timer>()

  monotonic(): number {
    return this.#now
  }

  unixTime(): number {
    return Date.UTC(2026, 10, 21, 12, 0, 0) + this.#now
  }

  random(): number {
    return 0.5
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + delayMs, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Milliseconds until each timer, sorted. */
  get waits(): readonly number[] {
    return [...this.#timers].map(({ at }) => at - this.#now).toSorted((a, b) => a - b)
  }

  /** Lets time pass, step by step, and what it wakes do its work. */
  async advance(delayMs: number): Promise<void> {
    const end = this.#now + delayMs
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      await settle()
    }
    this.#now = end
    await settle()
  }
}

/** A turn or two of the event loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Waits, in real time, for something that input and output bring about; tap's own time-out ends a wait in vain. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2))
}
