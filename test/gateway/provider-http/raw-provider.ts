import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'
import { waitFor } from '../../helpers/stack.ts'

export interface Asked {
  readonly socket: Socket
  /** Which connection, and which request on it; from 0. */
  readonly connection: number
  readonly nth: number
  /** Latin-1; everything before the empty line. */
  readonly head: string
  readonly body: Buffer
}

type OnAsked = (asked: Asked) => void

const HEAD_END = '\r\n\r\n'

/** A provider whose replies are bytes. Text is Latin-1. */
export class RawProvider {
  readonly server: Server
  readonly asked: Asked[] = []
  /** All that ever were. */
  readonly sockets: Socket[] = []
  readonly port: number
  #served = 0

  private constructor(server: Server) {
    this.server = server
    // A server that listens on a port has an address of this kind.
    this.port = (server.address() as AddressInfo).port
  }

  /** @param onAsked for each whole request, whose body has a Content-Length */
  static async start(t: Test, onAsked: OnAsked, host = '127.0.0.1'): Promise<RawProvider> {
    return RawProvider.over(t, createServer(), onAsked, host)
  }

  static async over(t: Test, server: Server, onAsked: OnAsked, host = '127.0.0.1'): Promise<RawProvider> {
    server.listen(0, host)
    await once(server, 'listening')
    const provider = new RawProvider(server)
    server.on('connection', (socket) => {
      provider.sockets.push(socket)
      socket.on('error', () => {})
    })
    // A TLS server tells of its own sockets with this event.
    const ready = 'setSecureContext' in server ? 'secureConnection' : 'connection'
    server.on(ready, (socket: Socket) => provider.#serve(socket, onAsked))
    t.teardown(() => {
      for (const socket of provider.sockets) socket.destroy()
      server.close()
    })
    return provider
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get open(): number {
    return this.sockets.filter(({ destroyed }) => !destroyed).length
  }

  /** Waits until so many connections are open. @returns how many are */
  hasOpen(count: number): Promise<number> {
    return waitFor(
      () => this.open,
      (open) => open === count,
    )
  }

  #serve(socket: Socket, onAsked: OnAsked): void {
    const connection = this.#served
    this.#served += 1
    let nth = 0
    let bytes = Buffer.alloc(0)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      for (;;) {
        const end = bytes.indexOf(HEAD_END)
        if (end === -1) return
        const head = bytes.toString('latin1', 0, end)
        const start = end + HEAD_END.length
        const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0)
        if (bytes.length < start + length) return
        const asked = { socket, connection, nth, head, body: bytes.subarray(start, start + length) }
        bytes = bytes.subarray(start + length)
        nth += 1
        this.asked.push(asked)
        onAsked(asked)
      }
    })
  }
}

/** In the plainest form, but for what the headers add: whole lines. */
export function answer(body: string, headers = ''): string {
  return `HTTP/1.1 200 OK\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`
}

/** Text is Latin-1. */
export function say(socket: Socket, text: string): void {
  socket.write(Buffer.from(text, 'latin1'))
}
