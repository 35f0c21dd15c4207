import type { ReplyHeaders } from '#providers/provider.ts'
import type { ConnectionPool } from './connection-pool.ts'
import type { CallControl, ProviderCall, ReplyTaker } from './provider-call.ts'

export interface WholeReply {
  readonly status: number
  readonly headers: ReplyHeaders
  readonly body: Buffer
  /** There was more than was asked for; its connection was closed. */
  readonly isCut: boolean
}

export interface WholeReplyLimits {
  /** From the call to the last byte. */
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** It took too long. */
export class ReplyTimeout extends Error {}

/**
 * Makes a call whose reply is small.
 * @throws ReplyTimeout, or what the connection or the reply failed with
 */
export function wholeReply(pool: ConnectionPool, call: ProviderCall, limits: WholeReplyLimits): Promise<WholeReply> {
  const { promise, resolve, reject } = Promise.withResolvers<WholeReply>()
  const taker = new WholeReplyTaker(limits.maxBytes, resolve, reject)
  pool.send(call, taker)
  const { timeoutMs } = limits
  const timer = setTimeout(() => taker.abort(new ReplyTimeout(`no reply after ${timeoutMs} ms`)), timeoutMs)
  return promise.finally(() => clearTimeout(timer))
}

class WholeReplyTaker implements ReplyTaker {
  readonly #maxBytes: number
  readonly #resolve: (reply: WholeReply) => void
  readonly #reject: (error: Error) => void
  #control: CallControl | undefined
  #status = 0
  #headers: ReplyHeaders = {}
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(maxBytes: number, resolve: (reply: WholeReply) => void, reject: (error: Error) => void) {
    this.#maxBytes = maxBytes
    this.#resolve = resolve
    this.#reject = reject
  }

  abort(reason: Error): void {
    this.#control?.abort(reason)
  }

  begun(control: CallControl): void {
    this.#control = control
  }

  head(status: number, headers: ReplyHeaders): void {
    this.#status = status
    this.#headers = headers
  }

  data(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes <= this.#maxBytes) return
    this.#settle(true)
    this.abort(new Error('more than was asked for'))
  }

  ended(): void {
    this.#settle(false)
  }

  failed(error: Error): void {
    this.#reject(error)
  }

  #settle(isCut: boolean): void {
    const body = Buffer.concat(this.#chunks).subarray(0, this.#maxBytes)
    this.#resolve({ status: this.#status, headers: this.#headers, body, isCut })
  }
}
