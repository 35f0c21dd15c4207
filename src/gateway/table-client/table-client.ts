import type { Logger } from 'pino'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { DecodedSnapshot } from '#table/decode-snapshot.ts'
import type { HighWater } from '#table/high-water.ts'
import type { GatewayReport, LogLevelName, SnapshotNotice } from '#table/messages.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import { TABLE_FORMATS, type TableFormat } from '#table/table-formats.ts'
import type { Sha256 } from '#table/table-version.ts'
import type { ServingAccount } from '../serving-account.ts'
import type { ClientWorld, ControllerSession, ControllerTransport } from './controller-transport.ts'
import { followController, type Parting } from './follow-controller.ts'
import { HealthReport } from './health-report.ts'
import { readKeptTable, writeKeptTable } from './kept-table.ts'
import { ReconnectDelay } from './reconnect-delay.ts'
import { runCommand } from './run-command.ts'
import { type ApplyOutcome, TableApplier } from './table-applier.ts'
import { pause, repeat } from './timers.ts'

const REPORT_MS = 10_000
/** How soon a change of an account's health is seen. */
const LOOK_MS = 500
/** A controller that is slow to answer: what was served last is better than nothing. */
const FALLBACK_AFTER_MS = 1_000

/** The gateway that the tables are for. */
export interface TableTarget {
  apply(table: RoutingTable): void
  readonly registry: { all(): Iterable<ServingAccount> }
}

export interface TableClientOptions {
  readonly transport: ControllerTransport
  readonly gateway: TableTarget
  /** Pod, and a name for this start of the process. */
  readonly name: string
  readonly bootId: string
  /** Version of the program. */
  readonly image: string
  /** On a volume in memory; absent = not kept. */
  readonly keptTablePath?: string
  /** Where a Secret with the last good table may be mounted. */
  readonly lastGoodPath?: string
  readonly world: ClientWorld
  readonly sha256: Sha256
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  readonly setLogLevel: (component: string, level: LogLevelName) => void
  /** Requests so far, and those that ended in a 5xx. */
  readonly traffic: () => { readonly requests: number; readonly failures: number }
  readonly onApplied?: (version: string) => void
  readonly formats?: readonly TableFormat[]
}

/** Keeps a gateway at the table that the controllers publish. Without them it serves on from what it has. */
export class TableClient {
  readonly #options: TableClientOptions
  readonly #applier: TableApplier
  readonly #delay: ReconnectDelay
  readonly #health: HealthReport
  readonly #startedAtMs: number
  readonly #stop = new AbortController()
  #session: ControllerSession | undefined
  #wanted: SnapshotNotice | undefined
  #following: Promise<void> | undefined
  #saving: Promise<void> = Promise.resolve()
  #running: Promise<void> = Promise.resolve()
  readonly #repeating: (() => void)[] = []

  constructor(options: TableClientOptions) {
    const { world, sha256, log, gateway, formats } = options
    this.#options = options
    this.#startedAtMs = world.unixTime()
    this.#delay = new ReconnectDelay(() => world.random())
    this.#health = new HealthReport(this.#startedAtMs)
    this.#applier = new TableApplier({
      world,
      sha256,
      log,
      apply: (table) => {
        gateway.apply(table)
        options.onApplied?.(table.version)
      },
      onApplied: (snapshot, highWater) => this.#keep(snapshot, highWater),
      ...(formats !== undefined && { formats }),
    })
  }

  /** The version that serves; undefined before the first. */
  get version(): string | undefined {
    return this.#applier.version
  }

  /** Takes the table that an earlier process of this pod kept, if there is one, and then follows the controllers until `close`. */
  async start(): Promise<void> {
    await this.#restore(this.#options.keptTablePath)
    this.#running = this.#run()
    const { world } = this.#options
    this.#repeating.push(
      repeat(
        world,
        () => LOOK_MS,
        () => this.#look(),
      ),
      repeat(
        world,
        () => REPORT_MS,
        () => this.#reportSoon(),
      ),
      repeat(
        world,
        () => FALLBACK_AFTER_MS,
        () => this.#fallBack(),
      ),
    )
  }

  async close(): Promise<void> {
    this.#stop.abort()
    for (const stop of this.#repeating) stop()
    await this.#endSession()
    await this.#running
    await this.#following
    await this.#saving
  }

  async #run(): Promise<void> {
    const { transport, log, world } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted) {
      let waitMs = 0
      try {
        const session = await transport.connect()
        this.#session = session
        waitMs = this.#delayAfter(await this.#follow(session))
      } catch (error) {
        waitMs = this.#delay.next(error instanceof KorProxyError ? error.retryAfterMs : undefined)
        if (!signal.aborted) log.warn({ err: error, retryInMs: Math.round(waitMs) }, 'no controller; serving on')
        await this.#fallBack()
      }
      await this.#following
      await this.#endSession()
      await pause(world, waitMs, signal)
    }
  }

  #follow(session: ControllerSession): Promise<Parting> {
    const { world, log, gateway, setLogLevel } = this.#options
    return followController(
      session,
      {
        connected: () => {
          this.#delay.reset()
          this.#reportSoon()
        },
        notice: (notice) => this.#want(notice),
        command: (command) => {
          log.info({ command: command.kind }, 'command of the controller')
          runCommand(command, {
            accounts: () => gateway.registry.all(),
            now: () => world.unixTime(),
            setLogLevel,
            reportNow: () => this.#reportSoon(),
          })
        },
      },
      { world, log, version: () => this.version, signal: this.#stop.signal },
    )
  }

  #delayAfter(parting: Parting): number {
    switch (parting.kind) {
      case 'Drained':
        return parting.reconnectWithinMs * this.#options.world.random()
      case 'Lost':
        return this.#delay.next()
      case 'Polled':
        return 0
    }
  }

  /** One table at a time; of several that are wanted meanwhile the last one counts. */
  #want(notice: SnapshotNotice): void {
    this.#wanted = notice
    this.#following ??= this.#followWanted().finally(() => {
      this.#following = undefined
      if (this.#wanted !== undefined) this.#want(this.#wanted)
    })
  }

  async #followWanted(): Promise<void> {
    for (let notice = this.#wanted; notice !== undefined; notice = this.#wanted) {
      this.#wanted = undefined
      const session = this.#session
      if (session === undefined || this.#stop.signal.aborted) return
      try {
        const outcome = await this.#applier.follow(notice, session)
        if (outcome !== undefined) await this.#acknowledge(session, outcome)
      } catch (error) {
        this.#options.log.warn(
          { err: error, version: notice.version },
          'the routing table cannot be fetched; it is tried again',
        )
      }
    }
  }

  async #acknowledge(session: ControllerSession, outcome: ApplyOutcome): Promise<void> {
    const { name, bootId, image, formats = TABLE_FORMATS } = this.#options
    const numbers = formats.map(({ number }) => number)
    await session.acknowledge({ gateway: name, bootId, image, formats: numbers, ...outcome })
  }

  #look(): void {
    const { gateway, world } = this.#options
    if (this.#health.look(gateway.registry.all(), world.unixTime()) === 'Changed') this.#reportSoon()
  }

  #reportSoon(): void {
    const session = this.#session
    if (session === undefined) return
    session.report(this.#report()).catch((error: unknown) => {
      if (session === this.#session) this.#options.log.warn({ err: error }, 'the controller takes no report')
    })
  }

  #report(): GatewayReport {
    const { name, bootId, gateway, world, traffic } = this.#options
    return {
      gateway: name,
      bootId,
      ...(this.version !== undefined && { version: this.version }),
      startedAtMs: this.#startedAtMs,
      accounts: this.#health.accounts([...gateway.registry.all()], world.unixTime()),
      ...traffic(),
    }
  }

  async #fallBack(): Promise<void> {
    if (this.version === undefined && !this.#stop.signal.aborted) await this.#restore(this.#options.lastGoodPath)
  }

  async #restore(path: string | undefined): Promise<void> {
    if (path === undefined) return
    const { log } = this.#options
    try {
      const kept = await readKeptTable(path)
      // A controller may have been faster.
      if (kept === undefined || this.version !== undefined) return
      this.#applier.restore(kept)
      log.info({ path, version: this.version }, 'routing table of before the start')
    } catch (error) {
      // Serving begins when a controller answers.
      log.warn({ err: error, path }, 'the kept routing table is of no use')
    }
  }

  #keep({ snapshot }: DecodedSnapshot, highWater: HighWater): void {
    const { keptTablePath, log } = this.#options
    if (keptTablePath === undefined) return
    this.#saving = this.#saving
      .then(() => writeKeptTable(keptTablePath, snapshot, highWater))
      .catch((error: unknown) => {
        // Serving does not need it; the next start will.
        log.warn({ err: error, path: keptTablePath }, 'the routing table cannot be kept for the next start')
      })
  }

  async #endSession(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.close()
  }
}
