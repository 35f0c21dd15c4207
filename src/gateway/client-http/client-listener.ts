import { createServer, type RequestListener, type Server } from 'node:http'
import type { PlainConnectionOptions } from './plain-connection.ts'
import { PlainConnections } from './plain-connections.ts'

/** Long enough for load balancers, whose own limit is 60 s: the side that closes first must not be ours. */
const KEEP_ALIVE_MS = 75_000
const HEADERS_TIMEOUT_MS = 15_000
/** Node looks for slow headers every 30 s by itself. */
const CHECK_INTERVAL_MS = 2_000
/** SDKs and agents send a few KiB of headers. */
const MAX_HEADER_BYTES = 64 * 1024

/** Kept for a client that does not read; the kernel's own buffers come on top. */
const SOCKET_BUFFER_BYTES = 16_384

/**
 * The listener for clients. A connection is read here while its requests have the plainest form; the first that has not goes to
 * node:http, and its connection with it.
 */
export class ClientListener {
  readonly server: Server
  readonly #plain: PlainConnections

  /** @param onRequest takes what node:http has read */
  constructor(onRequest: RequestListener, plain: Pick<PlainConnectionOptions, 'serves' | 'serve'>) {
    this.server = createHttpServer(onRequest)
    const toNode = this.server.listeners('connection')
    this.#plain = new PlainConnections(
      {
        ...plain,
        handOver: (socket) => {
          for (const listener of toNode) listener.call(this.server, socket)
        },
        keepAliveMs: KEEP_ALIVE_MS,
        firstRequestMs: HEADERS_TIMEOUT_MS,
      },
      CHECK_INTERVAL_MS,
    )
    this.server.removeAllListeners('connection')
    this.server.on('connection', (socket) => this.#plain.accept(socket))
  }

  countConnections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
    })
  }

  closeIdle(): void {
    this.server.closeIdleConnections()
    this.#plain.closeIdle()
  }

  closeAll(): void {
    this.server.closeAllConnections()
    this.#plain.closeAll()
  }
}

function createHttpServer(onRequest: RequestListener): Server {
  const server = createServer(
    {
      highWaterMark: SOCKET_BUFFER_BYTES,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
      // The framing check refuses such a request, in words.
      requireHostHeader: false,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    onRequest,
  )
  // 0 = no limit by count; Node would drop the rest silently, the size limit refuses instead.
  server.maxHeadersCount = 0
  return server
}
