import { createHash, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { compile } from '../../src/compile/compile.ts'
import { Controller, type ControllerOptions } from '../../src/controller/controller.ts'
import type { TimeAndChance } from '../../src/controller/kube/time-and-chance.ts'
import { readFolder } from '../../src/controller/sources/folder.ts'
import { KorProxyError } from '../../src/errors/korproxy-error.ts'
import { Gateway } from '../../src/gateway/gateway.ts'
import { DEFAULT_LIMITS } from '../../src/gateway/options.ts'
import type { ControllerSession, ControllerTransport } from '../../src/gateway/table-client/controller-transport.ts'
import { TableClient, type TableClientOptions } from '../../src/gateway/table-client/table-client.ts'
import type { Problem, ResourceSet } from '../../src/resources/resource.ts'
import type { GatewayCommand } from '../../src/table/messages.ts'
import type { RoutingTable } from '../../src/table/routing-table.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { scratch } from './stack.ts'

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A log that a test can read. */
export function readableLog(): { readonly logger: ReturnType<typeof createLogger>; readonly text: () => string } {
  const lines: string[] = []
  const logger = createLogger({ level: 'debug', destination: { write: (line: string) => void lines.push(line) } })
  return { logger, text: () => lines.join('') }
}

/** Time that passes this much faster, so that nobody waits for a minute. */
export function fastWorld(factor: number): TimeAndChance {
  const startMs = performance.now()
  const passedMs = (): number => (performance.now() - startMs) * factor
  return {
    monotonic: passedMs,
    unixTime: () => 1_800_000_000_000 + Math.floor(passedMs()),
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs / factor)
      return () => clearTimeout(timer)
    },
    random: Math.random,
  }
}

export type ManifestSet = ResourceSet & { readonly problems: readonly Problem[] }

export async function manifestSet(t: Test, manifests: string): Promise<ManifestSet> {
  const folder = scratch(t)
  writeFileSync(join(folder, 'korproxy.yaml'), manifests)
  return readFolder(folder, { namespace: 'default', environment: {} })
}

export async function tableOf(t: Test, manifests: string): Promise<RoutingTable> {
  return compile(await manifestSet(t, manifests), { defaultNamespace: 'default', sha256 }).table
}

/** Two accounts, a group and as many clients as wanted; `fields` go into account `a`. */
export function manifests(options: { readonly clients?: number; readonly displayName?: string } = {}): string {
  const { clients = 1, displayName = 'Account A' } = options
  const client = (at: number): string => `
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: client-${at}}
spec:
  credentials: [{name: key, sha256: ${sha256(`key-${at}`)}}]
---`
  return `
apiVersion: v1
kind: Secret
metadata: {name: a}
stringData: {apiKey: sk-secret-a}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: a}
spec: {provider: OpenAI, displayName: ${displayName}, auth: {secretKeyRef: {name: a}}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: b}
spec: {provider: OpenAI, auth: {secretKeyRef: {name: a}}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: pool}
spec: {accountRefs: [{name: a}, {name: b}]}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec: {defaultProviderGroup: {name: pool}}
---${Array.from({ length: clients }, (_, at) => client(at)).join('')}`
}

export function startController(t: Test, options: Partial<ControllerOptions> = {}): Controller {
  const controller = new Controller({
    world: fastWorld(1),
    sha256,
    defaultNamespace: 'default',
    log: readableLog().logger.component('controller'),
    ...options,
  })
  t.teardown(() => controller.close())
  return controller
}

export interface ClientRig {
  readonly gateway: Gateway
  readonly client: TableClient
  readonly log: () => string
  /** Level by component, as commands set it. */
  readonly logLevels: Record<string, string>
  stop(): Promise<void>
}

export interface ClientRigOptions extends Partial<TableClientOptions> {
  readonly transport: ControllerTransport
  readonly name: string
}

/** A gateway that listens nowhere, with its table client. */
export async function startClient(t: Test, options: ClientRigOptions): Promise<ClientRig> {
  const { logger, text } = readableLog()
  const log = logger.component('gateway')
  const gateway = new Gateway(
    {
      now: () => 1_800_000_000_000,
      monotonic: () => performance.now(),
      random: () => 0.5,
      newId: randomUUID,
      log,
      record: () => {},
    },
    {
      version: '0.0.0',
      docsUrl: 'https://korproxy.example',
      role: 'Cluster',
      privateAddresses: 'Deny',
      limits: DEFAULT_LIMITS,
    },
    { tokens: { loadTokens: async () => undefined, saveTokens: async () => {} }, health: {} },
  )
  const logLevels: Record<string, string> = {}
  const client = new TableClient({
    gateway,
    bootId: randomUUID(),
    image: '0.0.0',
    world: fastWorld(1),
    sha256,
    log,
    setLogLevel: (component, level) => {
      logLevels[component] = level
    },
    traffic: () => ({ requests: 0, failures: 0 }),
    ...options,
  })
  let running = true
  const stop = async (): Promise<void> => {
    if (!running) return
    running = false
    await client.close()
    gateway.close()
  }
  t.teardown(stop)
  await client.start()
  return { gateway, client, log: text, logLevels, stop }
}

/** What gateways reach: the controller of the moment, or nobody. Everything goes through JSON, as on a wire. */
export class InProcessController {
  readonly fetched: string[] = []
  readonly reports: unknown[] = []
  #controller: Controller | undefined
  /** Replaces the sections that come by. */
  alter: (name: string, text: string) => string = (_name, text) => text
  alterManifest: (manifest: unknown) => unknown = (manifest) => manifest
  /** Streams stay silent, as behind something that holds them back. */
  streams: 'Flowing' | 'HeldBack' | 'Silent' = 'Flowing'
  opened = 0

  constructor(controller: Controller | undefined) {
    this.#controller = controller
  }

  use(controller: Controller | undefined): void {
    this.#controller = controller
  }

  command(command: GatewayCommand): void {
    this.#controller?.service.command(command)
  }

  transport(gateway: string, formats: readonly number[] = [1]): ControllerTransport {
    return { connect: async () => this.#session(gateway, formats) }
  }

  #now(): Controller {
    if (this.#controller === undefined) throw new KorProxyError('KP-SYS-532', { operation: 'connect', reason: 'away' })
    return this.#controller
  }

  #session(gateway: string, formats: readonly number[]): ControllerSession {
    const { service } = this.#now()
    const identity = { gateway }
    let endStream = (): void => {}
    return {
      stream: (listener, signal) =>
        new Promise((resolve, reject) => {
          this.#now()
          this.opened += 1
          const sink = {
            send: (event: unknown): void => {
              if (this.streams !== 'Flowing') return
              listener.alive()
              listener.event(JSON.parse(JSON.stringify(event)))
            },
            ping: () => (this.streams === 'Flowing' ? listener.alive() : undefined),
            end: () => endStream(),
          }
          try {
            // The stream itself ends only when the connection does.
            const leave = service.openStream(identity, formats, sink)
            endStream = () => {
              leave()
              resolve()
            }
            signal.addEventListener('abort', () => endStream(), { once: true })
            if (this.streams === 'HeldBack') endStream()
          } catch (error) {
            reject(error)
          }
        }),
      manifest: async (version) => {
        const manifest = this.#now().service.manifest(version)
        if (manifest === undefined) throw new KorProxyError('KP-SYS-532', { operation: 'manifest', reason: '404' })
        return this.alterManifest(JSON.parse(JSON.stringify(manifest)))
      },
      section: async (version, name) => {
        this.fetched.push(`${gateway} ${name}`)
        const { gunzipSync } = await import('node:zlib')
        const bytes = await this.#now().service.section(version, name)
        if (bytes === undefined) throw new KorProxyError('KP-SYS-532', { operation: 'section', reason: '404' })
        return this.alter(name, gunzipSync(bytes).toString('utf8'))
      },
      current: (has, waitMs, signal) => this.#now().service.current(identity, { formats, has, waitMs, signal }),
      acknowledge: async (ack) => this.#now().service.acknowledge(identity, JSON.parse(JSON.stringify(ack))),
      report: async (report) => {
        this.reports.push(report)
        this.#now().service.report(identity, JSON.parse(JSON.stringify(report)))
      },
      close: async () => endStream(),
    }
  }
}
