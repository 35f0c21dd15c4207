import type { ChatFormat, ClientContext, ClientError, Frame, StreamEncoder } from '#formats/format.ts'
import type { ChatEvent } from '#formats/ir/chat-event.ts'
import type { RawEvent } from '#formats/sse/event-splitter.ts'
import { TERMINATORS } from '#formats/terminator.ts'

/** Writes a stream towards the client: the provider's own bytes, or another format. */
export interface StreamWriter {
  readonly contentType: string
  /** What one upstream event becomes. */
  event(raw: RawEvent, events: readonly ChatEvent[]): readonly (Uint8Array | string)[]
  /** Rest of a good stream. */
  end(late: readonly ChatEvent[]): string
  fail(error: ClientError): string
  heartbeat(): string
}

/** Same format in and out: bytes pass; only a usage chunk that the client did not ask for is taken out. */
export class PassingWriter implements StreamWriter {
  readonly contentType: string
  readonly #format: ChatFormat
  readonly #context: ClientContext
  readonly #dropUsage: boolean
  #terminated = false

  constructor(format: ChatFormat, context: ClientContext, options: { readonly dropUsage: boolean }) {
    this.#format = format
    this.#context = context
    this.#dropUsage = options.dropUsage
    this.contentType = format.streamContentType
  }

  event(raw: RawEvent, events: readonly ChatEvent[]): readonly Uint8Array[] {
    const { frame } = raw
    if (frame !== undefined && TERMINATORS[this.#format.name]?.matches(frame) === true) this.#terminated = true
    if (this.#dropUsage && frame !== undefined && isUsageOnly(frame, events)) return []
    return [raw.bytes]
  }

  end(): string {
    return this.#terminated ? '' : (TERMINATORS[this.#format.name]?.text ?? '')
  }

  fail(error: ClientError): string {
    return this.#format.streamEncoder(this.#context).fail(error)
  }

  heartbeat(): string {
    return this.#format.heartbeat
  }
}

function isUsageOnly(frame: Frame, events: readonly ChatEvent[]): boolean {
  return (
    events.length > 0 &&
    events.every(({ type }) => type === 'usage' || type === 'start') &&
    /"choices"\s*:\s*\[\s*\]/.test(frame.data)
  )
}

/** A Gemini client without `alt=sse` reads one JSON array. */
export class ArrayPassingWriter implements StreamWriter {
  readonly contentType = 'application/json'
  readonly #format: ChatFormat
  readonly #context: ClientContext
  #opened = false

  constructor(format: ChatFormat, context: ClientContext) {
    this.#format = format
    this.#context = context
  }

  event({ frame }: RawEvent): readonly string[] {
    if (frame === undefined) return []
    return [this.#element(frame.data)]
  }

  end(): string {
    return this.#opened ? ']' : '[]'
  }

  fail(error: ClientError): string {
    return `${this.#element(ssePayload(this.#format.streamEncoder(this.#context).fail(error)))}]`
  }

  heartbeat(): string {
    return this.#opened ? '\r\n' : ''
  }

  #element(json: string): string {
    const before = this.#opened ? ',\r\n' : '['
    this.#opened = true
    return before + json
  }
}

/** The JSON of a single SSE event text. */
function ssePayload(text: string): string {
  return text
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).trim())
    .join('')
}

/** Another format in than out. */
export class TranslatingWriter implements StreamWriter {
  readonly contentType: string
  readonly #encoder: StreamEncoder
  readonly #heartbeat: string

  constructor(encoder: StreamEncoder, options: { readonly contentType: string; readonly heartbeat: string }) {
    this.#encoder = encoder
    this.contentType = options.contentType
    this.#heartbeat = options.heartbeat
  }

  event(_raw: RawEvent, events: readonly ChatEvent[]): readonly string[] {
    let text = ''
    for (const event of events) text += this.#encoder.push(event)
    return text === '' ? [] : [text]
  }

  end(late: readonly ChatEvent[]): string {
    let text = ''
    for (const event of late) text += this.#encoder.push(event)
    return text + this.#encoder.end()
  }

  fail(error: ClientError): string {
    return this.#encoder.fail(error)
  }

  heartbeat(): string {
    return this.#heartbeat
  }
}
