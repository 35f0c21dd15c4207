/** Clock, timers and randomness of the controller, handed in so that tests decide them. */
export interface TimeAndChance {
  /** Milliseconds of a clock that never jumps; only differences mean something. */
  monotonic(): number
  /** Unix time, milliseconds. */
  unixTime(): number
  /** Calls back once; the function returned cancels it. */
  after(delayMs: number, callback: () => void): () => void
  /** From 0 up to, but not including, 1. */
  random(): number
}

export const SYSTEM_TIME_AND_CHANCE: TimeAndChance = {
  monotonic: () => performance.now(),
  unixTime: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}

/** Resolves after the time, or at once when the signal is aborted; never rejects. */
export function pause(world: TimeAndChance, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const wake = (): void => {
      cancel()
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const cancel = world.after(delayMs, wake)
    signal?.addEventListener('abort', wake, { once: true })
  })
}

/** RFC 3339 to the second, as `metav1.Time`. */
export function timestampOf(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19)}Z`
}

/** RFC 3339 with six digits of a second, as `metav1.MicroTime`. */
export function microTimestampOf(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 23)}000Z`
}
