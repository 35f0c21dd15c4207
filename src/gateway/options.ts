import type { Logger } from 'pino'
import type { RequestEvent } from '#telemetry/request-event.ts'

/** What a gateway gets from the process that starts it. Time and chance come in here, so that tests hold the clock. */
export interface GatewayDependencies {
  /** Unix time, milliseconds. */
  readonly now: () => number
  /** Monotonic, milliseconds; durations and deadlines. */
  readonly monotonic: () => number
  /** 0 ≤ x < 1 */
  readonly random: () => number
  /** Unique and URL-safe. */
  readonly newId: () => string
  readonly log: Logger
  /** Called once a request, after its end. Must not throw. */
  readonly record: (event: RequestEvent) => void
}

export interface GatewayOptions {
  /** Product version, for `/api/version` and logs. */
  readonly version: string
  /** Where the error pages are, without trailing slash. */
  readonly docsUrl: string
  /** `Standalone`: without any GatewayClient no key is needed, as long as the listener is on loopback. */
  readonly role: 'Standalone' | 'Cluster'
  readonly privateAddresses: 'Allow' | 'Deny'
  readonly limits: GatewayLimits
}

export interface GatewayLimits {
  /** Requests under way; the next one gets 503. */
  readonly maxInFlight: number
  /** All request bodies in memory together, bytes. */
  readonly maxBodyMemoryBytes: number
  /** Delay of the event loop, three times in succession, above which new requests get 503; ms. */
  readonly maxLoopDelayMs: number
  readonly bodyTimeoutMs: number
  /** A client that reads nothing for this long is cut. */
  readonly stalledReaderMs: number
  /** Silence after which an open stream carries a heartbeat. */
  readonly heartbeatMs: number
}

export const DEFAULT_LIMITS: GatewayLimits = {
  maxInFlight: 2_000,
  maxBodyMemoryBytes: 512 * 1024 * 1024,
  maxLoopDelayMs: 1_000,
  bodyTimeoutMs: 60_000,
  stalledReaderMs: 60_000,
  heartbeatMs: 15_000,
}
