import { isUtf8 } from 'node:buffer'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Abortable, Exchange } from '../exchange.ts'
import type { Sweeper, Swept } from '../sweep.ts'
import { DrainOver } from '../upstream/connection-failure.ts'

export interface BodyLimits {
  readonly maxBytes: number
  readonly timeoutMs: number
}

/** Bodies in memory, all requests together; a gateway refuses rather than dies. */
export class BodyMemory {
  #usedBytes = 0
  readonly #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  take(bytes: number): void {
    if (this.#usedBytes + bytes > this.#maxBytes) {
      throw new KorProxyError('KP-SYS-501', { limit: 'memory for request bodies' }, { retryAfterMs: 1_000 })
    }
    this.#usedBytes += bytes
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes
  }
}

/**
 * Reads a request body whole. What it took from `memory` the caller releases when the exchange ends.
 * @throws KorProxyError KP-SYS-510 (too large), 501 (memory), 514 (encoding), KP-NET-311 (too slow), KP-SYS-502 (drained); ClientGone
 */
export function receiveBody(
  exchange: Exchange,
  limits: BodyLimits,
  memory: BodyMemory,
  sweeper: Sweeper,
): Promise<Uint8Array> {
  const { headers } = exchange.request
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') throw new KorProxyError('KP-SYS-514', { encoding })
  if (Number(headers['content-length'] ?? 0) > limits.maxBytes) {
    throw new KorProxyError('KP-SYS-510', { limit: limits.maxBytes })
  }
  return new BodyReader(exchange, limits, memory, sweeper).body
}

/** What a client is given room for before it has sent anything worth it. */
const UNPROVEN_BYTES = 256 * 1024

class BodyReader implements Swept, Abortable {
  readonly body: Promise<Uint8Array>
  readonly #exchange: Exchange
  readonly #limits: BodyLimits
  readonly #memory: BodyMemory
  readonly #sweeper: Sweeper
  readonly #slot: number
  readonly #resolve: (body: Uint8Array) => void
  readonly #reject: (error: Error) => void
  /** As the client says; undefined: it sends chunks. */
  readonly #declaredBytes: number | undefined
  /** The body, where its length is known. Most come in one piece, which is not copied. */
  #whole: Buffer | undefined
  readonly #pieces: Buffer[] = []
  #bytes = 0
  #deadline = 0
  #done = false

  constructor(exchange: Exchange, limits: BodyLimits, memory: BodyMemory, sweeper: Sweeper) {
    this.#exchange = exchange
    this.#limits = limits
    this.#memory = memory
    this.#sweeper = sweeper
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    this.body = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#slot = sweeper.add(this)
    exchange.underWay = this
    const declared = exchange.request.headers['content-length']
    this.#declaredBytes = declared === undefined ? undefined : Number(declared)
    exchange.request.on('data', (chunk: Buffer) => this.#onData(chunk))
    exchange.request.on('end', () => this.#onEnd())
  }

  sweep(now: number): void {
    if (this.#deadline === 0) this.#deadline = now + this.#limits.timeoutMs
    if (now > this.#deadline) this.#fail(new KorProxyError('KP-NET-311', { limit: this.#limits.timeoutMs }))
  }

  abort(reason: Error): void {
    this.#fail(reason instanceof DrainOver ? new KorProxyError('KP-SYS-502', {}, { cause: reason }) : reason)
  }

  #onData(chunk: Buffer): void {
    if (this.#done) return
    try {
      if (this.#bytes + chunk.length > this.#limits.maxBytes) {
        throw new KorProxyError('KP-SYS-510', { limit: this.#limits.maxBytes })
      }
      this.#memory.take(chunk.length)
    } catch (error) {
      // Both throw KorProxyError only.
      this.#fail(error as KorProxyError)
      return
    }
    this.#keep(chunk)
    this.#bytes += chunk.length
  }

  #keep(chunk: Buffer): void {
    if (this.#declaredBytes === undefined) this.#pieces.push(chunk)
    else if (chunk.length === this.#declaredBytes) this.#whole = chunk
    else {
      this.#whole = this.#roomFor(this.#bytes + chunk.length, this.#declaredBytes)
      this.#whole.set(chunk, this.#bytes)
    }
  }

  /** Memory for all that was promised goes only to a client that has sent a good part. */
  #roomFor(bytes: number, declaredBytes: number): Buffer {
    const before = this.#whole
    if (before !== undefined && bytes <= before.length) return before
    const room = Buffer.allocUnsafeSlow(
      bytes <= UNPROVEN_BYTES ? Math.min(declaredBytes, UNPROVEN_BYTES) : declaredBytes,
    )
    if (before !== undefined) room.set(before)
    return room
  }

  #onEnd(): void {
    if (this.#done) return
    this.#leave()
    this.#resolve(this.#whole ?? Buffer.concat(this.#pieces, this.#bytes))
  }

  /** A request errs once more when its client leaves later: what was given back must not be given back twice. */
  #fail(error: Error): void {
    if (this.#done) return
    this.#leave()
    this.#exchange.request.removeAllListeners('data')
    this.#memory.release(this.#bytes)
    this.#bytes = 0
    this.#reject(error)
  }

  #leave(): void {
    this.#done = true
    this.#exchange.underWay = undefined
    this.#sweeper.remove(this.#slot)
  }
}

/** @throws KorProxyError KP-SYS-513 */
export function checkUtf8(body: Uint8Array): void {
  if (!isUtf8(body)) throw new KorProxyError('KP-SYS-513')
}
