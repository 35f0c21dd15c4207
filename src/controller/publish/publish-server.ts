import type { ServerResponse } from 'node:http'
import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { StreamEvent } from '#table/messages.ts'
import { SECTION_NAMES, type SectionName } from '#table/table-formats.ts'
import type { TimeAndChance } from '../kube/time-and-chance.ts'
import { checkSpeaker, type GatewayAuthenticator, type GatewayIdentity, REVIEW_MS } from './gateway-authenticator.ts'
import type { LeaderRelay } from './leader-relay.ts'
import { type EventSink, MAX_WAIT_MS, type PublishService } from './publish-service.ts'

const MAX_BODY_BYTES = 8 * 1024 * 1024
const MAX_CONNECTIONS = 4_000
const HEADERS_TIMEOUT_MS = 15_000
const KEEP_ALIVE_MS = 75_000
/** A gateway that reads its stream no more is cut. */
const MAX_UNREAD_BYTES = 1024 * 1024
const MAX_FORMATS = 8

/** Certificate and key, PEM. */
export interface ServingCertificate {
  readonly cert: string
  readonly key: string
}

export interface PublishServerOptions {
  readonly host: string
  readonly port: number
  readonly certificate: ServingCertificate
  readonly service: PublishService
  readonly authenticator: GatewayAuthenticator
  readonly world: TimeAndChance
  /** To the leader, where this controller is not it. */
  readonly relay: Pick<LeaderRelay, 'forward'>
  readonly onTrouble: (error: unknown, operation: string) => void
}

/** The internal listener that gateways connect to: HTTP/1.1 over TLS, every route authenticated. */
export async function startPublishServer(options: PublishServerOptions): Promise<PublishServer> {
  const app = Fastify({
    logger: false,
    https: {
      ...options.certificate,
      minVersion: 'TLSv1.2',
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 60_000,
    },
    keepAliveTimeout: KEEP_ALIVE_MS,
    bodyLimit: MAX_BODY_BYTES,
    exposeHeadRoutes: false,
  })
  app.server.maxConnections = MAX_CONNECTIONS
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply, options))
  const routes = new Routes(options)
  app.get('/internal/v1/stream', (request, reply) => routes.stream(request, reply))
  app.get('/internal/v1/snapshots/:version', (request, reply) => routes.manifest(request, reply))
  app.get('/internal/v1/snapshots/:version/:section', (request, reply) => routes.section(request, reply))
  app.get('/internal/v1/current', (request, reply) => routes.current(request, reply))
  app.post('/internal/v1/ack', (request, reply) => routes.ack(request, reply))
  app.post('/internal/v1/report', (request, reply) => routes.report(request, reply))
  await app.listen({ host: options.host, port: options.port })
  return new PublishServer(app)
}

export class PublishServer {
  readonly #app: FastifyInstance<Server>

  constructor(app: FastifyInstance<Server>) {
    this.#app = app
  }

  get port(): number {
    // It listens on TCP.
    return (this.#app.server.address() as AddressInfo).port
  }

  /** New connections get this one; those that are open stay. */
  useCertificate(certificate: ServingCertificate): void {
    this.#app.server.setSecureContext(certificate)
  }

  async close(): Promise<void> {
    const closed = this.#app.close()
    this.#app.server.closeAllConnections()
    await closed
  }
}

class Routes {
  readonly #options: PublishServerOptions

  constructor(options: PublishServerOptions) {
    this.#options = options
  }

  async stream(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { authenticator, service } = this.#options
    const token = tokenOf(request)
    const identity = await authenticator.reauthenticate(token)
    const formats = checkQuestion(request, identity)
    if (reply.raw.destroyed) return
    const sink = new HttpSink(reply.raw)
    // Whatever it refuses, nothing has been written yet.
    const leave = service.openStream(identity, formats, sink)
    reply.hijack()
    const stopReviews = this.#reviewNowAndThen(token, sink)
    reply.raw.on('close', () => {
      leave()
      stopReviews()
    })
  }

  async manifest(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    await this.#identify(request)
    const manifest = this.#options.service.manifest(parameter(request, 'version'))
    if (manifest === undefined) return notFound(request, reply)
    return reply.header('cache-control', 'private, max-age=31536000, immutable').send(manifest)
  }

  async section(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    await this.#identify(request)
    const name = parameter(request, 'section')
    const compressed = isSection(name)
      ? await this.#options.service.section(parameter(request, 'version'), name)
      : undefined
    if (compressed === undefined) return notFound(request, reply)
    return reply
      .headers({
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'cache-control': 'private, max-age=31536000, immutable',
      })
      .send(compressed)
  }

  async current(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const identity = await this.#identify(request)
    const left = new AbortController()
    reply.raw.on('close', () => left.abort())
    const notice = await this.#options.service.current(identity, {
      formats: checkQuestion(request, identity),
      has: request.headers['if-none-match']?.replaceAll('"', ''),
      waitMs: readWaitMs(queryOf(request, 'wait')),
      signal: left.signal,
    })
    if (notice === undefined) return reply.code(304).send()
    return reply.headers({ etag: `"${notice.version}"`, 'cache-control': 'no-store' }).send(notice)
  }

  async ack(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    this.#options.service.acknowledge(await this.#identify(request), request.body)
    this.#options.relay.forward('/internal/v1/ack', tokenOf(request), request.body)
    return reply.code(204).send()
  }

  async report(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    this.#options.service.report(await this.#identify(request), request.body)
    this.#options.relay.forward('/internal/v1/report', tokenOf(request), request.body)
    return reply.code(204).send()
  }

  async #identify(request: FastifyRequest): Promise<GatewayIdentity> {
    return this.#options.authenticator.authenticate(tokenOf(request))
  }

  /** A stream lives longer than what is known of its token. */
  #reviewNowAndThen(token: string | undefined, sink: EventSink): () => void {
    const { world, authenticator, onTrouble } = this.#options
    let cancel = (): void => {}
    const again = (): void => {
      cancel = world.after(REVIEW_MS * (0.9 + 0.2 * world.random()), () => {
        authenticator.reauthenticate(token).then(again, (error: unknown) => {
          onTrouble(error, 'review the token of an open stream')
          if (error instanceof KorProxyError && error.code === 'KP-AUTH-010') sink.end()
          else again()
        })
      })
    }
    again()
    return () => cancel()
  }
}

class HttpSink implements EventSink {
  readonly #reply: ServerResponse

  constructor(reply: ServerResponse) {
    this.#reply = reply
  }

  send({ event, data }: StreamEvent): void {
    const id = event === 'snapshot' ? `id: ${data.version}\n` : ''
    this.#write(`${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  ping(): void {
    this.#write(': ping\n\n')
  }

  end(): void {
    this.#reply.end()
  }

  #write(text: string): void {
    if (!this.#reply.headersSent) {
      this.#reply.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    }
    if (this.#reply.writableLength > MAX_UNREAD_BYTES) this.#reply.destroy()
    else if (!this.#reply.writableEnded) this.#reply.write(text)
  }
}

function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply, options: PublishServerOptions): void {
  const isOwn = thrown instanceof KorProxyError
  // What Fastify itself refuses: no JSON, a body too large.
  const refusedStatus = isOwn ? undefined : clientStatus(thrown)
  if (!isOwn && refusedStatus === undefined) options.onTrouble(thrown, `${request.method} ${request.url}`)
  const error = isOwn ? thrown : new KorProxyError('KP-SYS-500', {}, { cause: thrown })
  if (error.retryAfterMs !== undefined) reply.header('retry-after', String(Math.ceil(error.retryAfterMs / 1_000)))
  const body = refusedStatus === undefined ? { code: error.code, message: error.message } : { message: 'bad request' }
  reply.code(refusedStatus ?? error.status).send(body)
}

function clientStatus(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return undefined
  const { statusCode } = thrown
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined
}

/** The gateway and the formats that it names in the query. @throws KP-AUTH-010, KP-SYS-516 */
function checkQuestion(request: FastifyRequest, identity: GatewayIdentity): number[] {
  checkSpeaker(identity, queryOf(request, 'gateway') ?? '')
  const formats = (queryOf(request, 'formats') ?? '').split(',').slice(0, MAX_FORMATS).map(Number)
  if (formats.some((format) => !Number.isSafeInteger(format))) {
    throw new KorProxyError('KP-SYS-516', { message: 'formats must be numbers, such as formats=1,2.' })
  }
  return formats
}

/** e.g. `55s`; nothing = do not wait. @throws KP-SYS-516 */
function readWaitMs(text: string | undefined): number {
  if (text === undefined) return 0
  const seconds = /^(\d{1,3})s$/.exec(text)?.[1]
  if (seconds === undefined)
    throw new KorProxyError('KP-SYS-516', { message: 'wait must be seconds, such as wait=55s.' })
  return Math.min(Number(seconds) * 1_000, MAX_WAIT_MS)
}

function tokenOf({ headers: { authorization } }: FastifyRequest): string | undefined {
  return authorization?.startsWith('Bearer ') === true ? authorization.slice('Bearer '.length) : undefined
}

function queryOf({ query }: FastifyRequest, name: string): string | undefined {
  // Fastify gives an object of texts and lists.
  const value = (query as Record<string, unknown>)[name]
  return typeof value === 'string' ? value : undefined
}

function parameter({ params }: FastifyRequest, name: string): string {
  // The route names it.
  return (params as Record<string, string>)[name] ?? ''
}

function isSection(name: string): name is SectionName {
  const names: readonly string[] = SECTION_NAMES
  return names.includes(name)
}

function notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = new KorProxyError('KP-SYS-517', { method: request.method, path: request.url })
  return reply.code(404).send({ code: error.code, message: error.message })
}
