import type { Problem, Resource } from '#resources/resource.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import type { AccountHealth } from './account-health.ts'
import type { ProgrammedFacts } from './gateway-acks.ts'

/** What is known of the use of one client. */
export interface ClientUse {
  /** Unix time, milliseconds. */
  readonly lastUsedMs?: number
  /** Names of limits that are used up now. */
  readonly limitsExceeded: readonly string[]
  readonly safeMode?: 'Enabled' | 'Disabled'
}

/** What is known of the use of one policy. */
export interface PolicyUse {
  /** Limits that are used up now, over all clients. */
  readonly exceeded: number
  /** Of the shared allowance; `used` is decimal text, `resetMs` Unix time in milliseconds. */
  readonly usage: readonly { readonly name: string; readonly used: string; readonly resetMs?: number }[]
}

/** Everything that status is made of, as of one moment. */
export interface StatusFacts {
  /** Unix time, milliseconds. */
  readonly nowMs: number
  /** The newest table. */
  readonly table: RoutingTable
  /** What the compiler found, by `objectKey`. */
  readonly compileProblems: ReadonlyMap<string, readonly Problem[]>
  /** Valid forms of all objects, by namespace. */
  readonly resources: ReadonlyMap<string, readonly Resource[]>
  readonly programmed: ProgrammedFacts
  /** How long the newest table has had the object of this `objectKey` in its present form, milliseconds. */
  readonly ageMs: (key: string) => number
  /** By `namespace/account`; those that no gateway spoke of are missing. */
  readonly health: ReadonlyMap<string, AccountHealth>
  /** By `namespace/client`. */
  readonly clients: ReadonlyMap<string, ClientUse>
  /** By `namespace/policy`. */
  readonly policies: ReadonlyMap<string, PolicyUse>
  /** Settling: this controller has only just begun, and what it has not heard yet is as its predecessor said. */
  readonly phase: 'Settling' | 'Settled'
}
