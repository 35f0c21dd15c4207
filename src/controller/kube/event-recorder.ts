import { API_VERSION } from '#resources/kind-definition.ts'
import type { ObjectReference } from '#resources/resource.ts'
import type { ApiClient } from './api-client.ts'
import { isRefusal } from './api-error.ts'
import { EVENTS } from './api-resource.ts'
import { microTimestampOf, type TimeAndChance } from './time-and-chance.ts'

const CONTROLLER = 'korproxy.dev/controller'
/** The same event again within this time is counted, not made anew. */
const SERIES_MS = 600_000
/** A count is written at most this often. */
const SERIES_WRITE_MS = 60_000
/** Per object: this many at once, then one each `REFILL_MS`. */
const BURST = 25
const REFILL_MS = 60_000
const MAX_NOTE_LENGTH = 1024
const MAX_KNOWN = 4_096

export interface RecordedEvent {
  readonly ref: ObjectReference
  readonly uid?: string
  readonly type: 'Normal' | 'Warning'
  /** One word for programs, e.g. `SnapshotRejected`. */
  readonly reason: string
  /** What was being done, e.g. `Publish`. */
  readonly action: string
  /** A sentence for people. */
  readonly note: string
}

export interface EventRecorderOptions {
  readonly client: Pick<ApiClient, 'create' | 'mergePatch'>
  readonly world: TimeAndChance
  /** This replica, usually its pod. */
  readonly instance: string
  /** An event could not be written; it is lost, and nothing else is. */
  readonly onFailure: (error: unknown, event: RecordedEvent) => void
  /** Events that the rate limit swallowed. */
  readonly onDropped?: (event: RecordedEvent) => void
}

interface Series {
  readonly namespace: string
  /** Undefined until the API server has it. */
  name: string | undefined
  count: number
  lastAt: number
  writtenAt: number
}

/** Writes Events of events.k8s.io/v1: repeated ones as one with a count, and never more than people can read. */
export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #series = new Map<string, Series>()
  readonly #allowance = new Map<string, { tokens: number; at: number }>()

  constructor(options: EventRecorderOptions) {
    this.#options = options
  }

  /** Never rejects: an Event is for information. */
  async record(event: RecordedEvent): Promise<void> {
    const now = this.#options.world.monotonic()
    const key = JSON.stringify([event.ref, event.uid, event.type, event.reason, event.note])
    const known = this.#series.get(key)
    try {
      if (known !== undefined && now - known.lastAt < SERIES_MS) await this.#repeat(known, now)
      else if (this.#isAllowed(event.ref, now)) await this.#create(key, event, now)
      else this.#options.onDropped?.(event)
    } catch (error) {
      this.#options.onFailure(error, event)
    }
  }

  async #create(key: string, event: RecordedEvent, now: number): Promise<void> {
    this.#forgetOld(now)
    const { client, world } = this.#options
    const namespace = event.ref.namespace
    const series: Series = { namespace, name: undefined, count: 1, lastAt: now, writtenAt: now }
    this.#series.set(key, series)
    const suffix = Math.floor(world.random() * 2 ** 48)
      .toString(16)
      .padStart(12, '0')
    const name = `${event.ref.name.slice(0, 200)}.${suffix}`
    await client.create({ resource: EVENTS, namespace }, this.#body(event, name))
    series.name = name
  }

  async #repeat(series: Series, now: number): Promise<void> {
    const { client, world } = this.#options
    series.count += 1
    series.lastAt = now
    if (series.name === undefined || now - series.writtenAt < SERIES_WRITE_MS) return
    series.writtenAt = now
    const observed = { count: series.count, lastObservedTime: microTimestampOf(world.unixTime()) }
    try {
      await client.mergePatch(
        { resource: EVENTS, namespace: series.namespace, name: series.name },
        { series: observed },
      )
    } catch (error) {
      // The API server keeps events for an hour only.
      if (!isRefusal(error, 404)) throw error
      series.lastAt = Number.NEGATIVE_INFINITY
    }
  }

  #body({ ref, uid, type, reason, action, note }: RecordedEvent, name: string): object {
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: ref.namespace, name },
      eventTime: microTimestampOf(this.#options.world.unixTime()),
      reportingController: CONTROLLER,
      reportingInstance: this.#options.instance.slice(0, 128),
      regarding: { apiVersion: API_VERSION, ...ref, ...(uid !== undefined && { uid }) },
      type,
      reason,
      action,
      note: note.length > MAX_NOTE_LENGTH ? `${note.slice(0, MAX_NOTE_LENGTH - 1)}…` : note,
    }
  }

  #isAllowed({ kind, namespace, name }: ObjectReference, now: number): boolean {
    const key = `${kind}/${namespace}/${name}`
    const { tokens, at } = this.#allowance.get(key) ?? { tokens: BURST, at: now }
    const filled = Math.min(BURST, tokens + (now - at) / REFILL_MS)
    this.#allowance.set(key, { tokens: filled >= 1 ? filled - 1 : filled, at: now })
    return filled >= 1
  }

  #forgetOld(now: number): void {
    if (this.#series.size + this.#allowance.size < MAX_KNOWN) return
    for (const [key, { lastAt }] of this.#series) if (now - lastAt >= SERIES_MS) this.#series.delete(key)
    for (const [key, { at }] of this.#allowance) if (now - at >= BURST * REFILL_MS) this.#allowance.delete(key)
  }
}
