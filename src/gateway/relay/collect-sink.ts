import type { ChatEvent, ChatReply } from '#formats/ir/chat-event.ts'
import { collectReply } from '#formats/ir/collect-reply.ts'
import { SseSplitter } from '#formats/sse/event-splitter.ts'
import { LineSplitter } from '#formats/sse/line-splitter.ts'
import type { ChatReading } from '../stages/encode.ts'
import type { AttemptFailure, AttemptResult, ReplySink } from '../upstream/attempt-result.ts'
import { BadReply } from '../upstream/connection-failure.ts'
import type { Relay } from './relay.ts'
import { ReplyNotes } from './reply-notes.ts'

/** Collects a stream for a client that wants the answer whole (providers that only stream). */
export class CollectSink implements ReplySink {
  readonly begun = false
  readonly #relay: Relay
  readonly #splitter: SseSplitter | LineSplitter
  readonly #decoder: ReturnType<ChatReading['format']['streamDecoder']>
  readonly #notes: ReplyNotes
  readonly #events: ChatEvent[] = []
  readonly #deliver: (reply: ChatReply) => void

  constructor(relay: Relay, reading: ChatReading, deliver: (reply: ChatReply) => void) {
    this.#relay = relay
    this.#splitter = reading.format.framing === 'sse' ? new SseSplitter() : new LineSplitter()
    this.#decoder = reading.format.streamDecoder(reading.context)
    this.#notes = new ReplyNotes(relay.exchange)
    this.#deliver = deliver
  }

  data(chunk: Buffer): void {
    for (const { frame } of this.#splitter.push(chunk)) if (frame !== undefined) this.#add(this.#decoder.push(frame))
  }

  end(): AttemptResult {
    for (const { frame } of this.#splitter.end()) if (frame !== undefined) this.#add(this.#decoder.push(frame))
    this.#add(this.#decoder.end())
    if (!this.#notes.finished) throw new BadReply('the stream ended without a finish reason')
    this.#notes.estimateOutput()
    this.#deliver(collectReply(this.#events))
    return this.#relay.answered()
  }

  fail(failure: AttemptFailure): AttemptResult {
    return { kind: 'failed', failure }
  }

  heartbeat(): string {
    return ''
  }

  #add(events: readonly ChatEvent[]): void {
    for (const event of events) {
      this.#notes.note(event)
      this.#events.push(event)
    }
  }
}
