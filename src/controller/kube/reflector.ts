import type { Query, WatchEvent, WatchingClient } from './api-client.ts'
import { isExpired, isFromTheFuture, isRefusal } from './api-error.ts'
import type { ApiAddress } from './api-resource.ts'
import { Backoff } from './backoff.ts'
import { type KubeObject, keyOfObject } from './kube-object.ts'
import { type CacheChange, ObjectCache } from './object-cache.ts'
import { pause, type TimeAndChance } from './time-and-chance.ts'

/**
 * A watch ends after this time, more or less, and a new one goes on from there. Bookmarks come only once a minute, and before the end
 * of a watch: a shorter watch is what makes a dead connection known within a minute, whatever the kernel says of it.
 */
const WATCH_SECONDS = 45
/** Longer than any watch. */
const SILENCE_MS = 55_000
const INITIAL_SILENCE_MS = 30_000
/** A watch that lived shorter counts as a failure, so that a server which closes at once is not stormed. */
const SOUND_LIFE_MS = 5_000
const BACKOFF = { firstMs: 500, maxMs: 30_000 }
/** Where nobody answers, nobody is burdened, and a server that is back should be noticed soon. */
const UNREACHABLE_MAX_MS = 3_000
const COMPARE_MS = 600_000
/** Events of what a list shows may be on their way. */
const SETTLE_MS = 2_000
const STALE_MS = 180_000
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

export type ReflectorCounter = 'Relists' | 'Reconnects' | 'CacheMismatches'

interface ReflectorListener {
  /** What changed, in order; those of a relist come together. */
  changed(changes: readonly CacheChange[]): void
  /** Something failed and is tried again after `retryInMs`. */
  troubled(error: unknown, retryInMs: number): void
  counted(counter: ReflectorCounter, amount: number): void
  /** The whole collection is known; also after each relist. */
  synced(): void
}

export interface ReflectorOptions {
  readonly client: WatchingClient
  readonly address: ApiAddress
  /** Selectors. */
  readonly query?: Query
  readonly world: TimeAndChance
  readonly listener: ReflectorListener
}

/**
 * Keeps a copy of a collection, through everything that can happen to a watch.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export class Reflector {
  readonly #options: ReflectorOptions
  readonly #cache = new ObjectCache()
  readonly #backoff: Backoff
  /** Where the next watch goes on; undefined = everything must be listed again. */
  #version: string | undefined
  /** As `#version`, but not forgotten when everything must be listed again. */
  #reached: string | undefined
  #streaming = true
  #unreachable = false
  #synced = false
  #contactAt: number
  #eventAt: number
  #relistAt = Number.NEGATIVE_INFINITY
  #silences = 0
  #attempt: AbortController | undefined

  constructor(options: ReflectorOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.world, BACKOFF)
    this.#contactAt = options.world.monotonic()
    this.#eventAt = this.#contactAt
  }

  get objects(): ReadonlyMap<string, KubeObject> {
    return this.#cache.objects
  }

  /** Whether the collection was known as a whole at some time. */
  get synced(): boolean {
    return this.#synced
  }

  /** The newest resourceVersion that was seen; undefined before the first list. */
  get reached(): string | undefined {
    return this.#reached
  }

  /** Whether the API server has been out of reach for so long that the copy may be badly outdated. */
  get stale(): boolean {
    return this.#options.world.monotonic() - this.#contactAt > STALE_MS
  }

  /** Since the last event or bookmark, milliseconds. */
  get lastEventAgeMs(): number {
    return this.#options.world.monotonic() - this.#eventAt
  }

  /** Until the signal is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { world, listener } = this.#options
    const comparing = this.#compareNowAndThen(signal)
    while (!signal.aborted) {
      const startedAt = world.monotonic()
      let delayMs = 0
      try {
        await this.#follow(signal)
        delayMs = this.#isSound(startedAt) ? 0 : this.#backoff.next()
      } catch (error) {
        if (signal.aborted) break
        delayMs = this.#delayAfter(error, startedAt)
        listener.troubled(error, delayMs)
      }
      if (signal.aborted) break
      listener.counted('Reconnects', 1)
      if (delayMs > 0) await pause(world, delayMs, signal)
    }
    await comparing
  }

  /** One list, where one is needed, and one watch. */
  async #follow(signal: AbortSignal): Promise<void> {
    const attempt = new AbortController()
    const abort = (): void => attempt.abort(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    this.#attempt = attempt
    let stopWatchdog = (): void => {}
    try {
      if (this.#version === undefined && !this.#streaming) await this.#relist(attempt.signal)
      stopWatchdog = this.#startWatchdog(attempt)
      await this.#watch(attempt.signal)
    } finally {
      stopWatchdog()
      signal.removeEventListener('abort', abort)
      attempt.abort()
    }
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const { client, address, query = {} } = this.#options
    const { items, resourceVersion } = await client.list(address, query, signal)
    this.#swap(items, resourceVersion)
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, address, query = {}, world } = this.#options
    const timeoutSeconds = Math.round(WATCH_SECONDS * (0.9 + 0.2 * world.random()))
    const start: Query =
      this.#version === undefined
        ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
        : { resourceVersion: this.#version }
    const events = await client.watch(
      address,
      { ...query, ...start, allowWatchBookmarks: true, timeoutSeconds },
      signal,
    )
    this.#contactAt = world.monotonic()
    const initial = new Map<string, KubeObject>()
    for await (const event of events) {
      this.#silences = 0
      this.#contactAt = world.monotonic()
      this.#eventAt = this.#contactAt
      if (this.#version === undefined) this.#collect(event, initial)
      else this.#take(event)
    }
  }

  /** Everything that exists comes as events first; only when it is complete does it count. */
  #collect({ type, object }: WatchEvent, initial: Map<string, KubeObject>): void {
    if (type === 'BOOKMARK') {
      const complete = object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true'
      if (complete) this.#swap([...initial.values()], object.metadata.resourceVersion)
    } else if (type === 'DELETED') initial.delete(keyOfObject(object))
    else initial.set(keyOfObject(object), object)
  }

  #take({ type, object }: WatchEvent): void {
    this.#version = object.metadata.resourceVersion
    this.#reached = this.#version
    if (type === 'BOOKMARK') return
    const changes = type === 'DELETED' ? this.#cache.remove(object) : this.#cache.set(object)
    if (changes.length > 0) this.#options.listener.changed(changes)
  }

  #swap(items: readonly KubeObject[], version: string): void {
    const { listener, world } = this.#options
    const changes = this.#cache.replace(items)
    this.#version = version
    this.#reached = version
    this.#contactAt = world.monotonic()
    this.#eventAt = this.#contactAt
    this.#relistAt = this.#contactAt
    if (this.#synced) listener.counted('Relists', 1)
    this.#synced = true
    if (changes.length > 0) listener.changed(changes)
    listener.synced()
  }

  #startWatchdog(attempt: AbortController): () => void {
    const { world } = this.#options
    let heardAt = world.monotonic()
    let cancel = (): void => {}
    const look = (): void => {
      const initial = this.#version === undefined
      const limitMs = initial ? INITIAL_SILENCE_MS : SILENCE_MS
      heardAt = Math.max(heardAt, this.#eventAt)
      const leftMs = heardAt + limitMs - world.monotonic()
      if (leftMs > 0) {
        cancel = world.after(Math.min(leftMs, INITIAL_SILENCE_MS), look)
        return
      }
      this.#silences += 1
      // A server may take the request and never say that the list is complete.
      if (initial) this.#streaming = false
      else if (this.#silences > 1) this.#version = undefined
      attempt.abort(new Error(`silent for ${limitMs / 1000} s`))
    }
    cancel = world.after(INITIAL_SILENCE_MS, look)
    return () => cancel()
  }

  #delayAfter(error: unknown, startedAt: number): number {
    const { world } = this.#options
    if (this.#version === undefined && this.#streaming && isStreamingRefused(error)) {
      this.#streaming = false
      return 0
    }
    if (isRefusal(error, 404)) this.#version = undefined
    if (isExpired(error) || isFromTheFuture(error)) {
      this.#version = undefined
      if (world.monotonic() - this.#relistAt > SOUND_LIFE_MS) return 0
    }
    this.#isSound(startedAt)
    if (!isRefusal(error)) {
      this.#unreachable = true
      return Math.min(this.#backoff.next(), UNREACHABLE_MAX_MS)
    }
    // It is back; what it says first, while it starts, is not yet a long story.
    if (this.#unreachable) this.#backoff.reset()
    this.#unreachable = false
    return this.#backoff.next(error.retryAfterMs)
  }

  #isSound(startedAt: number): boolean {
    const sound = this.#options.world.monotonic() - startedAt >= SOUND_LIFE_MS
    if (sound) this.#backoff.reset()
    return sound
  }

  /** Every ten minutes the copy is compared with a list. A difference is counted, and mended by a relist. */
  async #compareNowAndThen(signal: AbortSignal): Promise<void> {
    const { world, listener } = this.#options
    while (!signal.aborted) {
      await pause(world, COMPARE_MS * (0.9 + 0.2 * world.random()), signal)
      if (signal.aborted || this.#version === undefined) continue
      try {
        const mismatches = await this.#compare(signal)
        if (mismatches === 0) continue
        listener.counted('CacheMismatches', mismatches)
        this.#version = undefined
        this.#attempt?.abort(new Error(`${mismatches} objects differ from the list`))
      } catch (error) {
        if (!signal.aborted) listener.troubled(error, COMPARE_MS)
      }
    }
  }

  async #compare(signal: AbortSignal): Promise<number> {
    const { client, address, query = {}, world } = this.#options
    this.#cache.beginComparison()
    const { items } = await client.list(address, query, signal)
    await pause(world, SETTLE_MS, signal)
    return this.#cache.endComparison(items)
  }
}

/** Servers without streaming lists say that the query is wrong. */
function isStreamingRefused(error: unknown): boolean {
  return isRefusal(error) && [400, 415, 422].includes(error.status)
}
