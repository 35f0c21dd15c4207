import type { ApiClient } from '../kube/api-client.ts'
import { isLastingRefusal, isRefusal } from '../kube/api-error.ts'
import { type ApiAddress, resourceOfKind } from '../kube/api-resource.ts'
import type { TimeAndChance } from '../kube/time-and-chance.ts'
import { WorkQueue } from '../kube/work-queue.ts'
import type { ObservedObject } from '../sources/observed-objects.ts'
import { objectKey } from './gateway-acks.ts'
import { meaningOf } from './status-meaning.ts'
import type { ObjectStatus } from './status-of.ts'

const FIELD_MANAGER = 'korproxy-controller'
const WRITERS = 8
/** Changes of one object within this time are one write. */
const COALESCE_MS = 1_000
/** The watch shows our own write by then; afterwards what it shows is the truth. */
const ECHO_MS = 5_000

export interface StatusWriterOptions {
  readonly client: Pick<ApiClient, 'apply'>
  readonly world: TimeAndChance
  /** Asked before each write: only the leader writes. */
  readonly leads: () => boolean
  /** A status reached the API server. */
  readonly onWritten: (object: ObservedObject, status: ObjectStatus) => void
  /** It did not; `retried` tells whether it is tried again. */
  readonly onFailure: (error: unknown, object: ObservedObject, outcome: 'Retried' | 'GivenUp') => void
}

interface Wanted {
  readonly object: ObservedObject
  readonly status: ObjectStatus
  readonly meaning: string
}

/** What was last written, or finally refused, and when. */
interface Settled {
  readonly uid: string
  readonly meaning: string
  readonly at: number
  readonly outcome: 'Written' | 'Refused'
}

/** Writes status by server-side apply, and only where it means something else than what is there. */
export class StatusWriter {
  readonly #options: StatusWriterOptions
  readonly #queue: WorkQueue
  readonly #wanted = new Map<string, Wanted>()
  readonly #settled = new Map<string, Settled>()

  constructor(options: StatusWriterOptions) {
    this.#options = options
    this.#queue = new WorkQueue(options.world)
  }

  /** Until `close`; what is being written then is finished. */
  async run(): Promise<void> {
    await this.#queue.run(WRITERS, (key) => this.#write(key))
  }

  close(): void {
    this.#queue.close()
  }

  /** Statuses that wait to be written. */
  get pending(): number {
    return this.#queue.length
  }

  /** The whole of what is to be said now; objects that are not in it are gone. */
  want(statuses: readonly { readonly object: ObservedObject; readonly status: ObjectStatus }[]): void {
    const keys = new Set<string>()
    for (const { object, status } of statuses) {
      const key = objectKey(object.ref)
      keys.add(key)
      this.#want(key, { object, status, meaning: meaningOf(object.kind, status) })
    }
    for (const key of [...this.#wanted.keys(), ...this.#settled.keys()]) if (!keys.has(key)) this.#drop(key)
  }

  #want(key: string, wanted: Wanted): void {
    this.#wanted.set(key, wanted)
    if (this.#isSaid(key, wanted)) return
    const waitMs =
      (this.#settled.get(key)?.at ?? Number.NEGATIVE_INFINITY) + COALESCE_MS - this.#options.world.monotonic()
    this.#queue.addAfter(key, waitMs)
  }

  #isSaid(key: string, { object, meaning }: Wanted): boolean {
    const settled = this.#settled.get(key)
    if (settled?.uid === object.uid) {
      const recent = this.#options.world.monotonic() - settled.at < ECHO_MS
      if (recent || settled.outcome === 'Refused') return settled.meaning === meaning
    }
    return meaningOf(object.kind, object.status) === meaning
  }

  #drop(key: string): void {
    this.#wanted.delete(key)
    this.#settled.delete(key)
    this.#queue.forget(key)
  }

  async #write(key: string): Promise<void> {
    const wanted = this.#wanted.get(key)
    if (wanted === undefined || this.#isSaid(key, wanted) || !this.#options.leads()) return
    const { object, status } = wanted
    try {
      await this.#options.client.apply(addressOf(object), bodyOf(object, status), { fieldManager: FIELD_MANAGER })
    } catch (error) {
      this.#failed(key, wanted, error)
      return
    }
    this.#settle(key, wanted, 'Written')
    this.#options.onWritten(object, status)
  }

  #failed(key: string, wanted: Wanted, error: unknown): void {
    const gone = isRefusal(error, 404)
    const lasting = isLastingRefusal(error)
    if (gone || lasting) this.#settle(key, wanted, 'Refused')
    else this.#queue.retry(key, isRefusal(error) ? error.retryAfterMs : undefined)
    if (!gone) this.#options.onFailure(error, wanted.object, lasting ? 'GivenUp' : 'Retried')
  }

  #settle(key: string, { object, meaning }: Wanted, outcome: Settled['outcome']): void {
    this.#settled.set(key, { uid: object.uid, meaning, at: this.#options.world.monotonic(), outcome })
    this.#queue.forget(key)
  }

  /** Somebody else may have changed status since: what was said before counts no more. Call when leadership is won. */
  reset(): void {
    this.#settled.clear()
  }
}

function addressOf({ kind, ref: { namespace, name } }: ObservedObject): ApiAddress {
  return { resource: resourceOfKind(kind), namespace, name, subresource: 'status' }
}

/** Should another object have taken the name meanwhile, the watch shows it with a status that is not its own, and it is written anew. */
function bodyOf({ ref: { namespace, name } }: ObservedObject, status: ObjectStatus): object {
  return { metadata: { namespace, name }, status }
}
