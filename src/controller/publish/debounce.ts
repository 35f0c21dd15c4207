import type { TimeAndChance } from '../kube/time-and-chance.ts'

/** Quiet time after the last change before it is published: `kubectl apply -f folder/` is many changes. */
const QUIET_MS = 100
/** A change is published after this time at the latest, however busy the cluster is. */
const LATEST_MS = 1_000

/** Lets changes gather, so that a burst is one change. The last one counts; one that is urgent waits for nothing. */
export class Debounce<Change> {
  readonly #world: Pick<TimeAndChance, 'monotonic' | 'after'>
  readonly #deliver: (change: Change) => void
  #waiting: { readonly change: Change; readonly sinceMs: number } | undefined
  #cancel: () => void = () => {}

  constructor(world: Pick<TimeAndChance, 'monotonic' | 'after'>, deliver: (change: Change) => void) {
    this.#world = world
    this.#deliver = deliver
  }

  /** The change that waits, if one does. */
  get waiting(): Change | undefined {
    return this.#waiting?.change
  }

  add(change: Change): void {
    const nowMs = this.#world.monotonic()
    const sinceMs = this.#waiting?.sinceMs ?? nowMs
    this.#waiting = { change, sinceMs }
    this.#cancel()
    this.#cancel = this.#world.after(Math.max(0, Math.min(QUIET_MS, sinceMs + LATEST_MS - nowMs)), () => this.#flush())
  }

  /** Takes the place of what was waiting. */
  addUrgent(change: Change): void {
    this.close()
    this.#deliver(change)
  }

  /** What was waiting is forgotten. */
  close(): void {
    this.#cancel()
    this.#waiting = undefined
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) this.#deliver(waiting.change)
  }
}
