import { type AttemptFailure, type AttemptResult, type ReplySink, SinkFailure } from '../upstream/attempt-result.ts'
import type { Relay } from './relay.ts'

/** Enough for every provider's error; what is longer is not one. */
const MAX_BYTES = 64 * 1024

/** Takes the body of a reply that is no success, for the provider's dialect to read. */
export class FailureSink implements ReplySink {
  readonly begun = false
  readonly #relay: Relay
  readonly #chunks: Buffer[] = []
  #bytes = 0

  constructor(relay: Relay) {
    this.#relay = relay
  }

  /** @throws SinkFailure once enough has come: the rest may have no end */
  data(chunk: Buffer): void {
    this.#chunks.push(chunk.subarray(0, MAX_BYTES - this.#bytes))
    this.#bytes += chunk.length
    if (this.#bytes >= MAX_BYTES) throw new SinkFailure(this.#classify())
  }

  end(): AttemptResult {
    return { kind: 'failed', failure: this.#classify() }
  }

  /** The status says enough, even when the body was cut. A time-out or a client that left says more. */
  fail(failure: AttemptFailure): AttemptResult {
    const keep = failure.outcome.kind === 'network' || failure.outcome.kind === 'bad-reply'
    return { kind: 'failed', failure: keep ? this.#classify() : failure }
  }

  heartbeat(): string {
    return ''
  }

  #classify(): AttemptFailure {
    const { status, headers } = this.#relay
    const isEncoded = (headers['content-encoding'] ?? 'identity') !== 'identity'
    const body = isEncoded ? '' : Buffer.concat(this.#chunks).toString('utf8')
    return this.#relay.classifyFailure({ status, headers, body })
  }
}
