import type { Dispatcher } from 'undici'
import type { Failure, ReplyHeaders } from '#providers/provider.ts'
import type { Outcome } from '#table/outcome.ts'
import type { Timeouts } from '#table/routing-table.ts'
import type { Exchange } from '../exchange.ts'
import type { ClientReply } from '../reply/client-reply.ts'
import type { Sweeper, Swept } from '../sweep.ts'
import { AttemptTimeout, ClientGone, type ConnectionFailure, connectionFailure } from './connection-failure.ts'
import { isStaleConnection } from './stale-connection.ts'

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

export interface AttemptParts {
  readonly exchange: Exchange
  readonly client: ClientReply
  readonly timeouts: Timeouts
  readonly heartbeatMs: number
  readonly stalledReaderMs: number
  readonly monotonic: () => number
  readonly sweeper: Sweeper
  /** Chooses how the body is taken, once status and headers are known. */
  readonly openSink: (status: number, headers: ReplyHeaders) => ReplySink
  /** Monotonic time at which the whole request must be done. */
  readonly deadline: number
  readonly streaming: boolean
}

/** One call to a provider: undici's handler, with its time-outs and the client's back-pressure. */
export class UpstreamAttempt implements Swept, Dispatcher.DispatchHandler {
  readonly #parts: AttemptParts
  readonly #slot: number
  readonly #startedAt: number
  readonly result: Promise<CallResult>
  #resolve: (result: CallResult) => void
  #controller: Dispatcher.DispatchController | undefined
  #sink: ReplySink | undefined
  #lastByteAt: number
  #lastWriteAt: number
  #stalledSince: number | undefined
  #abortReason: Error | undefined
  #done = false

  constructor(parts: AttemptParts) {
    this.#parts = parts
    this.#startedAt = parts.monotonic()
    this.#lastByteAt = this.#startedAt
    this.#lastWriteAt = this.#startedAt
    const { promise, resolve } = Promise.withResolvers<CallResult>()
    this.result = promise
    this.#resolve = resolve
    this.#slot = parts.sweeper.add(this)
    parts.exchange.underWay = this
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#abortReason !== undefined) controller.abort(this.#abortReason)
    else if (this.#parts.exchange.clientGone) this.abort(new ClientGone('client left'))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ReplyHeaders): void {
    if (status < 200 || this.#done) return
    this.#lastByteAt = this.#parts.monotonic()
    this.#guard(() => {
      this.#sink = this.#parts.openSink(status, headers)
    })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#lastByteAt = this.#parts.monotonic()
    const sink = this.#sink
    if (sink === undefined || this.#done) return
    this.#guard(() => sink.data(chunk))
    if (this.#parts.client.bufferedBytes === 0) this.#lastWriteAt = this.#lastByteAt
    else if (this.#parts.exchange.reply.writableNeedDrain) this.#pause(controller)
  }

  onResponseEnd(): void {
    const sink = this.#sink
    if (sink !== undefined) this.#guard(() => this.#finish(sink.end()))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(this.#abortReason ?? error)
  }

  /** The request could not even be handed to its connection. */
  giveUp(error: Error): void {
    this.#fail(error)
  }

  /** Deadlines, looked at ten times a second. */
  sweep(now: number): void {
    const { timeouts, deadline, exchange } = this.#parts
    if (now > deadline) {
      this.abort(new AttemptTimeout('total', timeouts.requestMs))
      return
    }
    if (this.#stalledSince !== undefined) {
      if (now - this.#stalledSince > this.#parts.stalledReaderMs) exchange.reply.destroy()
      return
    }
    if (this.#sink?.begun === true) {
      if (now - this.#lastByteAt > timeouts.idleMs) this.abort(new AttemptTimeout('idle', timeouts.idleMs))
      else this.#keepAlive(now)
      return
    }
    const limit = this.#parts.streaming ? timeouts.firstByteMs : timeouts.firstByteWholeMs
    const since = this.#parts.streaming || this.#sink === undefined ? this.#startedAt : this.#lastByteAt
    const allowed = this.#parts.streaming || this.#sink === undefined ? limit : timeouts.idleMs
    const phase = allowed === limit ? 'first-byte' : 'idle'
    if (now - since > allowed) this.abort(new AttemptTimeout(phase, allowed))
  }

  #keepAlive(now: number): void {
    const { exchange, client, heartbeatMs } = this.#parts
    if (exchange.commitment !== 'committed' || now - Math.max(this.#lastByteAt, this.#lastWriteAt) < heartbeatMs) return
    const heartbeat = this.#sink?.heartbeat() ?? ''
    if (heartbeat !== '') client.write(heartbeat)
    this.#lastWriteAt = now
  }

  #pause(controller: Dispatcher.DispatchController): void {
    if (this.#stalledSince !== undefined) return
    this.#stalledSince = this.#lastByteAt
    controller.pause()
    this.#parts.client.onDrain(() => {
      this.#stalledSince = undefined
      this.#lastByteAt = this.#parts.monotonic()
      if (!this.#done) controller.resume()
    })
  }

  /** A sink that throws ends the attempt; the socket is not used again. */
  #guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error))
      this.#fail(reason)
      this.abort(reason)
    }
  }

  abort(reason: Error): void {
    this.#abortReason ??= reason
    if (this.#controller === undefined) this.#fail(reason)
    else if (!this.#controller.aborted) this.#controller.abort(reason)
  }

  #fail(error: Error): void {
    if (this.#done) return
    const failure =
      error instanceof SinkFailure ? error.failure : connectionFailure(error, this.#parts.timeouts.connectMs)
    if (this.#sink !== undefined) this.#finish(this.#sink.fail(failure))
    else this.#finish({ kind: isStaleConnection(error) ? 'stale' : 'failed', failure })
  }

  #finish(result: CallResult): void {
    if (this.#done) return
    this.#done = true
    this.#parts.sweeper.remove(this.#slot)
    this.#parts.exchange.underWay = undefined
    this.#resolve(result)
  }
}
