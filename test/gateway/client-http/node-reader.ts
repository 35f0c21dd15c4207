import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import type { Test } from 'tap'
import { openSocket } from '../../helpers/raw-socket.ts'
import { startNode } from './wire.ts'

export interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  /** Latin-1. */
  body: string
}

/** What follows a request, and shows where that ended. */
export const NEXT = 'POST /next HTTP/1.1\r\nHost: next\r\nContent-Length: 4\r\n\r\nnext'
export const NEXT_SEEN: Seen = {
  method: 'POST',
  url: '/next',
  headers: { host: 'next', 'content-length': '4' },
  body: 'next',
}

export function isNext(seen: readonly Seen[]): boolean {
  const last = seen.at(-1)
  return last?.url === '/next' && last.body === 'next'
}

/** What Node's own server understands. */
export class NodeReader {
  readonly #port: number
  readonly #seen: Seen[]

  private constructor(port: number, seen: Seen[]) {
    this.#port = port
    this.#seen = seen
  }

  static async start(t: Test): Promise<NodeReader> {
    const all: Seen[] = []
    const port = await startNode(t, (request, reply) => {
      const { method, url, headers } = request
      const seen: Seen = { method, url, headers, body: '' }
      all.push(seen)
      request.on('data', (chunk: Buffer) => {
        seen.body += chunk.toString('latin1')
      })
      request.on('end', () => reply.end())
    })
    return new NodeReader(port, all)
  }

  /** Sends all bytes and waits until `isAll`, or until Node ends the connection. */
  async read(text: string, isAll: (seen: readonly Seen[]) => boolean): Promise<readonly Seen[]> {
    this.#seen.length = 0
    const socket = await openSocket(`http://127.0.0.1:${this.#port}`)
    socket.setTimeout(2_000, () => socket.destroy())
    socket.on('error', () => {})
    socket.on('data', () => {
      if (isAll(this.#seen)) socket.destroy()
    })
    socket.write(text, 'latin1')
    await once(socket, 'close')
    return [...this.#seen]
  }
}
