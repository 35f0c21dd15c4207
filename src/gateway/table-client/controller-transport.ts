import type { GatewayAck, GatewayReport, SnapshotNotice, StreamEvent } from '#table/messages.ts'
import type { SectionName } from '#table/table-formats.ts'

export interface StreamListener {
  event(event: StreamEvent): void
  /** Something arrived, if only a ping. */
  alive(): void
}

/**
 * One controller. Every method throws KP-SYS-532 when it does not answer and KP-SYS-533, KP-SYS-503 or KP-AUTH-010 when it will not, with
 * `retryAfterMs` where it said so.
 */
export interface ControllerSession {
  /** Resolves when the controller ends the stream or the signal is aborted. */
  stream(listener: StreamListener, signal: AbortSignal): Promise<void>
  /** Not checked yet. */
  manifest(version: string): Promise<unknown>
  /** JSON, not checked yet; at most `maxBytes`. */
  section(version: string, name: SectionName, maxBytes: number): Promise<string>
  /** What to run, once it is another version than this one; undefined when it did not change in time. */
  current(has: string | undefined, waitMs: number, signal: AbortSignal): Promise<SnapshotNotice | undefined>
  acknowledge(ack: GatewayAck): Promise<void>
  report(report: GatewayReport): Promise<void>
  close(): Promise<void>
}

/** Finds a controller; any of them will do, and each call may find another. */
export interface ControllerTransport {
  connect(): Promise<ControllerSession>
}

/** Clock, timers and chance, handed in so that tests decide them. */
export interface ClientWorld {
  /** Milliseconds of a clock that never jumps. */
  monotonic(): number
  /** Unix time, milliseconds. */
  unixTime(): number
  /** Calls back once; the function returned cancels it. */
  after(delayMs: number, callback: () => void): () => void
  /** 0 ≤ x < 1 */
  random(): number
}
