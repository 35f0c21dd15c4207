import type { Logger } from 'pino'
import { compile } from '#compile/compile.ts'
import { deprecatedModels } from '#compile/deprecated-models.ts'
import type { KorProxyError } from '#errors/korproxy-error.ts'
import type { Problem, Resource, ResourceSet } from '#resources/resource.ts'
import type { HighWater } from '#table/high-water.ts'
import type { GatewayCommand, LogLevelName } from '#table/messages.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import type { TableFormat } from '#table/table-formats.ts'
import type { Sha256 } from '#table/table-version.ts'
import type { TimeAndChance } from './kube/time-and-chance.ts'
import { ProblemLog } from './problem-log.ts'
import { FleetSettings } from './publish/fleet-settings.ts'
import { GatewayRoster, type RosterEntry } from './publish/gateway-roster.ts'
import type { Publication } from './publish/publication.ts'
import { PublishService } from './publish/publish-service.ts'
import { Publisher, type Withheld } from './publish/publisher.ts'
import type { RolloutState, RolloutWord } from './publish/rollout.ts'
import { accountReports, TableHistory } from './publish/status-facts.ts'
import type { WithheldFacts } from './status/gateway-acks.ts'
import { objectHashes } from './status/object-hashes.ts'
import type { StatusInput } from './status/status-reporter.ts'

export interface ControllerOptions {
  readonly world: TimeAndChance
  readonly sha256: Sha256
  /** Namespace that serves requests without a client key; the gateways run there. */
  readonly defaultNamespace: string
  readonly log: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>
  /** Anything that statuses tell of may have changed. */
  readonly onStatusChanged?: () => void
  /** Pods that should be gateways; undefined as long as that is not known. */
  readonly pods?: () => ReadonlySet<string> | undefined
  /** All gateways, except canaries, should run this from now on. */
  readonly onPublished?: (publication: Publication) => void
  /** Turns credentials into what gateways get. */
  readonly finishTable?: (table: RoutingTable, set: ResourceSet) => RoutingTable
  readonly formats?: readonly TableFormat[]
  /** Of several controllers one decides which gateways try a change first; by default this one. */
  readonly role?: () => 'Decides' | 'Follows'
}

export type ConfiguredSet = ResourceSet & { readonly problems: readonly Problem[] }

/** What the source says beside the objects. */
export interface ConfigureHint {
  readonly urgent: boolean
  readonly highWater: HighWater
}

/** What statuses are made of, except for the objects themselves. */
export type ControllerFacts = Pick<StatusInput, 'table' | 'problems' | 'programmed' | 'reports'>

/** From resources to what every gateway should run, and back to what it does run. Knows neither Kubernetes nor a network. */
export class Controller {
  readonly service: PublishService
  readonly #options: ControllerOptions
  readonly #roster: GatewayRoster
  readonly #publisher: Publisher
  readonly #history: TableHistory
  /** What a table was made from. */
  readonly #resources = new WeakMap<RoutingTable, readonly Resource[]>()
  readonly #problemLog: ProblemLog
  /** What the compiler found. */
  #problems: readonly Problem[] = []
  #logLevel: LogLevelName = 'info'
  #withheld: WithheldFacts | undefined

  constructor(options: ControllerOptions) {
    const { world, sha256, formats, role, onStatusChanged = () => {}, onPublished = () => {} } = options
    this.#options = options
    this.#problemLog = new ProblemLog(options.log)
    this.#history = new TableHistory(sha256)
    this.#roster = new GatewayRoster(world, () => {
      this.#publisher.rosterChanged()
      onStatusChanged()
    })
    this.#publisher = new Publisher({
      world,
      sha256,
      roster: this.#roster,
      ...(formats !== undefined && { formats }),
      ...(role !== undefined && { role }),
      listener: {
        targetsChanged: () => this.service.targetsChanged(),
        prepared: (publication) => this.#prepared(publication),
        published: (publication) => {
          options.log.info(
            { version: publication.table.version, urgent: publication.urgent },
            'routing table published',
          )
          onPublished(publication)
        },
        withheldChanged: (withheld) => this.#withheldChanged(withheld),
        rolloutChanged: (state) => this.#reportRollout(state),
      },
    })
    this.service = new PublishService({
      world,
      publisher: this.#publisher,
      roster: this.#roster,
      // The level that a GatewayConfig has by itself does not overrule the flag that a gateway was started with.
      acknowledged: ({ gateway, version, result }) => {
        options.log.debug({ gateway, version, result }, 'acknowledged')
      },
      greeting: () => (this.#logLevel === 'info' ? [] : [this.#logCommand()]),
    })
  }

  /** The objects as they are now. The first time they are published at once; later changes gather for a moment unless urgent. */
  configure(set: ConfiguredSet, { urgent, highWater }: ConfigureHint): void {
    this.#publisher.offer(
      () => {
        const table = this.#compile(set)
        return {
          offer: { table, highWater, urgent },
          plan: this.#settings(set.resources).canaryPlan(this.published, table),
        }
      },
      urgent ? 'AtOnce' : 'Gather',
    )
    this.#applyLogLevel(set.resources)
  }

  /** Undefined before the first table. */
  facts(): ControllerFacts | undefined {
    // A status must not call an object good that nobody has looked at yet.
    this.#publisher.makeWaiting()
    const table = this.#publisher.newest?.table
    if (table === undefined) return undefined
    const roster = this.#roster.all()
    return {
      table,
      problems: this.#problems,
      programmed: {
        ...this.#history.programmed(table, roster, this.#options.pods?.()),
        canary: this.#publisher.rollout,
        withheld: this.#withheld,
      },
      reports: accountReports(table, roster),
    }
  }

  /** Why the newest objects are not published; undefined when they are. */
  get withheld(): KorProxyError | undefined {
    return this.#publisher.withheld?.error
  }

  /** The table that gateways run unless they are canaries. */
  get published(): RoutingTable | undefined {
    return this.#publisher.stable?.table
  }

  /** All that is wrong with the objects as they were last published or withheld. */
  get problems(): readonly Problem[] {
    return this.#problemLog.told
  }

  get gateways(): readonly RosterEntry[] {
    return this.#roster.all()
  }

  get rollout(): RolloutState | undefined {
    return this.#publisher.rollout
  }

  /** What the other controllers should hear of roll-outs; undefined before the first table. */
  get rolloutWord(): RolloutWord | undefined {
    return this.#publisher.word
  }

  /** What the controller that decides on roll-outs says. */
  hearRollout(word: RolloutWord): void {
    this.#publisher.heard(word)
  }

  /** Somebody else listens to what gateways say from now on: all say it again. */
  audienceChanged(): void {
    this.service.command({ kind: 'report' })
    this.#publisher.rosterChanged()
  }

  close(): void {
    this.#publisher.close()
    this.service.close()
  }

  #compile(set: ConfiguredSet): RoutingTable {
    const { defaultNamespace, sha256, world, finishTable, onStatusChanged } = this.#options
    const unread = { objects: set.problems.map(({ ref }) => ref), credentials: [] }
    const compiled = compile(set, { defaultNamespace, sha256, unread })
    const table = finishTable === undefined ? compiled.table : finishTable(compiled.table, set)
    this.#problems = [...compiled.problems, ...deprecatedModels(set, compiled.table, world.unixTime())]
    this.#problemLog.tell([...set.problems, ...this.#problems])
    this.#resources.set(table, set.resources)
    onStatusChanged?.()
    return table
  }

  #prepared(publication: Publication): void {
    this.#history.add(publication, this.#resources.get(publication.table) ?? [])
    this.#options.onStatusChanged?.()
  }

  #withheldChanged(withheld: Withheld | undefined): void {
    const { log, sha256, onStatusChanged } = this.#options
    this.#withheld = undefined
    if (withheld !== undefined) {
      const { table, error } = withheld
      log.error({ err: error }, 'the routing table is not published; the last one stays')
      const hashes = objectHashes(table, this.#resources.get(table) ?? [], sha256)
      this.#withheld = { reason: `${error.code} ${error.message}`, hashes }
    }
    onStatusChanged?.()
  }

  #reportRollout(state: RolloutState | undefined): void {
    if (state === undefined) return
    const { log } = this.#options
    if (state.phase === 'Held') log.error({ rollout: state }, 'the new routing table is held; the canaries go back')
    else log.info({ rollout: state }, 'a new routing table is tried on canaries')
  }

  #applyLogLevel(resources: readonly Resource[]): void {
    const level = this.#settings(resources).logLevel
    if (level === this.#logLevel) return
    this.#logLevel = level
    this.service.command(this.#logCommand())
  }

  #logCommand(): GatewayCommand {
    return { kind: 'log-level', component: 'gateway', level: this.#logLevel }
  }

  #settings(resources: readonly Resource[]): FleetSettings {
    return new FleetSettings(resources, this.#options.defaultNamespace)
  }
}
