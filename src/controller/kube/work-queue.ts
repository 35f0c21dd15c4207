import type { TimeAndChance } from './time-and-chance.ts'

const FIRST_RETRY_MS = 5
const MAX_RETRY_MS = 60_000

/** What to do with one key. Whoever handles it says what becomes of a failure: `retry` or `forget`. */
export type WorkHandler = (key: string) => Promise<void>

/**
 * Keys that wait for work. A key waits once however often it is added, and never runs twice at the same time: added while it
 * runs, it runs once more afterwards.
 * @see https://pkg.go.dev/k8s.io/client-go/util/workqueue
 */
export class WorkQueue {
  readonly #world: TimeAndChance
  readonly #waiting = new Set<string>()
  readonly #running = new Set<string>()
  /** Added while they ran. */
  readonly #again = new Set<string>()
  readonly #failures = new Map<string, number>()
  /** When each timer fires, and how to stop it. */
  readonly #timers = new Map<string, { readonly at: number; readonly cancel: () => void }>()
  #wake: (() => void)[] = []
  #closed = false

  constructor(world: TimeAndChance) {
    this.#world = world
  }

  get length(): number {
    return this.#waiting.size
  }

  add(key: string): void {
    if (this.#closed) return
    this.#stopTimer(key)
    if (this.#running.has(key)) this.#again.add(key)
    else {
      this.#waiting.add(key)
      this.#wake.shift()?.()
    }
  }

  /** Of several times for one key the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return
    if (delayMs <= 0) {
      this.add(key)
      return
    }
    const at = this.#world.monotonic() + delayMs
    const timer = this.#timers.get(key)
    if (timer !== undefined && timer.at <= at) return
    timer?.cancel()
    this.#timers.set(key, { at, cancel: this.#world.after(delayMs, () => this.add(key)) })
  }

  /** Adds a key that failed: after 5 ms, 10 ms, 20 ms … 60 s. @param atLeastMs what the other side asked for */
  retry(key: string, atLeastMs = 0): void {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    this.addAfter(key, Math.max(atLeastMs, Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 30))))
  }

  /** A key that succeeded, or that nobody wants any more. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** Works with so many at a time until the queue is closed, and resolves when the last one is done. */
  async run(workers: number, handler: WorkHandler): Promise<void> {
    await Promise.all(Array.from({ length: workers }, () => this.#work(handler)))
  }

  close(): void {
    this.#closed = true
    for (const key of [...this.#timers.keys()]) this.#stopTimer(key)
    this.#waiting.clear()
    const sleepers = this.#wake
    this.#wake = []
    for (const wake of sleepers) wake()
  }

  async #work(handler: WorkHandler): Promise<void> {
    for (let key = await this.#next(); key !== undefined; key = await this.#next()) {
      try {
        await handler(key)
      } finally {
        this.#done(key)
      }
    }
  }

  async #next(): Promise<string | undefined> {
    while (!this.#closed) {
      const [key] = this.#waiting
      if (key !== undefined) {
        this.#waiting.delete(key)
        this.#running.add(key)
        return key
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
    return undefined
  }

  #done(key: string): void {
    this.#running.delete(key)
    if (this.#again.delete(key)) this.add(key)
  }

  #stopTimer(key: string): void {
    this.#timers.get(key)?.cancel()
    this.#timers.delete(key)
  }
}
