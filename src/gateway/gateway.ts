import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { scanJson } from '#formats/json-scan/scan-json.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import { AccountRegistry, type SavedHealth } from './account-registry.ts'
import { answerLocally } from './answer-locally.ts'
import { AttemptLoop } from './attempt-loop.ts'
import { BurstPace } from './burst-pace.ts'
import { endUnfinished } from './client-http/end-unfinished.ts'
import type { HttpReply, HttpRequest } from './client-http/http-exchange.ts'
import { correlationIdOf } from './correlation-id.ts'
import { countTokens } from './count-tokens.ts'
import { CountedIds } from './counted-ids.ts'
import { type CredentialSourceOptions, createCredentialSource } from './credential-source.ts'
import type { Exchange } from './exchange.ts'
import { HealthChecks } from './health-checks.ts'
import { loadModel, modelLoadSurface } from './load-model.ts'
import { openExchange } from './open-exchange.ts'
import type { GatewayDependencies, GatewayOptions } from './options.ts'
import { OverloadGuard } from './overload.ts'
import { readHeader } from './read-header.ts'
import { ClientReply } from './reply/client-reply.ts'
import { AllowLists } from './reply/forwarded-headers.ts'
import { sendError } from './reply/render-error.ts'
import { replyFlushed } from './reply/reply-flush.ts'
import type { GatewayRuntime } from './runtime.ts'
import { buildServingTable, type ServingTable } from './serving-table.ts'
import { SocketWatch } from './socket-watch.ts'
import { Admission } from './stages/admit.ts'
import { Authenticator } from './stages/authenticate.ts'
import { classify } from './stages/classify.ts'
import { BodyMemory, checkUtf8, receiveBody } from './stages/receive-body.ts'
import { route } from './stages/route.ts'
import { settle } from './stages/settle.ts'
import { Sweeper } from './sweep.ts'
import { CallPlans } from './upstream/call-plans.ts'
import { ClientGone, DrainOver } from './upstream/connection-failure.ts'
import { fetchToken } from './upstream/fetch-token.ts'
import { NameMemory, systemLookup } from './upstream/name-memory.ts'
import { UpstreamPools } from './upstream/pools.ts'

/** Where rotated OAuth tokens are kept. */
export type TokenStore = Pick<CredentialSourceOptions, 'loadTokens' | 'saveTokens'>

/** The last part of a UUID. */
const CORRELATION_DIGITS = 12

/** The data plane: serves from the table it was given last, whatever else is away. */
export class Gateway {
  readonly #runtime: GatewayRuntime
  readonly #overload: OverloadGuard
  readonly #sockets = new SocketWatch()
  readonly #healthChecks: HealthChecks
  readonly #admission = new Admission()
  readonly #pace = new BurstPace()
  #table: ServingTable | undefined
  #authenticator: Authenticator | undefined
  #draining = false
  #openListener = false
  #unreadClients: 'none' | 'some' = 'none'

  constructor(
    dependencies: GatewayDependencies,
    options: GatewayOptions,
    state: { readonly tokens: TokenStore; readonly health: SavedHealth },
  ) {
    this.#overload = new OverloadGuard(options.limits)
    const { log, monotonic } = dependencies
    const names = new NameMemory({
      lookup: systemLookup,
      monotonic,
      report: (host, err) => log.warn({ host, err }, 'name not resolved; its last addresses serve'),
    })
    const pools = new UpstreamPools({ privateAddresses: options.privateAddresses }, names.lookup)
    this.#runtime = {
      ...dependencies,
      options,
      registry: new AccountRegistry({
        random: dependencies.random,
        now: dependencies.now,
        credentials: createCredentialSource({
          ...state.tokens,
          now: dependencies.now,
          random: dependencies.random,
          fetch: (request, { caPem }) => fetchToken(pools.ofTokenEndpoint(request.url, caPem), request),
          report: (account, failure) => dependencies.log.warn({ account, err: failure }, 'token refresh failed'),
        }),
        saved: state.health,
      }),
      pools,
      plans: new CallPlans(),
      sweeper: new Sweeper(dependencies.monotonic),
      allowLists: new AllowLists(),
      bodyMemory: new BodyMemory(options.limits.maxBodyMemoryBytes),
      // Altogether in the shape of a UUID.
      correlationIds: new CountedIds(randomUUID().slice(0, -CORRELATION_DIGITS), CORRELATION_DIGITS),
    }
    this.#healthChecks = new HealthChecks({
      runtime: this.#runtime,
      tenant: (name) => this.#table?.tenants.get(name),
    })
  }

  /** Swaps the table in one step; requests under way finish on the one they began with. */
  apply(table: RoutingTable): void {
    this.#table = buildServingTable(table, this.#runtime.registry, this.#table)
    this.#openAccess()
    this.#runtime.pools.renew(this.#runtime.registry.all())
  }

  /** Whether the listener can be reached from this machine only. */
  listensOn(reach: 'loopback' | 'network'): void {
    this.#openListener = reach === 'loopback'
    this.#openAccess()
  }

  /** A client that could not be read was meant to close this gateway: it does not stand open because of a typing error. */
  noteUnreadClients(found: 'none' | 'some'): void {
    this.#unreadClients = found
    this.#openAccess()
  }

  #openAccess(): void {
    if (this.#table === undefined) return
    const noClients = this.#table.clients.size === 0 && this.#unreadClients === 'none'
    const keyless = this.#runtime.options.role === 'Standalone' && noClients
    this.#authenticator = new Authenticator(this.#table, { open: keyless && this.#openListener })
  }

  get table(): ServingTable | undefined {
    return this.#table
  }

  get registry(): AccountRegistry {
    return this.#runtime.registry
  }

  get inFlight(): number {
    return this.#overload.inFlight
  }

  /** For an answer that needs no exchange. */
  correlationIdOf(headers: IncomingHttpHeaders): string {
    return correlationIdOf(headers, this.#runtime.correlationIds)
  }

  /** A fault while one of the gateway's own paths was served. */
  noteFault(error: unknown): void {
    this.#runtime.log.error({ err: error }, 'internal error')
  }

  get ready(): boolean {
    return this.#table !== undefined && !this.#draining
  }

  /** From now on every reply closes its connection, and readiness is off. */
  startDraining(): void {
    this.#draining = true
  }

  /** The grace time is over: what is still under way ends in an error of its own format. */
  cutOpenExchanges(): void {
    this.#sockets.cutAll(new DrainOver('shutting down'))
  }

  get draining(): boolean {
    return this.#draining
  }

  close(): void {
    this.#healthChecks.close()
    this.#overload.close()
    this.#runtime.sweeper.close()
    this.#runtime.pools.close()
  }

  /** Serves one AI request, whatever its path. Never rejects. */
  async serve(request: HttpRequest, reply: HttpReply): Promise<void> {
    const exchange = openExchange(this.#runtime, request, reply)
    const client = new ClientReply(exchange, this)
    if (exchange.surface.operation.kind === 'hello') {
      client.send(200, ['content-type', 'text/plain'], HELLO)
      return
    }
    const exchanges = this.#sockets.enter(exchange)
    let entered: 'yes' | 'no' = 'no'
    try {
      this.#overload.enter()
      entered = 'yes'
      this.#identify(exchange)
      exchange.body = await this.#receiveBody(exchange)
      const turn = this.#pace.turn()
      if (turn !== undefined) {
        await turn
        if (exchange.clientGone) throw new ClientGone('client left')
      }
      const answering = this.#answer(exchange, client)
      if (answering !== undefined) await answering
    } catch (error) {
      this.#answerError(exchange, client, error)
    }
    const flushed = replyFlushed(reply, this.#runtime.sweeper, this.#runtime.options.limits.stalledReaderMs)
    if (flushed !== undefined) await flushed
    exchanges.delete(exchange)
    if (exchange.stream) this.#pace.streamClosed()
    this.#runtime.bodyMemory.release(exchange.body.length)
    if (entered === 'no') return
    this.#overload.leave()
    this.#settle(exchange)
  }

  /** The client has its answer: a fault in the accounts of it must not end the process. */
  #settle(exchange: Exchange): void {
    try {
      settle(this.#runtime, exchange)
    } catch (error) {
      this.#runtime.log.error({ correlationId: exchange.correlationId, err: error }, 'request event lost')
    }
  }

  #identify(exchange: Exchange): void {
    const authenticator = this.#authenticator
    if (authenticator === undefined) throw new KorProxyError('KP-SYS-503', {}, { retryAfterMs: 1_000 })
    const { tenant, client } = authenticator.authenticate(
      exchange.request.headers,
      exchange.query,
      exchange.startedAtMs,
    )
    exchange.tenant = tenant
    exchange.client = client
  }

  #receiveBody(exchange: Exchange): Promise<Uint8Array> {
    const { options, bodyMemory, sweeper } = this.#runtime
    const { maxBodyBytes } = exchange.tenant.tenant.requestLimits
    const limits = { maxBytes: maxBodyBytes, timeoutMs: options.limits.bodyTimeoutMs }
    return receiveBody(exchange, limits, bodyMemory, sweeper)
  }

  /** Undefined: it is answered already. */
  #answer(exchange: Exchange, client: ClientReply): Promise<void> | undefined {
    const { tenant, body } = exchange
    const { headers } = exchange.request
    if (isJson(exchange)) {
      checkUtf8(body)
      exchange.scan = scanJson(body, { maxDepth: tenant.tenant.requestLimits.maxDepth })
    }
    exchange.surface = modelLoadSurface(exchange) ?? exchange.surface
    const { surface } = exchange
    if (answerLocally(this.#runtime, exchange, client) === 'answered') return undefined
    const header = (name: string): string | undefined => readHeader(headers, name)
    const { scan } = exchange
    const classified = classify({ surface, tenant, client: exchange.client, header, body, scan })
    exchange.requestType = classified.requestType
    exchange.requestedModel = classified.requestedModel
    exchange.stream = classified.stream
    if (exchange.stream) this.#pace.streamOpened()
    this.#admission.admit(exchange)
    const routed = route({
      tenant,
      client: exchange.client,
      header,
      requestType: exchange.requestType,
      model: exchange.requestedModel,
      random: this.#runtime.random,
    })
    exchange.profile = routed.profile
    exchange.rule = routed.rule
    exchange.targets = routed.targets
    if (surface.operation.kind === 'count-tokens') return countTokens(this.#runtime, exchange, client)
    if (surface.operation.kind === 'load-model') return loadModel(this.#runtime, exchange, client)
    return new AttemptLoop(this.#runtime, exchange, client).run()
  }

  #answerError(exchange: Exchange, client: ClientReply, thrown: unknown): void {
    if (thrown instanceof ClientGone) return
    const error = thrown instanceof KorProxyError ? thrown : new KorProxyError('KP-SYS-500', {}, { cause: thrown })
    if (error.code === 'KP-SYS-500') {
      this.#runtime.log.error({ correlationId: exchange.correlationId, err: thrown }, 'internal error')
    }
    if (exchange.clientGone || exchange.reply.destroyed) return
    if (exchange.commitment === 'committed') {
      exchange.truncated = true
      exchange.errorCode = error.code
      exchange.reply.destroy()
      return
    }
    sendError(this.#runtime, exchange, client, error)
    endUnfinished(exchange.request)
  }
}

/** Without a body these are bad requests, and the scanner says so. */
const NEEDS_BODY: ReadonlySet<string> = new Set(['chat', 'embedding', 'count-tokens', 'ollama-show'])

const HELLO = Buffer.from('KorProxy\n')

/** `other` paths may carry anything (files, audio); only JSON is read. */
function isJson({ surface, body, request }: Exchange): boolean {
  if (surface.operation.kind !== 'other') return body.length > 0 || NEEDS_BODY.has(surface.operation.kind)
  return body.length > 0 && /^application\/(?:[a-z.+-]+\+)?json\b/i.test(request.headers['content-type'] ?? '')
}
