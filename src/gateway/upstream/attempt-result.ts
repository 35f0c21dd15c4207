import type { Failure } from '#providers/provider.ts'
import type { Outcome } from '#table/outcome.ts'
import type { ConnectionFailure } from './connection-failure.ts'

/** What became of one try at one account. */
export type AttemptResult =
  /** The client has a whole, sound answer. */
  | { readonly kind: 'answered'; readonly outcome: Outcome }
  /** Nothing reached the client; another account may try. */
  | { readonly kind: 'failed'; readonly failure: AttemptFailure }
  /** The answer broke off after the commit point; the client got an error event. */
  | { readonly kind: 'broken'; readonly failure: AttemptFailure }

/** What became of one call; `stale` says nothing of the provider yet, because its connection had ended before. */
export type CallResult = AttemptResult | { readonly kind: 'stale'; readonly failure: AttemptFailure }

export type AttemptFailure = Failure & Partial<Pick<ConnectionFailure, 'details'>>

/** Takes the body of a reply. Methods throw `SinkFailure` (nothing was sent yet) or `BadReply`. */
export interface ReplySink {
  data(chunk: Buffer): void
  /** The body is complete. Returns the result, or undefined while the sink finishes by itself (never at present). */
  end(): AttemptResult
  /** The body will not be completed. */
  fail(failure: AttemptFailure): AttemptResult
  /** Whether an answer has begun to reach the client's eyes: from then on the idle time-out counts, not the first-byte one. */
  readonly begun: boolean
  heartbeat(): string
}

/** A failure found inside the reply, such as an error event with status 200. */
export class SinkFailure extends Error {
  readonly failure: AttemptFailure

  constructor(failure: AttemptFailure) {
    super(failure.message)
    this.failure = failure
  }
}
