import type { Socket } from 'node:net'
import type { Exchange } from './exchange.ts'
import { ClientGone } from './upstream/connection-failure.ts'

/** One `close` listener a connection instead of one a request: listeners of many thousand requests are work for the collector. */
export class SocketWatch {
  readonly #connections = new Map<Socket, Set<Exchange>>()

  /** @returns the exchanges under way on this connection; an exchange that is over must be taken out */
  enter(exchange: Exchange): Set<Exchange> {
    const { socket } = exchange.request
    const exchanges = this.#connections.get(socket) ?? this.#watch(socket)
    return exchanges.add(exchange)
  }

  #watch(socket: Socket): Set<Exchange> {
    const exchanges = new Set<Exchange>()
    this.#connections.set(socket, exchanges)
    socket.once('close', () => {
      this.#connections.delete(socket)
      for (const open of exchanges) clientLeft(open)
    })
    return exchanges
  }

  /** Ends every exchange under way with this reason. */
  cutAll(reason: Error): void {
    for (const exchanges of this.#connections.values()) for (const open of exchanges) open.underWay?.abort(reason)
  }
}

function clientLeft(exchange: Exchange): void {
  exchange.clientGone = true
  exchange.underWay?.abort(new ClientGone('client left'))
}
