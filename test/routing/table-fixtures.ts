import { AccountLimits } from '../../src/routing/account-limits.ts'
import type { AccountRuntime } from '../../src/routing/account-runtime.ts'
import { AccountHealth } from '../../src/routing/health/account-health.ts'
import type {
  Account,
  Client,
  Group,
  HealthPolicy,
  Profile,
  RetryPolicy,
  Rule,
  Tenant,
} from '../../src/table/routing-table.ts'

/** Middle of the jitter: waits are exact. */
export const half = () => 0.5

export const HEALTH: HealthPolicy = {
  failureThreshold: 3,
  minimumSpreadMs: 1_000,
  erroringTimeoutMs: 1_800_000,
  backoff: { initialMs: 30_000, maxMs: 300_000, multiplier: 2, jitterPercent: 10, retryAfter: 'Honor' },
  halfOpenRequests: 1,
  whenAllUnavailable: 'LeastRecentlyLimited',
}

export const RETRY: RetryPolicy = {
  maxAttempts: 3,
  conditions: ['RateLimited', 'ServerError', 'ConnectError', 'Timeout', 'Reset'],
  budgetPercent: 20,
  budgetMinimum: 3,
  backoffBaseMs: 1_000,
  backoffMaxMs: 60_000,
  maxRetryAfterWaitMs: 3_000,
}

export function account(name: string, changes: Partial<Account> = {}): Account {
  return {
    name,
    displayName: name,
    provider: 'Mock',
    auth: 'None',
    headers: {},
    models: { allow: [], deny: [], aliases: {}, list: [] },
    limits: {},
    state: 'Enabled',
    healthCheck: { state: 'Disabled', intervalMs: 30_000, timeoutMs: 5_000, degradedLatencyMs: 5_000 },
    connections: { maxIdle: 100, maxIdlePerHost: 10, idleTimeoutMs: 90_000 },
    ...changes,
  }
}

export function runtime(configured: Account, policy: HealthPolicy = HEALTH): AccountRuntime {
  return {
    account: configured,
    health: new AccountHealth(policy, half),
    limits: new AccountLimits(configured.limits),
    inFlight: 0,
  }
}

export function runtimes(...accounts: Account[]): Map<string, AccountRuntime> {
  return new Map(accounts.map((configured) => [configured.name, runtime(configured)]))
}

export function group(name: string, members: Group['members'], changes: Partial<Group> = {}): Group {
  return {
    name,
    displayName: name,
    strategy: 'RoundRobin',
    members,
    affinity: { by: 'None' },
    health: HEALTH,
    retry: RETRY,
    timeouts: {
      connectMs: 5_000,
      firstByteMs: 120_000,
      firstByteWholeMs: 600_000,
      idleMs: 120_000,
      requestMs: 600_000,
    },
    fallbackGroups: [],
    onUnsupported: 'Error',
    ...changes,
  }
}

export function member(name: string, weight = 100, priority = 0): Group['members'][number] {
  return { account: name, weight, priority }
}

export function rule(name: string, match: Rule['match'], changes: Partial<Rule> = {}): Rule {
  return { name, match, targets: [{ group: name, priority: 0, weight: 1 }], ...changes }
}

export function profile(name: string, rules: readonly Rule[], defaultTargets: Profile['defaultTargets'] = []): Profile {
  return { name, displayName: name, rules, defaultTargets }
}

export function tenant(changes: Partial<Tenant> = {}): Tenant {
  return {
    name: 'team',
    activeProfile: 'default',
    clientAuth: 'Required',
    safeMode: null,
    profiles: {},
    groups: {},
    accounts: {},
    families: [],
    models: {},
    modelAliases: {},
    requestLimits: { maxBodyBytes: 1_000_000, maxDepth: 64 },
    requestHeaders: [],
    featureFlags: {},
    ...changes,
  }
}

export function client(name: string, changes: Partial<Client> = {}): Client {
  return {
    tenant: 'team',
    name,
    displayName: name,
    profileOverride: 'Deny',
    allowedModels: [],
    allowedTypes: [],
    safeMode: 'Inherit',
    state: 'Active',
    ...changes,
  }
}

/** A small reproducible source of chance (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
