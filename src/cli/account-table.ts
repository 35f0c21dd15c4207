import type { AccountStatus } from './gateway-status.ts'
import { renderTable } from './output.ts'

/** Accounts of a running gateway, for people. */
export function accountTable(accounts: readonly AccountStatus[]): string {
  const rows = accounts.map(({ namespace, name, provider, state, inFlight, health }) => [
    namespace,
    name,
    provider,
    state,
    health.state,
    health.untilMs === undefined ? '-' : new Date(health.untilMs).toISOString(),
    String(inFlight),
    lastError(health),
  ])
  return renderTable(['namespace', 'account', 'provider', 'state', 'health', 'until', 'in flight', 'last error'], rows)
}

function lastError({ lastError: last }: AccountStatus['health']): string {
  return last === undefined ? '-' : `${last.code ?? last.kind} at ${new Date(last.atMs).toISOString()}`
}
