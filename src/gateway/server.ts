import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { type AdminOptions, addAdminRoutes } from './admin-routes.ts'
import { answerParseError } from './client-http/answer-parse-error.ts'
import { ClientListener } from './client-http/client-listener.ts'
import { type PlainErrorContext, plainError } from './client-http/plain-error.ts'
import type { Gateway } from './gateway.ts'
import { checkFraming } from './stages/check-framing.ts'
import { checkLocalNames, isCommonLocal, isLoopback } from './stages/check-local-names.ts'

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

/** Paths that may be the gateway's own; what turns out to be none goes the way of every other path, to an AI API. */
const OWN_PATH = /^\/(?:livez|readyz|metrics|_korproxy\/)/

/**
 * The gateway's listener. Fastify serves the gateway's own paths; AI requests never enter it, because its routing and hooks would cost
 * as much as all of ours.
 */
export async function startServer(gateway: Gateway, options: ServerOptions): Promise<GatewayServer> {
  const open = isLoopback(options.host)
  gateway.listensOn(open ? 'loopback' : 'network')
  const errorContext = (headers: IncomingHttpHeaders): PlainErrorContext => ({
    correlationId: gateway.correlationIdOf(headers),
    docsUrl: options.docsUrl,
  })
  const clients = new ClientListener(
    listener((request, reply) => app.routing(request, reply), gateway, { errorContext, localNamesOnly: open }),
    {
      serves: ({ url, headers }) => !OWN_PATH.test(url) && (!open || isCommonLocal(headers)),
      serve: (request, reply) => void gateway.serve(request, reply),
    },
  )
  const app = Fastify({
    logger: false,
    serverFactory: () => clients.server,
    clientErrorHandler: (error, socket) => answerParseError(error, socket, errorContext({})),
    forceCloseConnections: 'idle',
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.setErrorHandler((error, request, reply) => {
    reply.hijack()
    if (!(error instanceof KorProxyError)) gateway.noteFault(error)
    sendPlainError(error, { request: request.raw, reply: reply.raw }, errorContext(request.headers))
  })
  app.setNotFoundHandler((request, reply) => {
    reply.hijack()
    void gateway.serve(request.raw, reply.raw)
  })
  addStatusRoutes(app, gateway, options)
  if (options.admin !== undefined) addAdminRoutes(app, gateway, options.admin)
  await app.listen({ host: options.host, port: options.port })
  return new GatewayServer(app, gateway, clients)
}

/** @param own serves the gateway's own paths */
function listener(
  own: RequestListener,
  gateway: Gateway,
  {
    errorContext,
    localNamesOnly,
  }: {
    readonly errorContext: (headers: IncomingHttpHeaders) => PlainErrorContext
    readonly localNamesOnly: boolean
  },
): RequestListener {
  return (request, reply) => {
    try {
      checkFraming(request)
      if (localNamesOnly) checkLocalNames(request)
    } catch (error) {
      sendPlainError(error, { request, reply }, errorContext(request.headers))
      return
    }
    if (!OWN_PATH.test(request.url ?? '')) {
      void gateway.serve(request, reply)
      return
    }
    if (gateway.draining) reply.setHeader('connection', 'close')
    own(request, reply)
  }
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

interface HttpExchange {
  readonly request: IncomingMessage
  readonly reply: ServerResponse
}

/** Errors before a request became an exchange: framing, foreign names. Written in OpenAI's shape, which every tool can print. */
function sendPlainError(thrown: unknown, { request, reply }: HttpExchange, context: PlainErrorContext): void {
  const error = thrown instanceof KorProxyError ? thrown : new KorProxyError('KP-SYS-500', {}, { cause: thrown })
  const { status, headers, body } = plainError(error, context)
  reply.writeHead(status, headers)
  reply.end(request.method === 'HEAD' ? undefined : body)
  request.resume()
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
  readonly #clients: ClientListener

  constructor(app: FastifyInstance, gateway: Gateway, clients: ClientListener) {
    this.#app = app
    this.#gateway = gateway
    this.#clients = clients
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
    for (;;) {
      const passedMs = performance.now() - startedAt
      if (passedMs >= graceMs) break
      if (idleConnections === 'Close') this.#clients.closeIdle()
      const done =
        this.#gateway.inFlight === 0 && (idleConnections === 'Close' || (await this.#clients.countConnections()) === 0)
      if (done && passedMs >= minimumMs) break
      await sleep(POLL_MS)
    }
    if ((await this.#clients.countConnections()) > 0) {
      this.#gateway.cutOpenExchanges()
      await sleep(FLUSH_MS)
    }
    await this.close()
  }

  async close(): Promise<void> {
    const closed = this.#app.close()
    this.#clients.closeAll()
    await closed
    this.#gateway.close()
  }
}
