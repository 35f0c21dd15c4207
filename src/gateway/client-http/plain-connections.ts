import type { Socket } from 'node:net'
import { PlainConnection, type PlainConnectionOptions } from './plain-connection.ts'

/** The clients' connections that node:http does not read. */
export class PlainConnections {
  readonly #options: PlainConnectionOptions
  readonly #open = new Set<PlainConnection>()
  readonly #timer: NodeJS.Timeout

  constructor(options: PlainConnectionOptions, checkIntervalMs: number) {
    this.#options = options
    this.#timer = setInterval(() => this.#closeExpired(), checkIntervalMs)
    this.#timer.unref()
  }

  accept(socket: Socket): void {
    const connection = new PlainConnection(socket, this.#options, () => this.#open.delete(connection))
    this.#open.add(connection)
  }

  #closeExpired(): void {
    const now = performance.now()
    for (const connection of this.#open) connection.closeIfExpired(now)
  }

  /** Connections that wait for another request. */
  closeIdle(): void {
    for (const connection of this.#open) if (connection.isIdle) connection.destroy()
  }

  closeAll(): void {
    clearInterval(this.#timer)
    for (const connection of this.#open) connection.destroy()
  }
}
