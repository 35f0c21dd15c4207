import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Gateway } from '#gateway/gateway.ts'
import { DEFAULT_LIMITS, type GatewayLimits } from '#gateway/options.ts'
import { type GatewayServer, startServer } from '#gateway/server.ts'
import type { ClientWorld } from '#gateway/table-client/controller-transport.ts'
import { createHttpTransport } from '#gateway/table-client/http-transport.ts'
import { TableClient } from '#gateway/table-client/table-client.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import { TABLE_FORMATS } from '#table/table-formats.ts'
import type { AccessLog } from '#telemetry/access-log.ts'
import type { ComponentLoggers } from '#telemetry/log.ts'
import { GatewayMetrics } from '#telemetry/metrics.ts'
import type { RequestEvent } from '#telemetry/request-event.ts'
import { PROCESS_WORLD } from './process-world.ts'
import { sha256 } from './sha256.ts'
import { type StatusListener, startStatusListener } from './status-listener.ts'
import { DOCS_URL, VERSION } from './version.ts'

/** Load balancers and proxies go on sending for a while after readiness went off. */
const MIN_DRAIN_MS = 10_000
/** Name of the file in the memory volume, and of the key in the last-good Secret. */
const SNAPSHOT_FILE = 'snapshot.gz'

export interface GatewayRoleOptions {
  /** Pod. */
  readonly name: string
  /** Its tenant serves requests without a client key. */
  readonly namespace: string
  readonly host: string
  readonly port: number
  readonly statusPort: number
  /** e.g. `https://korproxy-controller.korproxy.svc:8443`. */
  readonly controllerUrl: string
  readonly tokenPath: string
  readonly authorityPath: string
  /** Folder on a volume in memory; absent = nothing is kept. */
  readonly tableDirectory?: string
  /** Folder where the last-good Secret may be mounted. */
  readonly lastGoodDirectory?: string
  readonly privateAddresses: 'Allow' | 'Deny'
  readonly loggers: ComponentLoggers
  readonly limits?: Partial<GatewayLimits>
  /** Where each finished request is written; absent = nowhere. */
  readonly accessLog?: AccessLog
}

/** A gateway of a cluster. It knows nothing but its controller: no Kubernetes, no resources, no compiler. */
export interface GatewayRole {
  readonly url: string
  readonly statusPort: number
  readonly gateway: Gateway
  /** Serves on for a while, lets requests under way finish within `graceMs`, then ends everything. */
  drain(graceMs: number): Promise<void>
  close(): Promise<void>
}

const WORLD: ClientWorld = {
  monotonic: () => performance.now(),
  unixTime: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}

export async function startGatewayRole(options: GatewayRoleOptions): Promise<GatewayRole> {
  const role = new ClusterGateway(options)
  await role.start()
  return role
}

class ClusterGateway implements GatewayRole {
  readonly gateway: Gateway
  readonly #options: GatewayRoleOptions
  readonly #metrics: GatewayMetrics
  readonly #client: TableClient
  readonly #traffic = { requests: 0, failures: 0 }
  #server: GatewayServer | undefined
  #status: StatusListener | undefined

  constructor(options: GatewayRoleOptions) {
    this.#options = options
    const log = options.loggers.component('gateway')
    this.gateway = new Gateway(
      {
        ...PROCESS_WORLD,
        log,
        record: (event) => this.#record(event),
      },
      {
        version: VERSION,
        docsUrl: DOCS_URL,
        role: 'Cluster',
        privateAddresses: options.privateAddresses,
        limits: { ...DEFAULT_LIMITS, ...options.limits },
      },
      // Tokens are refreshed by the controller; health is learnt again.
      { tokens: { loadTokens: async () => undefined, saveTokens: async () => {} }, health: {} },
    )
    this.#metrics = new GatewayMetrics({ gateway: this.gateway })
    this.#client = this.#createClient()
  }

  get url(): string {
    if (this.#server === undefined) throw new Error('not started')
    return this.#server.url
  }

  get statusPort(): number {
    if (this.#status === undefined) throw new Error('not started')
    return this.#status.port
  }

  async start(): Promise<void> {
    const { host, port, statusPort } = this.#options
    this.#status = await startStatusListener({
      host,
      port: statusPort,
      notReady: () => this.#notReady(),
      metrics: () => this.#metrics.render(),
    })
    this.#server = await startServer(this.gateway, { host, port, docsUrl: DOCS_URL })
    await this.#client.start()
  }

  async drain(graceMs: number): Promise<void> {
    await this.#server?.drain({ minimumMs: MIN_DRAIN_MS, graceMs, idleConnections: 'Leave' })
    await this.#closeRest()
  }

  async close(): Promise<void> {
    await this.#server?.close()
    await this.#closeRest()
  }

  #notReady(): string | undefined {
    if (this.gateway.draining) return 'draining'
    return this.gateway.ready ? undefined : 'no routing table'
  }

  #createClient(): TableClient {
    const { name, controllerUrl, tokenPath, authorityPath, tableDirectory, lastGoodDirectory, loggers } = this.#options
    const log = loggers.component('table-client')
    return new TableClient({
      transport: createHttpTransport({
        url: controllerUrl,
        gateway: name,
        formats: TABLE_FORMATS.map(({ number }) => number),
        tokenPath,
        authorityPath,
        random: Math.random,
        onUnknown: (what) => log.warn({ what }, 'the controller says something that this version does not know'),
      }),
      gateway: {
        apply: (table) => this.#apply(table),
        registry: this.gateway.registry,
      },
      name,
      bootId: randomUUID(),
      image: VERSION,
      ...(tableDirectory !== undefined && { keptTablePath: join(tableDirectory, SNAPSHOT_FILE) }),
      ...(lastGoodDirectory !== undefined && { lastGoodPath: join(lastGoodDirectory, SNAPSHOT_FILE) }),
      world: WORLD,
      sha256,
      log,
      setLogLevel: (component, level) => loggers.setLevel(component, level),
      traffic: () => ({ ...this.#traffic }),
    })
  }

  /** Gateways of one controller may be installed for different namespaces. */
  #apply(table: RoutingTable): void {
    const { namespace } = this.#options
    const known = Object.hasOwn(table.core.tenants, namespace)
    this.gateway.apply(known ? { ...table, core: { ...table.core, defaultTenant: namespace } } : table)
    this.#metrics.setConfigVersion(table.version, Date.now())
  }

  #record(event: RequestEvent): void {
    this.#traffic.requests += 1
    if (event.status >= 500) this.#traffic.failures += 1
    this.#metrics.record(event)
    this.#options.accessLog?.write(event)
  }

  async #closeRest(): Promise<void> {
    await this.#options.accessLog?.close()
    await this.#client.close()
    await this.#status?.close()
  }
}
