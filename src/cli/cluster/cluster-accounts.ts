import type { ObservedObject } from '#controller/sources/observed-objects.ts'
import { previousHealth, previousText } from '#controller/status/previous-status.ts'
import type { SavedHealth } from '#gateway/account-registry.ts'
import { renderTable } from '../output.ts'
import { progressOf } from './object-progress.ts'

export interface ClusterAccount {
  readonly namespace: string
  readonly name: string
  /** Absent for an object that is not valid. */
  readonly provider?: string
  readonly state?: string
  /** Over all gateways, as its status says. */
  readonly health: string
  /** RFC 3339. */
  readonly until?: string
  readonly lastError?: { readonly code: string; readonly message: string; readonly time?: string }
  /** Why it does not do its work. */
  readonly problem?: string
}

/** The accounts of a cluster with their health, as the leader of the controllers last wrote it. */
export function clusterAccounts(objects: readonly ObservedObject[]): ClusterAccount[] {
  return objects.flatMap((object): ClusterAccount[] => {
    if (object.kind !== 'ProviderAccount') return []
    const { ref, status, resource } = object
    const spec = resource?.kind === 'ProviderAccount' ? resource.spec : undefined
    const until = previousText(status, 'backoffUntil')
    const code = previousText(status, 'lastErrorCode')
    const time = previousText(status, 'lastErrorTime')
    const { message } = progressOf(object)
    return [
      {
        namespace: ref.namespace,
        name: ref.name,
        ...(spec && { provider: spec.preset === undefined ? spec.provider : `${spec.provider}/${spec.preset}` }),
        ...(spec && { state: spec.state }),
        health: previousText(status, 'health') ?? 'unknown',
        ...(until !== undefined && { until }),
        ...(code !== undefined && {
          lastError: {
            code,
            message: previousText(status, 'lastErrorMessage') ?? '',
            ...(time !== undefined && { time }),
          },
        }),
        ...(message !== undefined && { problem: message }),
      },
    ]
  })
}

export function clusterAccountTable(accounts: readonly ClusterAccount[]): string {
  const rows = accounts.map(({ namespace, name, provider, state, health, until, lastError, problem }) => [
    namespace,
    name,
    provider ?? '-',
    state ?? '-',
    health,
    until ?? '-',
    lastError === undefined ? '-' : `${lastError.code}${lastError.time === undefined ? '' : ` at ${lastError.time}`}`,
    problem ?? '-',
  ])
  return renderTable(['namespace', 'account', 'provider', 'state', 'health', 'until', 'last error', 'problem'], rows)
}

const NEVER = { step: 0, sinceMs: 0, untilMs: 0 }
/** Where the status does not say when an account is asked again. */
const PATIENCE_MS = 60_000

/** What the cluster says of its accounts, in the form in which a gateway keeps it. */
export function healthOfCluster(objects: readonly ObservedObject[], nowMs: number): SavedHealth {
  const entries = objects.flatMap(({ kind, ref, status }): [string, SavedHealth[string]][] => {
    const known = kind === 'ProviderAccount' ? previousHealth(status) : undefined
    if (known === undefined || (known.health !== 'rate_limited' && known.health !== 'erroring')) return []
    const sinceMs = known.sinceMs ?? nowMs
    const untilMs = known.untilMs ?? nowMs + PATIENCE_MS
    const limited = known.health === 'rate_limited'
    const account = {
      rateLimit: limited ? { step: 0, sinceMs, untilMs } : NEVER,
      overload: NEVER,
      quotaUntilMs: 0,
      ...(!limited && {
        breaker: { openedAtMs: sinceMs, nextProbeMs: untilMs, failedProbes: 0, cause: 'failures' as const },
      }),
    }
    return [[`${ref.namespace}/${ref.name}`, { format: 1, account, models: {} }]]
  })
  return Object.fromEntries(entries)
}
