import type { ClientWorld } from './controller-transport.ts'

type Timers = Pick<ClientWorld, 'after'>

/** Calls back when nobody restarted it for so long. */
export class Countdown {
  readonly #timers: Timers
  readonly #limitMs: number
  readonly #over: () => void
  #cancel: () => void

  constructor(timers: Timers, limitMs: number, over: () => void) {
    this.#timers = timers
    this.#limitMs = limitMs
    this.#over = over
    this.#cancel = timers.after(limitMs, over)
  }

  restart(): void {
    this.#cancel()
    this.#cancel = this.#timers.after(this.#limitMs, this.#over)
  }

  stop(): void {
    this.#cancel()
  }
}

/** Runs a task again and again, the next one a period after the last one is done; the result stops it. */
export function repeat(timers: Timers, periodMs: () => number, task: () => Promise<void> | void): () => void {
  let state: 'Going' | 'Stopped' = 'Going'
  let cancel = (): void => {}
  const again = (): void => {
    if (state === 'Going') cancel = timers.after(periodMs(), () => void Promise.resolve(task()).then(again))
  }
  again()
  return () => {
    state = 'Stopped'
    cancel()
  }
}

/** Resolves after the time, or at once when the signal is aborted; never rejects. */
export function pause(timers: Timers, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || delayMs <= 0) {
      resolve()
      return
    }
    const wake = (): void => {
      cancel()
      signal.removeEventListener('abort', wake)
      resolve()
    }
    const cancel = timers.after(delayMs, wake)
    signal.addEventListener('abort', wake, { once: true })
  })
}
