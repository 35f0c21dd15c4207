import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpRequest } from './http-exchange.ts'
import type { PlainHead } from './plain-head.ts'

/** A request on a plain connection. Its body goes to the listeners as it comes. */
export class PlainRequest implements HttpRequest {
  readonly method = 'POST'
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly socket: Socket
  #onData: ((chunk: Buffer) => void) | undefined
  #onEnd: (() => void) | undefined
  #missingBytes: number
  readonly bodyBytes: number

  constructor(head: PlainHead, socket: Socket) {
    this.url = head.url
    this.headers = head.headers
    this.socket = socket
    this.#missingBytes = head.bodyBytes
    this.bodyBytes = head.bodyBytes
  }

  on(event: 'data', listener: (chunk: Buffer) => void): void
  on(event: 'end', listener: () => void): void
  on(event: 'data' | 'end', listener: (chunk: Buffer) => void): void {
    if (event === 'data') this.#onData = listener
    // A listener for `end` takes no argument.
    else this.#onEnd = listener as () => void
  }

  removeAllListeners(): void {
    this.#onData = undefined
  }

  get complete(): boolean {
    return this.#missingBytes === 0
  }

  get missingBytes(): number {
    return this.#missingBytes
  }

  /** @returns what belongs to the next request */
  take(chunk: Buffer): Buffer | undefined {
    const rest = chunk.length > this.#missingBytes ? chunk.subarray(this.#missingBytes) : undefined
    const own = rest === undefined ? chunk : chunk.subarray(0, this.#missingBytes)
    this.#missingBytes -= own.length
    if (own.length > 0) this.#onData?.(own)
    if (this.#missingBytes === 0) this.#onEnd?.()
    return rest
  }
}
