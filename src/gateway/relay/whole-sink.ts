import { KorProxyError } from '#errors/korproxy-error.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import type { ReplyHeaders } from '#providers/provider.ts'
import type { AttemptFailure, AttemptResult, ReplySink } from '../upstream/attempt.ts'
import { BadReply } from '../upstream/connection-failure.ts'
import { answered, type RelayParts } from './relay-parts.ts'

/** A pass-through reply up to this size is held until it is whole and sound; a larger one commits here. */
const HOLD_BYTES = 1024 * 1024
/** A reply that must be translated is held whole. */
const MAX_TRANSLATED_BYTES = 64 * 1024 * 1024

/** Writes a whole reply to the client once it is known to be sound. */
export interface WholeWriter {
  /** `passing`: the bytes go out as they came, so a large reply need not be held. */
  readonly mode: 'passing' | 'translating'
  /** Reads the reply for soundness and usage. @throws SinkFailure, BadReply */
  write(body: Buffer, parsed: () => JsonObject): void
}

/** Takes a reply that is not a stream. */
export class WholeSink implements ReplySink {
  readonly #parts: RelayParts
  readonly #headers: ReplyHeaders
  readonly #writer: WholeWriter
  #chunks: Buffer[] = []
  #bytes = 0
  begun = false

  constructor(parts: RelayParts, headers: ReplyHeaders, writer: WholeWriter) {
    this.#parts = parts
    this.#headers = headers
    this.#writer = writer
  }

  data(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.begun) {
      this.#parts.client.write(chunk)
      return
    }
    this.#chunks.push(chunk)
    if (this.#writer.mode === 'passing' && this.#bytes > HOLD_BYTES) this.#commitLarge()
    else if (this.#bytes > MAX_TRANSLATED_BYTES) throw new KorProxyError('KP-NET-309', { limit: MAX_TRANSLATED_BYTES })
  }

  end(): AttemptResult {
    if (this.begun) this.#parts.client.end()
    else {
      const [first] = this.#chunks
      const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks, this.#bytes)
      this.#writer.write(body, () => parseReply(body))
    }
    return answered(this.#parts)
  }

  fail(failure: AttemptFailure): AttemptResult {
    if (!this.begun) return { kind: 'failed', failure }
    this.#parts.exchange.truncated = true
    // Half a JSON document has been sent: only a broken connection tells the client that it is not whole.
    this.#parts.exchange.reply.destroy()
    return { kind: 'broken', failure }
  }

  heartbeat(): string {
    return ''
  }

  #commitLarge(): void {
    this.begun = true
    const length = this.#headers['content-length']
    const lengthHeader = typeof length === 'string' ? ['content-length', length] : []
    this.#parts.client.commit(this.#parts.status, [
      ...contentType(this.#headers),
      ...lengthHeader,
      ...this.#parts.replyHeaders,
    ])
    for (const chunk of this.#chunks) this.#parts.client.write(chunk)
    this.#chunks = []
  }
}

export function contentType(headers: ReplyHeaders): string[] {
  const type = headers['content-type']
  return typeof type === 'string' ? ['content-type', type] : []
}

function parseReply(body: Buffer): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new BadReply('the body is not valid JSON', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadReply('the body is not a JSON object')
  // JSON.parse gives JSON values only.
  return value as JsonObject
}
