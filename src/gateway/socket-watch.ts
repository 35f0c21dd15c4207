import type { Socket } from 'node:net'
import type { Exchange } from './exchange.ts'
import { ClientGone } from './upstream/connection-failure.ts'

/** One `close` listener a connection instead of one a request: listeners of many thousand requests are work for the collector. */
export class SocketWatch {
  readonly #open = new WeakMap<Socket, Set<Exchange>>()
  readonly #connections = new Set<Set<Exchange>>()

  enter(exchange: Exchange): void {
    const { socket } = exchange.request
    const known = this.#open.get(socket)
    if (known !== undefined) {
      known.add(exchange)
      return
    }
    const exchanges = new Set([exchange])
    this.#open.set(socket, exchanges)
    this.#connections.add(exchanges)
    socket.once('close', () => {
      this.#connections.delete(exchanges)
      for (const open of exchanges) clientLeft(open)
    })
  }

  /** Ends every exchange under way with this reason. */
  cutAll(reason: Error): void {
    for (const exchanges of this.#connections) for (const open of exchanges) open.underWay?.abort(reason)
  }

  leave(exchange: Exchange): void {
    this.#open.get(exchange.request.socket)?.delete(exchange)
  }
}

function clientLeft(exchange: Exchange): void {
  exchange.clientGone = true
  exchange.underWay?.abort(new ClientGone('client left'))
}
