import type { Resource } from '#resources/resource.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import type { Sha256 } from '#table/table-version.ts'
import type { AccountReport } from '../status/account-health.ts'
import type { GatewayAck, ProgrammedFacts } from '../status/gateway-acks.ts'
import { objectHashes } from '../status/object-hashes.ts'
import type { RosterEntry } from './gateway-roster.ts'
import type { Publication } from './publication.ts'

/** A gateway that was away for an hour runs an older one at most. */
const MAX_TABLES = 64

interface KnownTable {
  /** In each format. The tables themselves are not kept. */
  readonly versions: ReadonlySet<string>
  readonly hashes: ReadonlyMap<string, string>
}

/** Remembers what the last tables made of each object, to tell which gateway runs which form of it. */
export class TableHistory {
  readonly #sha256: Sha256
  /** Oldest first, by the table's own version. */
  readonly #tables = new Map<string, KnownTable>()

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  add(publication: Publication, resources: readonly Resource[]): void {
    const { version } = publication.table
    this.#tables.delete(version)
    this.#tables.set(version, {
      versions: new Set([...publication.snapshots.values()].map(({ manifest }) => manifest.version)),
      hashes: objectHashes(publication.table, resources, this.#sha256),
    })
    const oldest = this.#tables.keys().next().value
    if (this.#tables.size > MAX_TABLES && oldest !== undefined) this.#tables.delete(oldest)
  }

  /**
   * Which gateway runs what, for the statuses.
   * @param pods those that should be gateways; undefined = not known: then whoever was here lately counts
   */
  programmed(
    newest: RoutingTable,
    roster: readonly RosterEntry[],
    pods: ReadonlySet<string> | undefined,
  ): ProgrammedFacts {
    // A pod that was deleted is not missed; one that never came is.
    const counted = roster.filter(({ name, connected }) => connected || pods === undefined || pods.has(name))
    const present = new Set(counted.map(({ name }) => name))
    const absent = [...(pods ?? [])].filter((name) => !present.has(name))
    return {
      version: newest.version,
      gateways: [
        ...counted.map((entry) => this.#ackOf(entry)),
        ...absent.map((name) => ({ name, connected: false, diagnostics: [] })),
      ],
      objectHashes: new Map([...this.#tables].map(([version, { hashes }]) => [version, hashes])),
    }
  }

  #ackOf({ name, connected, runs, verdict }: RosterEntry): GatewayAck {
    const version = runs === undefined ? undefined : this.#ownVersion(runs)
    return {
      name,
      connected,
      ...(version !== undefined && { version }),
      ...(verdict !== undefined && { result: verdict.result, lastAckTimeMs: verdict.atMs }),
      diagnostics: (verdict?.diagnostics ?? []).map(({ code, message }) => ({ code, message })),
    }
  }

  /** An older gateway runs the same table in an older format, under another version. */
  #ownVersion(version: string): string {
    if (this.#tables.has(version)) return version
    for (const [own, { versions }] of this.#tables) if (versions.has(version)) return own
    return version
  }
}

/** What each gateway that is here says of each account of the table, by `namespace/account`. */
export function accountReports(
  { core }: RoutingTable,
  roster: readonly RosterEntry[],
): ReadonlyMap<string, readonly AccountReport[]> {
  const reports = new Map<string, AccountReport[]>()
  for (const { name, connected, report } of roster) {
    if (!connected || report === undefined) continue
    const told = new Map(report.accounts.map((account) => [`${account.tenant}/${account.account}`, account]))
    for (const tenant of Object.values(core.tenants)) {
      for (const account of Object.keys(tenant.accounts)) {
        const key = `${tenant.name}/${account}`
        const { state, sinceMs, untilMs, lastError } = told.get(key) ?? available(report.startedAtMs)
        const entry: AccountReport = {
          gateway: name,
          state,
          sinceMs,
          ...(untilMs !== undefined && { untilMs }),
          ...(lastError !== undefined && { lastError }),
        }
        reports.set(key, [...(reports.get(key) ?? []), entry])
      }
    }
  }
  return reports
}

function available(sinceMs: number): Omit<AccountReport, 'gateway'> {
  return { state: 'available', sinceMs }
}
