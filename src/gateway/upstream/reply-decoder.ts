import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import type { ReplyHeaders } from '#providers/provider.ts'
import { BadReply } from './connection-failure.ts'

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}
export type Encoding = keyof typeof DECODERS

/** From this size on, a reply that inflates more than this many times is an attack and no answer. */
const SUSPECT_BYTES = 16 * 1024 * 1024
const HIGHEST_RATIO = 100

/** Whoever takes what was decoded. A throw of `data` or `end` is for the caller to handle within. */
export interface DecodedReply {
  data(chunk: Buffer): void
  end(): void
  fail(error: Error): void
}

/** What can be told to wait. */
export interface Source {
  pause(): void
  resume(): void
}

/**
 * The encoding of a reply that can be taken back: one layer. Providers are asked for none, but what stands before them may add one.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.4
 */
export function decodableEncoding({ 'content-encoding': encoding }: ReplyHeaders): Encoding | undefined {
  const name = typeof encoding === 'string' ? encoding.trim().toLowerCase() : ''
  return Object.hasOwn(DECODERS, name) ? asEncoding(name) : undefined
}

function asEncoding(name: string): Encoding {
  // The caller has found it among the keys.
  return name as Encoding
}

/** The headers of the same reply without its encoding. */
export function decodedHeaders(headers: ReplyHeaders): ReplyHeaders {
  const { 'content-encoding': _encoding, 'content-length': _length, ...others } = headers
  return others
}

/** Takes the encoding off a reply as it comes. `pause` and `resume` are those of the whole way from the provider. */
export class ReplyDecoder implements Source {
  readonly #stream: ReturnType<(typeof DECODERS)[Encoding]>
  readonly #source: Source
  readonly #reply: DecodedReply
  #bytesIn = 0
  #bytesOut = 0
  /** All of it has come; some may still have to be decoded. */
  ended = false

  constructor(encoding: Encoding, source: Source, reply: DecodedReply) {
    this.#source = source
    this.#reply = reply
    this.#stream = DECODERS[encoding]()
    this.#stream.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#stream.on('drain', () => this.#resumeSource())
    this.#stream.on('end', () => reply.end())
    this.#stream.on('error', (cause: NodeJS.ErrnoException) => {
      reply.fail(
        cause instanceof BadReply ? cause : new BadReply(`its ${encoding} is broken: ${cause.code}`, { cause }),
      )
    })
  }

  write(chunk: Buffer): void {
    this.#bytesIn += chunk.length
    if (!this.#stream.write(chunk)) this.#source.pause()
  }

  end(): void {
    this.ended = true
    // No body has no encoding either.
    if (this.#bytesIn === 0) this.#reply.end()
    else this.#stream.end()
  }

  /** Nothing more is wanted. */
  close(): void {
    this.#stream.destroy()
  }

  pause(): void {
    this.#stream.pause()
    if (!this.ended) this.#source.pause()
  }

  resume(): void {
    this.#stream.resume()
    this.#resumeSource()
  }

  #resumeSource(): void {
    if (!this.ended && !this.#stream.isPaused() && !this.#stream.writableNeedDrain) this.#source.resume()
  }

  #take(chunk: Buffer): void {
    this.#bytesOut += chunk.length
    if (this.#bytesOut > SUSPECT_BYTES && this.#bytesOut > this.#bytesIn * HIGHEST_RATIO) {
      this.#stream.destroy(new BadReply(`it inflates more than ${HIGHEST_RATIO} times`))
      return
    }
    this.#reply.data(chunk)
  }
}
