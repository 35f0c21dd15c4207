export interface LadderPolicy {
  readonly initialMs: number
  readonly maxMs: number
  readonly multiplier: number
  readonly jitterPercent: number
}

export interface SavedLadder {
  readonly step: number
  readonly sinceMs: number
  readonly untilMs: number
}

/** Growing waits: 30 s, 60 s, 120 s … with jitter. Only a limit that comes after the last wait is over climbs a step. */
export class BackoffLadder {
  #step = 0
  #sinceMs = 0
  #untilMs = 0

  /** When the current or last wait began, Unix time in milliseconds. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  /** Unix time in milliseconds; in the past when nothing is waited for. */
  get untilMs(): number {
    return this.#untilMs
  }

  /**
   * Fifty requests that are refused at the same moment are one limit, not fifty.
   * @param givenMs the provider's own wait, already bounded; it replaces the step's wait
   */
  limit(
    policy: LadderPolicy,
    givenMs: number | undefined,
    at: { readonly nowMs: number; readonly random: number },
  ): void {
    if (lasts(this, at.nowMs)) {
      if (givenMs !== undefined) this.#untilMs = Math.max(this.#untilMs, at.nowMs + givenMs)
      return
    }
    this.#sinceMs = at.nowMs
    this.#untilMs = at.nowMs + (givenMs ?? waitOf(policy, this.#step, at.random))
    this.#step += 1
  }

  /** A success: the next limit waits as long as the first. What began before the limit says nothing about it. */
  succeed(startedAtMs: number): void {
    if (startedAtMs < this.#sinceMs) return
    this.reset()
  }

  reset(): void {
    this.#step = 0
    this.#sinceMs = 0
    this.#untilMs = 0
  }

  save(): SavedLadder {
    return { step: this.#step, sinceMs: this.#sinceMs, untilMs: this.#untilMs }
  }

  /** @param latestMs no wait ends later than this, whatever a clock did in between */
  restore(saved: SavedLadder, latestMs: number): void {
    this.#step = saved.step
    this.#sinceMs = saved.sinceMs
    this.#untilMs = Math.min(saved.untilMs, latestMs)
  }
}

/** A wait that would begin later than now is one of before the clock was set back: nobody knows how long it still is. */
export function lasts(wait: { readonly sinceMs: number; readonly untilMs: number }, nowMs: number): boolean {
  return nowMs < wait.untilMs && nowMs >= wait.sinceMs
}

/** `random` from 0 to 1 moves the wait by up to the jitter in both directions; the maximum holds after it. */
function waitOf(policy: LadderPolicy, step: number, random: number): number {
  const wait = Math.min(policy.initialMs * policy.multiplier ** step, policy.maxMs)
  const jitter = 1 + (policy.jitterPercent / 100) * (2 * random - 1)
  return Math.round(Math.min(wait * jitter, policy.maxMs))
}
