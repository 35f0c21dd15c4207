import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Sweeper, Swept } from '../sweep.ts'

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
 * @throws KorProxyError KP-SYS-510 (too large), 501 (memory), 514 (encoding), KP-NET-311 (too slow)
 */
export function receiveBody(
  request: IncomingMessage,
  limits: BodyLimits,
  memory: BodyMemory,
  sweeper: Sweeper,
): Promise<Uint8Array> {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    return Promise.reject(new KorProxyError('KP-SYS-514', { encoding }))
  }
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) {
    return Promise.reject(new KorProxyError('KP-SYS-510', { limit: limits.maxBytes }))
  }
  return new Promise((resolve, reject) => {
    new BodyReader({ request, limits, memory, sweeper, resolve, reject })
  })
}

interface BodyReaderParts {
  readonly request: IncomingMessage
  readonly limits: BodyLimits
  readonly memory: BodyMemory
  readonly sweeper: Sweeper
  readonly resolve: (body: Uint8Array) => void
  readonly reject: (error: Error) => void
}

class BodyReader implements Swept {
  readonly #parts: BodyReaderParts
  readonly #slot: number
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #deadline = 0
  #done = false

  constructor(parts: BodyReaderParts) {
    this.#parts = parts
    this.#slot = parts.sweeper.add(this)
    parts.request.on('data', (chunk: Buffer) => this.#onData(chunk))
    parts.request.once('end', () => this.#onEnd())
    parts.request.once('error', (error) => this.#fail(error))
    parts.request.once('aborted', () => this.#fail(new Error('client left while sending')))
  }

  sweep(now: number): void {
    if (this.#deadline === 0) this.#deadline = now + this.#parts.limits.timeoutMs
    if (now > this.#deadline) this.#fail(new KorProxyError('KP-NET-311', { limit: this.#parts.limits.timeoutMs }))
  }

  #onData(chunk: Buffer): void {
    if (this.#done) return
    try {
      if (this.#bytes + chunk.length > this.#parts.limits.maxBytes) {
        throw new KorProxyError('KP-SYS-510', { limit: this.#parts.limits.maxBytes })
      }
      this.#parts.memory.take(chunk.length)
    } catch (error) {
      // Both throw KorProxyError only.
      this.#fail(error as KorProxyError)
      return
    }
    this.#bytes += chunk.length
    this.#chunks.push(chunk)
  }

  #onEnd(): void {
    if (this.#done) return
    this.#leave()
    const [first] = this.#chunks
    this.#parts.resolve(
      this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks, this.#bytes),
    )
  }

  /** A request errs once more when its client leaves later: what was given back must not be given back twice. */
  #fail(error: Error): void {
    if (this.#done) return
    this.#leave()
    this.#parts.request.removeAllListeners('data')
    this.#parts.memory.release(this.#bytes)
    this.#bytes = 0
    this.#parts.reject(error)
  }

  #leave(): void {
    this.#done = true
    this.#parts.sweeper.remove(this.#slot)
  }
}

/** @throws KorProxyError KP-SYS-513 */
export function checkUtf8(body: Uint8Array): void {
  if (!isUtf8(body)) throw new KorProxyError('KP-SYS-513')
}
