import { KorProxyError } from '#errors/korproxy-error.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import type { ReplyHeaders } from '#providers/provider.ts'
import type { AttemptFailure, AttemptResult, ReplySink } from '../upstream/attempt-result.ts'
import { BadReply } from '../upstream/connection-failure.ts'
import type { Relay } from './relay.ts'

/** A reply that must be translated is held whole. */
const MAX_TRANSLATED_BYTES = 64 * 1024 * 1024

/** Writes a whole reply to the client once it is known to be sound. */
export interface WholeWriter {
  /** Bytes that are held until the reply is whole and sound; a larger one goes out as it comes. Absent: it cannot, because it is translated. */
  readonly holdBytes?: number
  /** Reads the reply for soundness and usage. @throws SinkFailure, BadReply */
  write(body: Buffer): void
}

/** Takes a reply that is not a stream. */
export class WholeSink implements ReplySink {
  readonly #relay: Relay
  readonly #writer: WholeWriter
  #chunks: Buffer[] = []
  #bytes = 0
  begun = false

  constructor(relay: Relay, writer: WholeWriter) {
    this.#relay = relay
    this.#writer = writer
  }

  data(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.begun) {
      this.#relay.client.write(chunk)
      return
    }
    this.#chunks.push(chunk)
    const { holdBytes = MAX_TRANSLATED_BYTES } = this.#writer
    if (this.#bytes <= holdBytes) return
    if (this.#writer.holdBytes !== undefined) this.#commitLarge()
    else throw new KorProxyError('KP-NET-309', { limit: MAX_TRANSLATED_BYTES })
  }

  end(): AttemptResult {
    if (this.begun) this.#relay.client.end()
    else {
      const [first] = this.#chunks
      const isWhole = this.#chunks.length === 1 && first !== undefined
      this.#writer.write(isWhole ? first : Buffer.concat(this.#chunks, this.#bytes))
    }
    return this.#relay.answered()
  }

  fail(failure: AttemptFailure): AttemptResult {
    if (!this.begun) return { kind: 'failed', failure }
    this.#relay.exchange.truncated = true
    // Half a JSON document has been sent: only a broken connection tells the client that it is not whole.
    this.#relay.exchange.reply.destroy()
    return { kind: 'broken', failure }
  }

  heartbeat(): string {
    return ''
  }

  #commitLarge(): void {
    this.begun = true
    const { client, status, headers } = this.#relay
    const own = contentType(headers)
    const length = headers['content-length']
    if (typeof length === 'string') own.push('content-length', length)
    client.commit(status, this.#relay.replyHeaders(own))
    for (const chunk of this.#chunks) this.#relay.client.write(chunk)
    this.#chunks = []
  }
}

export function contentType(headers: ReplyHeaders): string[] {
  const type = headers['content-type']
  return typeof type === 'string' ? ['content-type', type] : []
}

/** @throws BadReply */
export function parseReply(body: Buffer): JsonObject {
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
