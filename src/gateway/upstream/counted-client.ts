import type { Socket } from 'node:net'
import { Client } from 'undici'
import { noteConnecting } from './connection-failure.ts'
import { watchConnection } from './stale-connection.ts'

/** A client of a pool, which has one connection at a time, and the socket of that connection, which undici does not show. */
export class CountedClient {
  readonly client: Client
  #socket: Socket | undefined
  #carriedBytes = 0
  #idleSweeps = 0

  constructor(origin: string | URL, options: Client.Options) {
    const { connect } = options
    if (typeof connect !== 'function') throw new TypeError('a pool gives its clients a connector')
    this.client = new Client(origin, {
      ...options,
      connect: (target, callback) =>
        connect(target, (...result) => {
          if (result[0] === null) this.#connected(result[1])
          else noteConnecting(result[0])
          callback(...result)
        }),
    })
    this.client.on('drain', () => this.#leaveUnread())
  }

  /** Ready for the next request, which would wait behind what the provider has not read of one that it has answered. */
  #leaveUnread(): void {
    if (this.#socket !== undefined && this.#socket.writableLength > 0) this.disconnect()
  }

  #connected(socket: Socket): void {
    watchConnection(socket)
    this.#socket = socket
    this.#carriedBytes = 0
    this.#idleSweeps = 0
  }

  /** For how many sweeps the connection has been idle; 0: it is in use, was since the sweep before, or there is none. */
  get idleSweeps(): number {
    return this.#idleSweeps
  }

  /** Looks whether anything went over the connection since the last sweep. */
  sweep(): void {
    const socket = this.#socket
    if (socket === undefined) return
    const carriedBytes = socket.bytesRead + socket.bytesWritten
    const isIdle = carriedBytes === this.#carriedBytes && !socket.destroyed && this.client.stats.size === 0
    this.#carriedBytes = carriedBytes
    this.#idleSweeps = isIdle ? this.#idleSweeps + 1 : 0
    if (socket.destroyed) this.#socket = undefined
  }

  /** Closes the idle connection; the client makes another with its next request. A closed client would stay in its pool and throw. */
  disconnect(): void {
    this.#socket?.destroy()
    this.#socket = undefined
    this.#idleSweeps = 0
  }

  get isGone(): boolean {
    return this.client.closed || this.client.destroyed
  }
}
