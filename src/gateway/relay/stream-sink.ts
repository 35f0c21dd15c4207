import type { StreamDecoder } from '#formats/format.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import { type RawEvent, SseSplitter } from '#formats/sse/event-splitter.ts'
import { LineSplitter } from '#formats/sse/line-splitter.ts'
import type { ChatReading } from '../stages/encode.ts'
import type { AttemptFailure, AttemptResult, ReplySink } from '../upstream/attempt.ts'
import { BadReply } from '../upstream/connection-failure.ts'
import { answered, type RelayParts } from './relay-parts.ts'
import { ReplyNotes } from './reply-notes.ts'
import type { StreamWriter } from './stream-writer.ts'

/**
 * Relays a stream event by event. Nothing reaches the client before the first content event, and nothing but whole events ever:
 * a stream that breaks can still move to another account before that, and ends in an error event after it.
 */
export class StreamSink implements ReplySink {
  readonly #parts: RelayParts
  readonly #writer: StreamWriter
  readonly #splitter: SseSplitter | LineSplitter
  readonly #decoder: StreamDecoder
  readonly #notes: ReplyNotes
  #held: (Uint8Array | string)[] = []

  constructor(parts: RelayParts, reading: ChatReading, writer: StreamWriter) {
    this.#parts = parts
    this.#writer = writer
    this.#splitter = reading.format.framing === 'sse' ? new SseSplitter() : new LineSplitter()
    this.#decoder = reading.format.streamDecoder(reading.context)
    this.#notes = new ReplyNotes(parts.exchange)
  }

  get begun(): boolean {
    return this.#parts.exchange.commitment === 'committed'
  }

  data(chunk: Buffer): void {
    for (const raw of this.#splitter.push(chunk)) this.#take(raw)
    this.#flush()
  }

  end(): AttemptResult {
    for (const raw of this.#splitter.end()) this.#take(raw)
    const late = this.#decoder.end()
    for (const event of late) this.#notes.note(event)
    if (!this.#notes.finished) throw new BadReply('the stream ended without a finish reason')
    this.#held.push(this.#writer.end(late))
    this.#commit()
    this.#flush()
    this.#parts.client.end()
    return answered(this.#parts)
  }

  fail(failure: AttemptFailure): AttemptResult {
    this.#estimateUsage()
    if (!this.begun) return { kind: 'failed', failure }
    // The answer is whole; only the provider's farewell is missing.
    if (this.#notes.finished && failure.outcome.kind !== 'aborted') {
      this.#parts.client.end(this.#writer.end([]))
      return answered(this.#parts)
    }
    this.#parts.exchange.truncated = true
    const broken = brokenOff(failure)
    this.#parts.client.end(this.#writer.fail(this.#parts.clientError(broken)))
    return { kind: 'broken', failure: broken }
  }

  heartbeat(): string {
    return this.#writer.heartbeat()
  }

  #take(raw: RawEvent): void {
    const events: readonly ChatEvent[] = raw.frame === undefined ? [] : this.#decoder.push(raw.frame)
    for (const event of events) this.#notes.note(event)
    for (const piece of this.#writer.event(raw, events)) this.#held.push(piece)
    if (this.#notes.hasContent || this.#notes.finished) this.#commit()
  }

  #commit(): void {
    const { exchange, client, replyHeaders, monotonic } = this.#parts
    if (exchange.commitment === 'committed') return
    exchange.firstTokenMs = monotonic() - exchange.startedAt
    client.commit(200, ['content-type', this.#writer.contentType, 'cache-control', 'no-cache', ...replyHeaders])
  }

  #flush(): void {
    if (!this.begun || this.#held.length === 0) return
    const [first] = this.#held
    if (this.#held.length === 1 && first !== undefined) this.#parts.client.write(first)
    else
      this.#parts.client.write(
        Buffer.concat(this.#held.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))),
      )
    this.#held = []
  }

  /** What was already streamed is billed, although the provider's own count will not come. */
  #estimateUsage(): void {
    const { exchange } = this.#parts
    if (exchange.usage?.output !== undefined || this.#notes.outputCharacters === 0) return
    exchange.usageEstimated = true
    exchange.usage = { ...exchange.usage, output: Math.ceil(this.#notes.outputCharacters / 4) }
  }
}

/** A half answer has an error of its own. A time-out keeps its name, and so does what the provider itself said. */
function brokenOff(failure: AttemptFailure): AttemptFailure {
  const { outcome, details = {} } = failure
  if (outcome.kind !== 'network' && outcome.kind !== 'bad-reply') return failure
  return { ...failure, code: 'KP-PROV-111', details: { reason: details['reason'] ?? failure.code } }
}
