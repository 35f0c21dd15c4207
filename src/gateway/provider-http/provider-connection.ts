import type { Socket } from 'node:net'
import { isWaiting, writeInTurn } from '../turn-writes.ts'
import { ConnectionLost } from './call-error.ts'
import type { Dial } from './dial.ts'
import type { CallControl, ReplyTaker } from './provider-call.ts'
import { ReplyReader } from './reply-reader.ts'

/** A call as bytes. */
export interface WrittenCall {
  readonly method: string
  readonly head: string
  readonly body: Uint8Array | undefined
}

export interface ConnectionOwner {
  /** Ready for another call. */
  freed(connection: ProviderConnection): void
  /** Carries nothing, and never will. */
  gone(connection: ProviderConnection): void
}

/** A provider closes an idle connection when it said it would; a request must not be on its way then. */
const CROSSING_MS = 2_000

/** A connection to a provider, with one call at a time. */
export class ProviderConnection {
  readonly #dial: Dial
  readonly #owner: ConnectionOwner
  #socket: Socket | undefined
  #call: RunningCall | undefined
  #isGone = false
  #hasCarried = false
  #idleSince = 0
  #keptMs = Number.POSITIVE_INFINITY

  constructor(dial: Dial, owner: ConnectionOwner) {
    this.#dial = dial
    this.#owner = owner
  }

  /** Monotonic time of the last call's end. */
  get idleSince(): number {
    return this.#idleSince
  }

  /** @param keptMs how long an idle connection may be kept */
  hasExpired(nowMs: number, keptMs: number): boolean {
    return nowMs - this.#idleSince >= Math.min(keptMs, this.#keptMs)
  }

  begin(written: WrittenCall, taker: ReplyTaker): void {
    const call = new RunningCall(this, taker, new ReplyReader(written.method, taker))
    this.#call = call
    taker.begun(call)
    if (this.#call !== call) return
    const socket = this.#socket
    if (socket === undefined) this.#connect(call, written)
    else writeInTurn(socket, written.head, bodyOf(written))
  }

  #connect(call: RunningCall, written: WrittenCall): void {
    call.giveUp = this.#dial((result) => {
      call.giveUp = undefined
      if (result instanceof Error) {
        this.abort(call, result)
        return
      }
      this.#attach(result)
      writeInTurn(result, written.head, bodyOf(written))
    })
  }

  #attach(socket: Socket): void {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('end', () => this.#end())
    socket.on('error', (error) => this.#lose(codeOf(error)))
    socket.on('close', () => this.#lose('closed'))
    socket.resume()
  }

  #read(chunk: Buffer): void {
    const call = this.#call
    if (call === undefined) {
      // Nobody asked for anything.
      this.destroy()
      return
    }
    if (!call.reader.hasBegun && this.#socket !== undefined && isWaiting(this.#socket)) {
      // The request has not left yet: these are bytes that nobody asked for, and what answers it would meet the next call.
      this.#lose('bytes before the request')
      return
    }
    let rest: Buffer | undefined
    try {
      rest = call.reader.read(chunk)
    } catch (error) {
      this.abort(call, error instanceof Error ? error : new Error(String(error)))
      return
    }
    if (call === this.#call && call.reader.isWhole) this.#finish(call, rest)
  }

  #finish(call: RunningCall, rest: Buffer | undefined): void {
    this.#call = undefined
    const socket = this.#socket
    const { keepsAlive = false, keptMs } = call.reader.head ?? {}
    // What the provider has not read of this request, or said too much, would meet the next call.
    const isClean = keepsAlive && rest === undefined && socket?.writableLength === 0
    this.#keptMs = keptMs === undefined ? Number.POSITIVE_INFINITY : keptMs - CROSSING_MS
    if (isClean && this.#keptMs > 0) {
      if (socket.isPaused()) socket.resume()
      this.#hasCarried = true
      this.#idleSince = performance.now()
      this.#owner.freed(this)
    } else this.destroy()
    call.taker.ended()
  }

  #end(): void {
    const call = this.#call
    if (call?.reader.endOfConnection() === true) this.#finish(call, undefined)
    else this.#lose('other side closed')
  }

  #lose(reason: string): void {
    const call = this.#call
    if (call === undefined) this.destroy()
    else this.abort(call, new ConnectionLost(reason, this.#hasCarried && !call.reader.hasBegun))
  }

  /** Ends this call, if it is under way, and the connection with it. */
  abort(call: RunningCall, reason: Error): void {
    if (this.#call !== call) return
    this.#call = undefined
    call.reader.cancel()
    call.giveUp?.()
    this.destroy()
    call.taker.failed(reason)
  }

  pause(call: RunningCall): void {
    if (this.#call === call) this.#socket?.pause()
  }

  resume(call: RunningCall): void {
    if (this.#call === call) this.#socket?.resume()
  }

  /** A call under way is lost. */
  destroy(): void {
    const call = this.#call
    if (call !== undefined) {
      this.abort(call, new ConnectionLost('closed', false))
      return
    }
    if (this.#isGone) return
    this.#isGone = true
    this.#socket?.destroy()
    this.#owner.gone(this)
  }
}

/** One call on its connection; what it is told after its end is nothing to the next one. */
class RunningCall implements CallControl {
  readonly #connection: ProviderConnection
  readonly taker: ReplyTaker
  readonly reader: ReplyReader
  giveUp: (() => void) | undefined

  constructor(connection: ProviderConnection, taker: ReplyTaker, reader: ReplyReader) {
    this.#connection = connection
    this.taker = taker
    this.reader = reader
  }

  pause(): void {
    this.#connection.pause(this)
  }

  resume(): void {
    this.#connection.resume(this)
  }

  abort(reason: Error): void {
    this.#connection.abort(this, reason)
  }
}

function bodyOf({ body }: WrittenCall): readonly Uint8Array[] {
  return body === undefined || body.length === 0 ? [] : [body]
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
