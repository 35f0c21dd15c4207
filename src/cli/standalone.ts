import { join } from 'node:path'
import type { Logger } from 'pino'
import { compile } from '#compile/compile.ts'
import { deprecatedModels } from '#compile/deprecated-models.ts'
import { logProblem } from '#controller/log-problem.ts'
import { type FolderSource, openFolderSource } from '#controller/sources/folder.ts'
import type { FolderSet } from '#controller/sources/folder-reader.ts'
import { formatProblem } from '#controller/sources/format-problem.ts'
import { Gateway } from '#gateway/gateway.ts'
import { DEFAULT_LIMITS, type GatewayLimits } from '#gateway/options.ts'
import { type GatewayServer, startServer } from '#gateway/server.ts'
import type { Problem, ResourceSet } from '#resources/resource.ts'
import { AccessLog } from '#telemetry/access-log.ts'
import { GatewayMetrics } from '#telemetry/metrics.ts'
import type { RequestEvent } from '#telemetry/request-event.ts'
import { HealthFile } from './health-file.ts'
import { PROCESS_WORLD } from './process-world.ts'
import { sha256 } from './sha256.ts'
import { TokenFiles } from './token-files.ts'
import { DOCS_URL, VERSION } from './version.ts'

export interface StandaloneOptions {
  /** Folder or file of manifests. */
  readonly config: string
  readonly namespace: string
  readonly host: string
  readonly port: number
  /** Folder for what survives a restart: health, rotated tokens, access log. */
  readonly stateDirectory: string
  /** Opens `/_korproxy/*`. */
  readonly managementToken: string
  /** For `auth.valueFrom.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Logger
  /** Objects besides those of the folder, e.g. accounts found in the environment. */
  readonly extra?: ResourceSet
  readonly limits?: Partial<GatewayLimits>
}

/** The whole of KorProxy in one process: folder source, compiler, gateway. */
export interface Standalone {
  readonly url: string
  readonly gateway: Gateway
  /** What is wrong with the configuration now. */
  problems(): readonly Problem[]
  /** Lets requests under way finish within `graceMs`, then ends everything. */
  drain(graceMs: number): Promise<void>
  close(): Promise<void>
}

export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const runtime = new StandaloneRuntime(options)
  await runtime.start()
  return runtime
}

class StandaloneRuntime implements Standalone {
  readonly gateway: Gateway
  readonly #options: StandaloneOptions
  readonly #metrics: GatewayMetrics
  readonly #accessLog: AccessLog
  readonly #health: HealthFile
  #source: FolderSource | undefined
  #server: GatewayServer | undefined
  #problems: readonly Problem[] = []

  constructor(options: StandaloneOptions) {
    this.#options = options
    const { log, stateDirectory } = options
    this.#health = new HealthFile(join(stateDirectory, 'health.json'), log)
    this.#accessLog = new AccessLog({ directory: join(stateDirectory, 'access'), log })
    const tokens = new TokenFiles(join(stateDirectory, 'tokens'))
    this.gateway = new Gateway(
      {
        ...PROCESS_WORLD,
        log,
        record: (event) => this.#record(event),
      },
      {
        version: VERSION,
        docsUrl: DOCS_URL,
        role: 'Standalone',
        privateAddresses: 'Allow',
        limits: { ...DEFAULT_LIMITS, ...options.limits },
      },
      {
        tokens: {
          loadTokens: (account, version) => tokens.load(account, version),
          saveTokens: (account, version, saved) => tokens.save(account, version, saved),
        },
        health: this.#health.load(),
      },
    )
    this.#metrics = new GatewayMetrics({ gateway: this.gateway })
  }

  get url(): string {
    if (this.#server === undefined) throw new Error('not started')
    return this.#server.url
  }

  problems(): readonly Problem[] {
    return this.#problems
  }

  async start(): Promise<void> {
    const { config, namespace, log, environment } = this.#options
    this.#source = await openFolderSource(config, {
      namespace,
      environment,
      log,
      onChange: (set) => this.#applyChange(set),
    })
    this.#apply(this.#source.current())
    try {
      this.#server = await this.#listen()
    } catch (error) {
      await this.close()
      throw error
    }
    this.#health.watch(() => this.gateway.registry.save())
  }

  #listen(): Promise<GatewayServer> {
    const { host, port, log } = this.#options
    return startServer(this.gateway, {
      host,
      port,
      docsUrl: DOCS_URL,
      metrics: () => this.#metrics.render(),
      admin: {
        managementToken: this.#options.managementToken,
        now: Date.now,
        audit: (entry) => log.info({ audit: entry }, 'audit'),
        problems: () => this.#problems.map((problem) => ({ code: problem.code, text: formatProblem(problem) })),
      },
    })
  }

  /** Whatever is wrong with a change, the requests under the last configuration go on. */
  #applyChange(set: FolderSet): void {
    try {
      this.#apply(set)
    } catch (error) {
      this.#options.log.error({ err: error }, 'configuration not applied; the last one stays in use')
    }
  }

  #apply(set: FolderSet): void {
    const { extra, namespace, log } = this.#options
    const all: ResourceSet = {
      resources: [...set.resources, ...(extra?.resources ?? [])],
      secrets: [...set.secrets, ...(extra?.secrets ?? [])],
      externalCredentials: [...set.externalCredentials, ...(extra?.externalCredentials ?? [])],
    }
    const { table, problems } = compile(all, { defaultNamespace: namespace, sha256, unread: set.unread })
    const hadProblems = this.#problems.length > 0
    this.#problems = [...set.problems, ...problems, ...deprecatedModels(all, table, Date.now())]
    for (const problem of this.#problems) logProblem(log, problem)
    const changed = this.gateway.table?.version !== table.version
    if (changed) this.gateway.apply(table)
    this.gateway.noteUnreadClients(set.unreadClients)
    this.#metrics.setConfigVersion(table.version, Date.now())
    if (changed) log.info({ version: table.version, problems: this.#problems.length }, 'configuration applied')
    else if (this.#problems.length > 0) log.info({ version: table.version }, 'what was last valid stays in use')
    else if (hadProblems) log.info({ version: table.version }, 'the configuration has no problems any more')
  }

  #record(event: RequestEvent): void {
    this.#metrics.record(event)
    this.#accessLog.write(event)
  }

  async drain(graceMs: number): Promise<void> {
    await this.#server?.drain({ minimumMs: 0, graceMs, idleConnections: 'Close' })
    await this.#closeRest()
  }

  async close(): Promise<void> {
    await this.#server?.close()
    await this.#closeRest()
  }

  async #closeRest(): Promise<void> {
    await this.#source?.close()
    this.#health.close(this.gateway.registry.save())
    await this.#accessLog.close()
  }
}
