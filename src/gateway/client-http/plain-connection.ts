import type { Socket } from 'node:net'
import type { HttpReply, HttpRequest } from './http-exchange.ts'
import { type PlainHead, readPlainHead } from './plain-head.ts'
import { PlainReply, type ReplyOwner } from './plain-reply.ts'
import { PlainRequest } from './plain-request.ts'

export interface PlainConnectionOptions {
  /** Whether the pipeline serves this request. */
  readonly serves: (head: PlainHead) => boolean
  readonly serve: (request: HttpRequest, reply: HttpReply) => void
  /** Gives the connection to node:http for good; what was read of it is with the socket again. */
  readonly handOver: (socket: Socket) => void
  /** A connection is closed after this time without a request; before its first one after `firstRequestMs`. */
  readonly keepAliveMs: number
  readonly firstRequestMs: number
}

/** Kept of requests that came before the reply to the one before them; then the connection is not read for a while. */
const EARLY_BYTES = 65_536

/** One client's connection as long as its requests have the plainest form; the first that has not takes it to node:http. */
export class PlainConnection implements ReplyOwner {
  readonly #socket: Socket
  readonly #options: PlainConnectionOptions
  readonly #left: () => void
  readonly #keepAlive: string
  readonly #onData = (chunk: Buffer): void => this.#read(chunk)
  readonly #onEnd = (): void => void this.#socket.end()
  #request: PlainRequest | undefined
  #reply: PlainReply | undefined
  #early: Buffer | undefined
  #served = 0
  #idleSince = performance.now()

  constructor(socket: Socket, options: PlainConnectionOptions, left: () => void) {
    this.#socket = socket
    this.#options = options
    this.#left = left
    this.#keepAlive = `timeout=${Math.floor(options.keepAliveMs / 1_000)}`
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    // The `close` that follows tells whoever waits.
    socket.on('error', ignore)
    socket.on('close', this.#left)
  }

  /** Has been used and waits for its client's next request. One that was never used is about to be. */
  get isIdle(): boolean {
    return this.#reply === undefined && this.#served > 0
  }

  closeIfExpired(now: number): void {
    const { keepAliveMs, firstRequestMs } = this.#options
    const limitMs = this.#served === 0 ? firstRequestMs : keepAliveMs
    if (this.#reply === undefined && now - this.#idleSince > limitMs) this.#socket.destroy()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    // The reply said that it was the last.
    if (this.#socket.writableEnded) return
    const before = this.#request
    // Nothing but body, and a piece of it only: a whole one may be kept by its listener.
    const isPiece = before !== undefined && chunk.length <= before.missingBytes && chunk.length < before.bodyBytes
    this.#take(chunk)
    if (isPiece || (before === undefined && this.#isBodyOpen)) giveBack(chunk)
  }

  get #isBodyOpen(): boolean {
    return this.#request !== undefined && this.#request.missingBytes > 0
  }

  #take(chunk: Buffer): void {
    const request = this.#request
    if (request === undefined) this.#begin(chunk)
    else this.#keep(request.missingBytes > 0 ? request.take(chunk) : chunk)
    if (this.#reply === undefined && request?.missingBytes === 0) this.#next()
  }

  #begin(chunk: Buffer): void {
    const head = readPlainHead(chunk)
    if (head === undefined || !this.#options.serves(head)) {
      this.#handOver(chunk)
      return
    }
    const request = new PlainRequest(head, this.#socket)
    const reply = new PlainReply(this.#socket, this, this.#keepAlive)
    this.#request = request
    this.#reply = reply
    this.#options.serve(request, reply)
    this.#keep(request.take(chunk.subarray(head.end)))
  }

  #keep(early: Buffer | undefined): void {
    if (early === undefined || early.length === 0) return
    this.#early = this.#early === undefined ? early : Buffer.concat([this.#early, early])
    if (this.#early.length > EARLY_BYTES) this.#socket.pause()
  }

  replyFlushed(reply: PlainReply): void {
    this.#reply = undefined
    if (reply.isLast || this.#socket.writableEnded || this.#socket.destroyed) {
      this.#socket.destroySoon()
      return
    }
    this.#served += 1
    this.#idleSince = performance.now()
    if (this.#request?.missingBytes === 0) this.#next()
  }

  #next(): void {
    this.#request = undefined
    const early = this.#early
    if (early === undefined) return
    this.#early = undefined
    this.#socket.resume()
    this.#begin(early)
  }

  #handOver(chunk: Buffer): void {
    const socket = this.#socket
    socket.off('data', this.#onData)
    socket.off('end', this.#onEnd)
    socket.off('error', ignore)
    socket.off('close', this.#left)
    this.#left()
    socket.unshift(chunk)
    this.#options.handOver(socket)
  }
}

/**
 * Frees what was read, as soon as it has been copied. Node reads into memory of its own each time, 64 KB; waiting for the collector
 * would keep hundreds of them.
 */
function giveBack({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}

function ignore(): void {}
