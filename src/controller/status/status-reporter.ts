import type { Problem, Resource } from '#resources/resource.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import type { ApiClient } from '../kube/api-client.ts'
import type { EventRecorder } from '../kube/event-recorder.ts'
import type { TimeAndChance } from '../kube/time-and-chance.ts'
import type { ObservedObject } from '../sources/observed-objects.ts'
import { type AccountHealth, type AccountReport, mergeHealth } from './account-health.ts'
import { objectKey, type ProgrammedFacts } from './gateway-acks.ts'
import { previousHealth } from './previous-status.ts'
import { PROPAGATION_MS } from './programmed.ts'
import type { ClientUse, PolicyUse, StatusFacts } from './status-facts.ts'
import { type ObjectStatus, statusOf } from './status-of.ts'
import { StatusWriter } from './status-writer.ts'
import { transitionEvents } from './transition-events.ts'

/** Changes within this time are looked at together. */
const GATHER_MS = 100
/** Looked at even when nobody says that anything changed. */
const REGULAR_MS = 30_000

/** What the controller knows at this moment. */
export interface StatusInput {
  readonly objects: readonly ObservedObject[]
  readonly table: RoutingTable
  /** What the compiler found. */
  readonly problems: readonly Problem[]
  readonly programmed: ProgrammedFacts
  /** By `namespace/account`. */
  readonly reports: ReadonlyMap<string, readonly AccountReport[]>
  /** By `namespace/client`. */
  readonly clients: ReadonlyMap<string, ClientUse>
  /** By `namespace/policy`. */
  readonly policies: ReadonlyMap<string, PolicyUse>
}

export interface StatusReporterOptions {
  readonly client: Pick<ApiClient, 'apply'>
  readonly world: TimeAndChance
  /** Asked before each write: only the leader writes. */
  readonly leads: () => boolean
  /** Undefined as long as there is no table. */
  readonly input: () => StatusInput | undefined
  readonly recorder: Pick<EventRecorder, 'record'>
  readonly onFailure: (error: unknown, object: ObservedObject, outcome: 'Retried' | 'GivenUp') => void
}

/** Keeps the status of every object true. */
export class StatusReporter {
  readonly #options: StatusReporterOptions
  readonly #writer: StatusWriter
  readonly #startedAt: number
  /** The hash that the newest table has of an object, and since when; since the beginning of time for those of the first table. */
  readonly #forms = new Map<string, { readonly hash: string | undefined; readonly at: number }>()
  #sawTable = false
  #cancel: (() => void) | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #closed = false

  constructor(options: StatusReporterOptions) {
    const { client, world, leads, onFailure, recorder } = options
    this.#options = options
    this.#startedAt = world.monotonic()
    this.#writer = new StatusWriter({
      client,
      world,
      leads,
      onFailure,
      onWritten: (object, status) => {
        for (const event of transitionEvents(object, status)) void recorder.record(event)
      },
    })
  }

  /** Until `close`. */
  async run(): Promise<void> {
    this.refresh()
    await this.#writer.run()
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
    this.#writer.close()
  }

  /** Something that status speaks of may have changed. */
  refresh(): void {
    this.#lookAfter(GATHER_MS)
  }

  /** This replica has become leader: everything is compared with what its predecessor wrote. */
  takeOver(): void {
    this.#writer.reset()
    this.refresh()
  }

  #lookAfter(delayMs: number): void {
    const { world } = this.#options
    const at = world.monotonic() + delayMs
    if (this.#closed || at >= this.#dueAt) return
    this.#cancel?.()
    this.#dueAt = at
    this.#cancel = world.after(delayMs, () => {
      this.#dueAt = Number.POSITIVE_INFINITY
      this.#look()
    })
  }

  #look(): void {
    const { input, leads, world } = this.#options
    const known = input()
    if (known !== undefined) {
      this.#noteForms(known)
      if (leads()) {
        const facts = this.#factsOf(known)
        const statuses = known.objects.map((object) => ({ object, status: statusOf(object, facts) }))
        this.#writer.want(statuses)
        if (statuses.some(({ status }) => isPropagating(status))) this.#lookAfter(PROPAGATION_MS)
      }
    }
    const settlesAt = this.#startedAt + PROPAGATION_MS - world.monotonic()
    this.#lookAfter(settlesAt > 0 ? settlesAt : REGULAR_MS)
  }

  #noteForms({ objects, programmed }: StatusInput): void {
    const hashes = programmed.objectHashes.get(programmed.version)
    const now = this.#sawTable ? this.#options.world.monotonic() : Number.NEGATIVE_INFINITY
    this.#sawTable = true
    const keys = new Set(objects.map(({ ref }) => objectKey(ref)))
    for (const key of this.#forms.keys()) if (!keys.has(key)) this.#forms.delete(key)
    for (const key of keys) {
      const hash = hashes?.get(key)
      const known = this.#forms.get(key)
      if (known === undefined || known.hash !== hash) this.#forms.set(key, { hash, at: now })
    }
  }

  #factsOf({ objects, table, problems, programmed, reports, clients, policies }: StatusInput): StatusFacts {
    const { world } = this.#options
    const now = world.monotonic()
    const phase = now - this.#startedAt < PROPAGATION_MS ? 'Settling' : 'Settled'
    return {
      nowMs: world.unixTime(),
      table,
      compileProblems: Map.groupBy(problems, ({ ref }) => objectKey(ref)),
      resources: resourcesByNamespace(objects),
      programmed,
      // What was there when this controller began has had time from its beginning.
      ageMs: (key) => now - Math.max(this.#forms.get(key)?.at ?? now, this.#startedAt),
      health: healthOf(objects, reports, phase),
      clients,
      policies,
      phase,
    }
  }
}

function isPropagating({ conditions }: ObjectStatus): boolean {
  return conditions.some(({ reason }) => reason === 'Propagating')
}

function resourcesByNamespace(objects: readonly ObservedObject[]): ReadonlyMap<string, readonly Resource[]> {
  const resources = objects.flatMap(({ resource }) => (resource === undefined ? [] : [resource]))
  return Map.groupBy(resources, ({ metadata }) => metadata.namespace)
}

function healthOf(
  objects: readonly ObservedObject[],
  reports: StatusInput['reports'],
  phase: StatusFacts['phase'],
): ReadonlyMap<string, AccountHealth> {
  const health = new Map<string, AccountHealth>()
  for (const { ref, resource, status } of objects) {
    if (resource?.kind !== 'ProviderAccount') continue
    const key = `${ref.namespace}/${ref.name}`
    const heard = reports.get(key) ?? []
    const before = phase === 'Settling' && heard.length === 0 ? previousHealth(status) : undefined
    const merged = before ?? (heard.length > 0 ? mergeHealth(heard, resource.spec.state) : undefined)
    if (merged !== undefined) health.set(key, merged)
  }
  return health
}
