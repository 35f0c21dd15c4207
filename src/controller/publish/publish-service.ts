import { KorProxyError } from '#errors/korproxy-error.ts'
import {
  type GatewayAck,
  type GatewayCommand,
  type GatewayReport,
  readAck,
  readReport,
  type SnapshotNotice,
  type StreamEvent,
} from '#table/messages.ts'
import type { SnapshotManifest } from '#table/snapshot.ts'
import type { SectionName } from '#table/table-formats.ts'
import type { TimeAndChance } from '../kube/time-and-chance.ts'
import { checkSpeaker, type GatewayIdentity } from './gateway-authenticator.ts'
import type { GatewayRoster } from './gateway-roster.ts'
import type { Publisher } from './publisher.ts'

/** Gateways take a stream that is silent for 45 s for dead. */
const PING_MS = 15_000
/** Gateways of a controller that goes come back to the others over this time. */
const RECONNECT_WITHIN_MS = 2_000
/** Long enough to be rare, shorter than what proxies allow. */
export const MAX_WAIT_MS = 55_000

/** Where events of a stream go. */
export interface EventSink {
  send(event: StreamEvent): void
  /** Shows that the stream lives. */
  ping(): void
  end(): void
}

interface OpenStream {
  /** Pod. */
  readonly gateway: string
  readonly formats: readonly number[]
  readonly sink: EventSink
  /** What was sent last. */
  sent: string | undefined
}

export interface PublishServiceOptions {
  readonly world: TimeAndChance
  readonly publisher: Publisher
  readonly roster: GatewayRoster
  /** What every gateway is told when it comes. */
  readonly greeting: () => readonly GatewayCommand[]
  readonly acknowledged?: (ack: GatewayAck) => void
}

/** What a controller does for gateways, whatever carries it. Who speaks has been made sure of. */
export class PublishService {
  readonly #options: PublishServiceOptions
  readonly #streams = new Set<OpenStream>()
  /** Those that wait for another version. */
  readonly #waiters = new Set<() => void>()
  #cancelPing: () => void
  #draining = false

  constructor(options: PublishServiceOptions) {
    this.#options = options
    this.#cancelPing = options.world.after(PING_MS, () => this.#ping())
  }

  get streams(): number {
    return this.#streams.size
  }

  /**
   * Tells the sink what this gateway should run, now and whenever that changes. Call the result when the gateway is gone.
   * @throws KP-SYS-503 before the first table and while draining, KP-CONF-212 when the gateway reads no format that is served
   */
  openStream({ gateway }: GatewayIdentity, formats: readonly number[], sink: EventSink): () => void {
    this.#checkServing()
    // Throws where there is nothing in common.
    this.#options.publisher.noticeFor(gateway, formats)
    const stream: OpenStream = { gateway, formats, sink, sent: undefined }
    this.#streams.add(stream)
    const left = this.#options.roster.streamOpened(gateway)
    this.#tell(stream)
    for (const data of this.#options.greeting()) sink.send({ event: 'command', data })
    return () => {
      this.#streams.delete(stream)
      left()
    }
  }

  /** Undefined when this version is not kept here. */
  manifest(version: string): SnapshotManifest | undefined {
    return this.#options.publisher.archive.manifest(version)
  }

  /** Gzip of the section's JSON; undefined when this version is not kept here. */
  async section(version: string, name: SectionName): Promise<Buffer | undefined> {
    return this.#options.publisher.archive.section(version, name)
  }

  /**
   * What the gateway should run, once that is another version than the one it has; undefined when it did not change in time.
   * @throws as `openStream`
   */
  async current({ gateway }: GatewayIdentity, question: CurrentQuestion): Promise<SnapshotNotice | undefined> {
    const { formats, has, waitMs, signal } = question
    const { publisher, world } = this.#options
    const deadline = world.monotonic() + Math.min(waitMs, MAX_WAIT_MS)
    for (;;) {
      this.#checkServing()
      const notice = publisher.noticeFor(gateway, formats)
      if (notice !== undefined && notice.version !== has) return notice
      const leftMs = deadline - world.monotonic()
      if (leftMs <= 0 || signal.aborted) return undefined
      await this.#wait(leftMs, signal)
    }
  }

  /** @throws KP-SYS-516 for what is no acknowledgement, KP-AUTH-010 for that of another gateway */
  acknowledge(identity: GatewayIdentity, body: unknown): void {
    const received = readAck(body)
    if ('fault' in received) throw new KorProxyError('KP-SYS-516', { message: received.fault })
    checkSpeaker(identity, received.message.gateway)
    this.#options.roster.acknowledged(received.message)
    this.#options.acknowledged?.(received.message)
  }

  /** @throws KP-SYS-516 for what is no report, KP-AUTH-010 for that of another gateway */
  report(identity: GatewayIdentity, body: unknown): GatewayReport {
    const received = readReport(body)
    if ('fault' in received) throw new KorProxyError('KP-SYS-516', { message: received.fault })
    checkSpeaker(identity, received.message.gateway)
    this.#options.roster.reported(received.message)
    return received.message
  }

  /** To every gateway that has a stream here. */
  command(data: GatewayCommand): void {
    for (const { sink } of this.#streams) sink.send({ event: 'command', data })
  }

  /** What gateways should run may have changed. */
  targetsChanged(): void {
    for (const stream of this.#streams) this.#tell(stream)
    this.#wakeAll()
  }

  /** Sends the gateways to the other controllers; from now on nobody is taken in. */
  drain(): void {
    this.#draining = true
    for (const { sink } of this.#streams) {
      sink.send({ event: 'drain', data: { reconnectWithinMs: RECONNECT_WITHIN_MS } })
    }
    this.#wakeAll()
  }

  close(): void {
    this.#draining = true
    this.#cancelPing()
    for (const { sink } of this.#streams) sink.end()
    this.#wakeAll()
  }

  #checkServing(): void {
    // A gateway that is sent to a controller which knows nothing yet would wait there in vain: another one may know.
    if (this.#draining || this.#options.publisher.stable === undefined) {
      throw new KorProxyError('KP-SYS-503', {}, { retryAfterMs: 1_000 })
    }
  }

  #tell(stream: OpenStream): void {
    const notice = this.#options.publisher.noticeFor(stream.gateway, stream.formats)
    if (notice === undefined || notice.version === stream.sent) return
    stream.sent = notice.version
    stream.sink.send({ event: 'snapshot', data: notice })
  }

  async #wait(limitMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        cancel()
        signal.removeEventListener('abort', wake)
        this.#waiters.delete(wake)
        resolve()
      }
      const cancel = this.#options.world.after(limitMs, wake)
      signal.addEventListener('abort', wake, { once: true })
      this.#waiters.add(wake)
    })
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiters]) wake()
  }

  #ping(): void {
    for (const { sink } of this.#streams) sink.ping()
    this.#cancelPing = this.#options.world.after(PING_MS, () => this.#ping())
  }
}

export interface CurrentQuestion {
  readonly formats: readonly number[]
  /** The version that the gateway has. */
  readonly has: string | undefined
  readonly waitMs: number
  /** Aborted when the gateway does not wait any more. */
  readonly signal: AbortSignal
}
