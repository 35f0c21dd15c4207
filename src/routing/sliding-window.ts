const BUCKETS = 60
const BUCKET_MS = 1_000

/** How much of something was used in the last minute, to the second. */
export class SlidingWindow {
  readonly #amounts = new Float64Array(BUCKETS)
  readonly #slots = new Float64Array(BUCKETS).fill(-1)

  add(amount: number, nowMs: number): void {
    const slot = Math.floor(nowMs / BUCKET_MS)
    const index = slot % BUCKETS
    if (this.#slots[index] !== slot) {
      this.#slots[index] = slot
      this.#amounts[index] = 0
    }
    this.#amounts[index] = (this.#amounts[index] ?? 0) + amount
  }

  /** Unix time, milliseconds, from which less than `limit` is in use; `nowMs` when that is so now. */
  freeAtMs(limit: number, nowMs: number): number {
    const newest = Math.floor(nowMs / BUCKET_MS)
    let used = 0
    for (let slot = newest - BUCKETS + 1; slot <= newest; slot += 1) used += this.#amountOf(slot)
    if (used < limit) return nowMs
    for (let slot = newest - BUCKETS + 1; slot <= newest; slot += 1) {
      used -= this.#amountOf(slot)
      if (used < limit) return (slot + BUCKETS) * BUCKET_MS
    }
    return nowMs + BUCKETS * BUCKET_MS
  }

  #amountOf(slot: number): number {
    const index = ((slot % BUCKETS) + BUCKETS) % BUCKETS
    return this.#slots[index] === slot ? (this.#amounts[index] ?? 0) : 0
  }
}
