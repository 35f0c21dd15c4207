import { AccountHealth } from '../../../src/routing/health/account-health.ts'
import type { Outcome } from '../../../src/table/outcome.ts'
import type { HealthPolicy } from '../../../src/table/routing-table.ts'
import { HEALTH, half } from '../table-fixtures.ts'

export const START = 1_800_000_000_000
export const OK: Outcome = { kind: 'ok', latencyMs: 100, firstTokenMs: 50 }
export const FAILED: Outcome = { kind: 'server-error', status: 500 }
export const RESET: Outcome = { kind: 'network', phase: 'reset' }
export const REFUSED_CONNECTION: Outcome = { kind: 'network', phase: 'connect' }
export const BAD_CREDENTIAL: Outcome = { kind: 'bad-credential' }
export const limited = (scope: 'account' | 'model', retryAfterMs?: number): Outcome => ({
  kind: 'rate-limited',
  retryAfterMs,
  scope,
})

/** An account and its clock; times count from START. */
export function watch(policy: HealthPolicy = HEALTH, random = half) {
  const health = new AccountHealth(policy, random)
  return {
    health,
    record: (atMs: number, outcome: Outcome, model = 'm', connectionId?: number) =>
      health.record(model, outcome, { nowMs: START + atMs, ...(connectionId === undefined ? {} : { connectionId }) }),
    state: (atMs: number, model = 'm') => health.state(model, START + atMs).state,
    untilMs: (atMs: number, model = 'm') => (health.state(model, START + atMs).untilMs ?? 0) - START,
    probe: (atMs: number, model = 'm') => health.tryProbe(model, START + atMs),
  }
}

export function trip(account: ReturnType<typeof watch>, atMs = 0, model = 'm'): void {
  for (const offset of [0, 500, 1_000]) account.record(atMs + offset, FAILED, model)
}
