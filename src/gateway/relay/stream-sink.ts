import type { StreamDecoder } from '#formats/format.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import { type RawEvent, SseSplitter } from '#formats/sse/event-splitter.ts'
import { LineSplitter } from '#formats/sse/line-splitter.ts'
import type { ChatReading } from '../stages/encode.ts'
import type { AttemptFailure, AttemptResult, ReplySink } from '../upstream/attempt-result.ts'
import { BadReply } from '../upstream/connection-failure.ts'
import { HeldPieces } from './held-pieces.ts'
import type { Relay } from './relay.ts'
import { ReplyNotes } from './reply-notes.ts'
import type { StreamWriter } from './stream-writer.ts'

/**
 * Relays a stream event by event. Nothing reaches the client before the first content event, and nothing but whole events ever:
 * a stream that breaks can still move to another account before that, and ends in an error event after it.
 */
export class StreamSink implements ReplySink {
  readonly #relay: Relay
  readonly #writer: StreamWriter
  readonly #splitter: SseSplitter | LineSplitter
  readonly #decoder: StreamDecoder
  readonly #notes: ReplyNotes
  readonly #held = new HeldPieces()

  constructor(relay: Relay, reading: ChatReading, writer: StreamWriter) {
    this.#relay = relay
    this.#writer = writer
    this.#splitter = reading.format.framing === 'sse' ? new SseSplitter() : new LineSplitter()
    this.#decoder = reading.format.streamDecoder(reading.context)
    this.#notes = new ReplyNotes(relay.exchange)
  }

  get begun(): boolean {
    return this.#relay.exchange.commitment === 'committed'
  }

  data(chunk: Buffer): void {
    for (const raw of this.#splitter.push(chunk)) this.#take(raw)
    this.#send()
  }

  end(): AttemptResult {
    for (const raw of this.#splitter.end()) this.#take(raw)
    const late = this.#decoder.end()
    for (const event of late) this.#notes.note(event)
    if (!this.#notes.finished) throw new BadReply('the stream ended without a finish reason')
    return this.#finish(late)
  }

  #finish(late: readonly ChatEvent[]): AttemptResult {
    this.#notes.estimateOutput()
    this.#held.add(this.#writer.end(late))
    this.#send()
    this.#relay.client.end()
    return this.#relay.answered()
  }

  fail(failure: AttemptFailure): AttemptResult {
    this.#notes.estimateOutput()
    // The answer is whole; only the provider's farewell is missing.
    if (this.#notes.finished && failure.outcome.kind !== 'aborted') return this.#finish([])
    if (!this.begun) return { kind: 'failed', failure }
    // What came in one piece with the fault.
    this.#send()
    this.#relay.exchange.truncated = true
    const broken = brokenOff(failure)
    this.#relay.client.end(this.#writer.fail(this.#relay.clientError(broken)))
    return { kind: 'broken', failure: broken }
  }

  heartbeat(): string {
    return this.#writer.heartbeat()
  }

  #take(given: RawEvent): void {
    // Some servers send empty events, where others send comments, to keep the connection alive.
    const raw = given.frame?.data === '' ? { bytes: given.bytes, frame: undefined } : given
    const events: readonly ChatEvent[] = raw.frame === undefined ? [] : this.#decoder.push(raw.frame)
    for (const event of events) this.#notes.note(event)
    for (const piece of this.#writer.event(raw, events)) this.#held.add(piece)
  }

  /** Only what was taken without a fault begins the reply: until then another account may answer. */
  #send(): void {
    if (!this.begun) {
      if (!this.#notes.hasContent && !this.#notes.finished) return
      this.#commit()
    }
    if (!this.#held.isEmpty) this.#relay.client.write(this.#held.take())
  }

  #commit(): void {
    const own = ['content-type', this.#writer.contentType, 'cache-control', 'no-cache']
    this.#relay.noteFirstToken()
    this.#relay.client.commit(200, this.#relay.replyHeaders(own))
  }
}

/** A half answer has an error of its own. A time-out keeps its name, and so does what the provider itself said. */
function brokenOff(failure: AttemptFailure): AttemptFailure {
  const { outcome, details = {} } = failure
  if (outcome.kind !== 'network' && outcome.kind !== 'bad-reply') return failure
  return { ...failure, code: 'KP-PROV-111', details: { reason: details['reason'] ?? failure.code } }
}
