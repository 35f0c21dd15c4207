import type { Account, ProviderName } from '#table/routing-table.ts'

/** An account with nothing but its provider. */
export function account(provider: ProviderName, own: Partial<Account> = {}): Account {
  return {
    name: 'a',
    displayName: 'a',
    provider,
    auth: 'APIKey',
    headers: {},
    models: { allow: [], deny: [], aliases: {}, list: [] },
    limits: {},
    state: 'Enabled',
    healthCheck: { state: 'Disabled', intervalMs: 30_000, timeoutMs: 10_000, degradedLatencyMs: 5_000 },
    connections: { maxIdle: 100, maxIdlePerHost: 10, idleTimeoutMs: 90_000 },
    ...own,
  }
}
