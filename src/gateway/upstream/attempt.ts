import type { ReplyHeaders } from '#providers/provider.ts'
import type { Timeouts } from '#table/routing-table.ts'
import type { Abortable, Exchange } from '../exchange.ts'
import { ConnectionLost } from '../provider-http/call-error.ts'
import type { CallControl, ReplyTaker } from '../provider-http/provider-call.ts'
import { openSink } from '../relay/open-sink.ts'
import { Relay } from '../relay/relay.ts'
import type { ClientReply } from '../reply/client-reply.ts'
import type { GatewayRuntime } from '../runtime.ts'
import type { DispatchInput } from '../stages/dispatch.ts'
import type { Swept } from '../sweep.ts'
import { type CallResult, type ReplySink, SinkFailure } from './attempt-result.ts'
import { AttemptTimeout, ClientGone, connectionFailure } from './connection-failure.ts'
import { decodableEncoding, decodedHeaders, type Encoding, ReplyDecoder, type Source } from './reply-decoder.ts'

/** A connection that ends this long after a request was written had taken it, and may have worked on it. */
const CROSSING_MS = 1_000

/** One call to a provider: takes its reply, with its time-outs and the client's back-pressure. */
export class UpstreamAttempt implements Swept, Abortable, ReplyTaker {
  readonly #runtime: GatewayRuntime
  readonly #input: DispatchInput
  readonly #exchange: Exchange
  readonly #client: ClientReply
  readonly #timeouts: Timeouts
  readonly #expected: 'stream' | 'whole'
  readonly #slot: number
  readonly #startedAt: number
  readonly result: Promise<CallResult>
  #resolve: (result: CallResult) => void
  #control: CallControl | undefined
  /** What to tell to wait: the way from the provider, or the decoder on it. */
  #source: Source | undefined
  #sink: ReplySink | undefined
  #decoder: ReplyDecoder | undefined
  #lastByteAt: number
  #lastWriteAt: number
  #stalledSince: number | undefined
  #done = false

  /** @param expected what the provider was asked for: the first byte of a whole answer may take longer */
  constructor(runtime: GatewayRuntime, input: DispatchInput, expected: 'stream' | 'whole') {
    this.#runtime = runtime
    this.#input = input
    this.#exchange = input.exchange
    this.#client = input.client
    this.#timeouts = input.timeouts
    this.#expected = expected
    this.#startedAt = runtime.monotonic()
    this.#lastByteAt = this.#startedAt
    this.#lastWriteAt = this.#startedAt
    const { promise, resolve } = Promise.withResolvers<CallResult>()
    this.result = promise
    this.#resolve = resolve
    this.#slot = runtime.sweeper.add(this)
    this.#exchange.underWay = this
  }

  begun(control: CallControl): void {
    this.#control = control
    this.#source = control
    if (this.#exchange.clientGone) this.abort(new ClientGone('client left'))
  }

  head(status: number, headers: ReplyHeaders): void {
    this.#lastByteAt = this.#runtime.monotonic()
    const encoding = decodableEncoding(headers)
    try {
      this.#noteLimits(headers)
      const reply = { status, headers: encoding === undefined ? headers : decodedHeaders(headers) }
      this.#sink = openSink(new Relay(this.#runtime, this.#input, reply), this.#input.prepared)
      if (encoding !== undefined && this.#control !== undefined) this.#decode(encoding, this.#control)
    } catch (error) {
      this.#breakOff(error)
    }
  }

  #decode(encoding: Encoding, control: CallControl): void {
    this.#decoder = new ReplyDecoder(encoding, control, {
      data: (chunk) => this.#take(chunk),
      end: () => this.#end(),
      fail: (error) => this.#breakOff(error),
    })
    this.#source = this.#decoder
  }

  #noteLimits(headers: ReplyHeaders): void {
    const { account, model } = this.#input
    const nowMs = this.#runtime.now()
    const limits = account.provider.readRateLimits(headers, nowMs)
    if (limits !== undefined) account.health.noteLimits(limits, nowMs, model)
  }

  data(chunk: Buffer): void {
    this.#lastByteAt = this.#runtime.monotonic()
    if (this.#decoder === undefined) this.#take(chunk)
    else this.#decoder.write(chunk)
  }

  #take(chunk: Buffer): void {
    const sink = this.#sink
    if (sink === undefined || this.#done) return
    try {
      sink.data(chunk)
    } catch (error) {
      this.#breakOff(error)
    }
    if (this.#client.bufferedBytes === 0) this.#lastWriteAt = this.#lastByteAt
    else if (this.#exchange.reply.writableNeedDrain) this.#pause()
  }

  ended(): void {
    if (this.#decoder === undefined) this.#end()
    else this.#decoder.end()
  }

  #end(): void {
    if (this.#sink === undefined) return
    try {
      this.#finish(this.#sink.end())
    } catch (error) {
      this.#breakOff(error)
    }
  }

  failed(error: Error): void {
    this.#fail(error)
  }

  /** Deadlines, looked at ten times a second. */
  sweep(now: number): void {
    const timeouts = this.#timeouts
    if (now > this.#input.deadline) {
      this.abort(new AttemptTimeout('total', timeouts.requestMs))
      return
    }
    if (this.#stalledSince !== undefined) {
      const { stalledReaderMs } = this.#runtime.options.limits
      if (now - this.#stalledSince > stalledReaderMs) this.#exchange.reply.destroy()
      return
    }
    if (this.#sink?.begun === true) {
      if (now - this.#lastByteAt > timeouts.idleMs) this.abort(new AttemptTimeout('idle', timeouts.idleMs))
      else this.#keepAlive(now)
      return
    }
    const streams = this.#expected === 'stream'
    const limit = streams ? timeouts.firstByteMs : timeouts.firstByteWholeMs
    const since = streams || this.#sink === undefined ? this.#startedAt : this.#lastByteAt
    const allowed = streams || this.#sink === undefined ? limit : timeouts.idleMs
    const phase = allowed === limit ? 'first-byte' : 'idle'
    if (now - since > allowed) this.abort(new AttemptTimeout(phase, allowed))
  }

  #keepAlive(now: number): void {
    const { heartbeatMs } = this.#runtime.options.limits
    if (this.#exchange.commitment !== 'committed' || now - Math.max(this.#lastByteAt, this.#lastWriteAt) < heartbeatMs)
      return
    const heartbeat = this.#sink?.heartbeat() ?? ''
    if (heartbeat !== '') this.#client.write(heartbeat)
    this.#lastWriteAt = now
  }

  #pause(): void {
    if (this.#stalledSince !== undefined) return
    this.#stalledSince = this.#lastByteAt
    this.#source?.pause()
    this.#client.onDrain(() => {
      this.#stalledSince = undefined
      this.#lastByteAt = this.#runtime.monotonic()
      if (!this.#done) this.#source?.resume()
    })
  }

  /** A sink that throws ends the attempt; the socket is not used again. */
  #breakOff(thrown: unknown): void {
    const reason = thrown instanceof Error ? thrown : new Error(String(thrown))
    this.#fail(reason)
    this.abort(reason)
  }

  abort(reason: Error): void {
    // What only waits for its decoder has left its connection.
    if (this.#control === undefined || this.#decoder?.ended === true) this.#fail(reason)
    else this.#control.abort(reason)
  }

  #fail(error: Error): void {
    if (this.#done) return
    const failure = error instanceof SinkFailure ? error.failure : connectionFailure(error, this.#timeouts.connectMs)
    if (this.#sink !== undefined) this.#finish(this.#sink.fail(failure))
    else this.#finish({ kind: this.#isStale(error) ? 'stale' : 'failed', failure })
  }

  /**
   * True for the end of a kept-alive connection that had carried answers before: the provider closed it at the moment the request
   * was written. Clients send such a request again on another connection.
   * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1
   */
  #isStale(error: Error): boolean {
    const sinceMs = this.#runtime.monotonic() - this.#startedAt
    return error instanceof ConnectionLost && error.wasIdle && sinceMs <= CROSSING_MS
  }

  #finish(result: CallResult): void {
    if (this.#done) return
    this.#done = true
    this.#decoder?.close()
    this.#runtime.sweeper.remove(this.#slot)
    this.#exchange.underWay = undefined
    this.#resolve(result)
  }
}
