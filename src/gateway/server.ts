import type { AddressInfo, Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { FAMILY_SHAPES } from '#formats/registry.ts'
import { type AdminOptions, addAdminRoutes } from './admin-routes.ts'
import type { Gateway } from './gateway.ts'
import { readCorrelationId } from './open-exchange.ts'
import { checkFraming } from './stages/check-framing.ts'
import { checkLocalNames, isLoopback } from './stages/check-local-names.ts'

/** Long enough for load balancers, whose own limit is 60 s: the side that closes first must not be ours. */
const KEEP_ALIVE_MS = 75_000
const HEADERS_TIMEOUT_MS = 15_000
/** Node looks for slow headers every 30 s by itself. */
const CHECK_INTERVAL_MS = 2_000
/** SDKs and agents send a few KiB of headers. */
const MAX_HEADER_BYTES = 64 * 1024

/** Kept for a client that does not read; the kernel's own buffers come on top. */
const SOCKET_BUFFER_BYTES = 16_384

/** Time for the last error events to leave. */
const FLUSH_MS = 100
/** How often a drain looks whether it is over. */
const POLL_MS = 50

export interface ServerOptions {
  readonly host: string
  readonly port: number
  readonly docsUrl: string
  /** Prometheus text of this process; absent = it is shown elsewhere. */
  readonly metrics?: () => Promise<{ readonly contentType: string; readonly text: string }>
  /** Management routes beside the AI paths; absent = none. */
  readonly admin?: AdminOptions
}

/** The gateway's listener. AI requests leave Fastify at once (`hijack`): their bytes belong to the pipeline. */
export async function startServer(gateway: Gateway, options: ServerOptions): Promise<GatewayServer> {
  const app = Fastify({
    logger: false,
    http: {
      highWaterMark: SOCKET_BUFFER_BYTES,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The path is checked in its raw form before a route is chosen.
    routerOptions: { ignoreDuplicateSlashes: false, ignoreTrailingSlash: false },
    exposeHeadRoutes: false,
    // Before routing: a path whose escapes cannot be read.
    frameworkErrors: (cause, request, reply) => {
      const error = new KorProxyError('KP-NET-310', { reason: 'the path is not in its plain form' }, { cause })
      sendPlainError(error, request, reply, options.docsUrl)
    },
    forceCloseConnections: 'idle',
  })
  // 0 = no limit by count; Node would drop the rest silently, the size limit refuses instead.
  app.server.maxHeadersCount = 0
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  const open = isLoopback(options.host)
  gateway.listensOn(open ? 'loopback' : 'network')
  app.addHook('onRequest', (request, reply, done) => {
    if (gateway.draining) reply.header('connection', 'close')
    checkFraming(request.raw)
    if (open) checkLocalNames(request.raw)
    done()
  })
  app.setErrorHandler((error, request, reply) => sendPlainError(error, request, reply, options.docsUrl))
  addStatusRoutes(app, gateway, options)
  if (options.admin !== undefined) addAdminRoutes(app, gateway, options.admin)
  app.all('/*', {
    // Taken out before body parsing and validation: those cost more than the rest of Fastify, and the bytes are not its business.
    onRequest: (request, reply) => {
      reply.hijack()
      void gateway.serve(request.raw, reply.raw)
    },
    handler: () => {
      throw new Error('unreachable: the request was hijacked')
    },
  })
  await app.listen({ host: options.host, port: options.port })
  return new GatewayServer(app, gateway)
}

function addStatusRoutes(app: FastifyInstance, gateway: Gateway, options: ServerOptions): void {
  app.get('/livez', () => ({ status: 'ok' }))
  app.get('/readyz', (_request, reply) => {
    if (gateway.ready) return { status: 'ok', version: gateway.table?.version }
    reply.code(503)
    return { status: gateway.draining ? 'draining' : 'no routing table' }
  })
  const { metrics } = options
  if (metrics === undefined) return
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await metrics()
    reply.header('content-type', contentType)
    return text
  })
}

/** Errors before a request became an exchange: framing, foreign names. Written in OpenAI's shape, which every tool can print. */
function sendPlainError(thrown: unknown, request: FastifyRequest, reply: FastifyReply, docsUrl: string): void {
  const error = thrown instanceof KorProxyError ? thrown : new KorProxyError('KP-SYS-500', {}, { cause: thrown })
  const correlationId = readCorrelationId(undefined)
  const rendered = FAMILY_SHAPES.openai.encodeError({
    error,
    correlationId,
    docsUrl: `${docsUrl}/errors/${error.code}`,
  })
  reply
    .code(rendered.status)
    .headers({ 'x-korproxy-error': error.code, 'x-correlation-id': correlationId, connection: 'close' })
    .send(rendered.body)
  request.raw.resume()
}

export interface DrainOptions {
  /** Requests are taken for at least this long: whoever sends them learns late that this process ends. */
  readonly minimumMs: number
  readonly graceMs: number
  /**
   * `Leave`: a connection stays open until its client closes it, has used it once more, or the time is over that every reply promised
   * (`Keep-Alive: timeout`). Closing it earlier may cross a request on its way, which its client must not send again.
   */
  readonly idleConnections: 'Close' | 'Leave'
}

export class GatewayServer {
  readonly #app: FastifyInstance
  readonly #gateway: Gateway

  constructor(app: FastifyInstance, gateway: Gateway) {
    this.#app = app
    this.#gateway = gateway
  }

  get address(): AddressInfo {
    const address = this.#app.server.address()
    if (address === null || typeof address === 'string') throw new Error('the server listens on no TCP port')
    return address
  }

  get url(): string {
    const { address, family, port } = this.address
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  /**
   * Drains: readiness goes off, new replies close their connection, requests under way finish within `graceMs`.
   * What is still open then is cut by an error in its own format.
   */
  async drain({ minimumMs, graceMs, idleConnections }: DrainOptions): Promise<void> {
    this.#gateway.startDraining()
    const startedAt = performance.now()
    const { server } = this.#app
    for (;;) {
      const passedMs = performance.now() - startedAt
      if (passedMs >= graceMs) break
      if (idleConnections === 'Close') server.closeIdleConnections()
      const done =
        this.#gateway.inFlight === 0 && (idleConnections === 'Close' || (await countConnections(server)) === 0)
      if (done && passedMs >= minimumMs) break
      await sleep(POLL_MS)
    }
    if ((await countConnections(server)) > 0) {
      this.#gateway.cutOpenExchanges()
      await sleep(FLUSH_MS)
    }
    await this.close()
  }

  async close(): Promise<void> {
    const closed = this.#app.close()
    this.#app.server.closeAllConnections()
    await closed
    await this.#gateway.close()
  }
}

function countConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}
