/** After this time a result counts for 37 % (1/e). */
const MEMORY_MS = 60_000
/** A result never counts for less than this, however many come at the same moment. */
const LEAST_SHARE = 0.1

export interface ScoreView {
  /** 0 … 1; 1 while nothing is known. */
  readonly successRate: number
  /**
   * Moving average until the first token (or until the end, where there is none), milliseconds. Falls while the account is idle:
   * a slow account that nobody asks could never show that it recovered.
   */
  readonly latencyMs: number | undefined
}

/** Rolling success rate and latency of an account. */
export class HealthScore {
  #successRate = 1
  #latencyMs: number | undefined
  #updatedAtMs = 0

  succeed(latencyMs: number, nowMs: number): void {
    const share = this.#shareOfNew(nowMs)
    this.#successRate += (1 - this.#successRate) * share
    const known = this.#latencyMs ?? latencyMs
    this.#latencyMs = known + (latencyMs - known) * share
    this.#updatedAtMs = nowMs
  }

  fail(nowMs: number): void {
    this.#successRate -= this.#successRate * this.#shareOfNew(nowMs)
    this.#updatedAtMs = nowMs
  }

  read(nowMs: number): ScoreView {
    const fading = Math.exp(-Math.max(0, nowMs - this.#updatedAtMs) / MEMORY_MS)
    return {
      successRate: 1 - (1 - this.#successRate) * fading,
      latencyMs: this.#latencyMs === undefined ? undefined : this.#latencyMs * fading,
    }
  }

  reset(): void {
    this.#successRate = 1
    this.#latencyMs = undefined
  }

  #shareOfNew(nowMs: number): number {
    return Math.max(LEAST_SHARE, 1 - Math.exp(-Math.max(0, nowMs - this.#updatedAtMs) / MEMORY_MS))
  }
}
