import type { HealthView, LastError } from '#routing/health/health-view.ts'
import type { AccountReport } from '#table/messages.ts'
import type { ServingAccount } from '../serving-account.ts'

interface Seen {
  readonly state: HealthView['state']
  readonly sinceMs: number
  readonly lastErrorAtMs: number | undefined
}

/** How an account stands, and since when; finds what changed between two looks. */
export class HealthReport {
  readonly #startedAtMs: number
  #seen = new Map<string, Seen>()

  /** @param startedAtMs Unix time, ms */
  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs
  }

  /** Whether the state of any account is another than at the last look. */
  look(accounts: Iterable<ServingAccount>, nowMs: number): 'Changed' | 'Same' {
    const seen = new Map<string, Seen>()
    let changed: 'Changed' | 'Same' = 'Same'
    for (const { tenant, account, health } of accounts) {
      const key = `${tenant}/${account.name}`
      const { state } = health.summary(nowMs)
      const before = this.#seen.get(key) ?? { state: 'available', sinceMs: this.#startedAtMs }
      if (before.state !== state) changed = 'Changed'
      const sinceMs = before.state === state ? before.sinceMs : nowMs
      seen.set(key, { state, sinceMs, lastErrorAtMs: health.lastError?.atMs })
    }
    this.#seen = seen
    return changed
  }

  /** Those that have anything to tell. */
  accounts(accounts: Iterable<ServingAccount>, nowMs: number): AccountReport[] {
    this.look(accounts, nowMs)
    const reports: AccountReport[] = []
    for (const { tenant, account, health } of accounts) {
      const seen = this.#seen.get(`${tenant}/${account.name}`)
      if (seen === undefined) continue
      const unremarkable = seen.state === 'available' && seen.sinceMs === this.#startedAtMs
      if (unremarkable && health.lastError === undefined) continue
      const { untilMs } = health.summary(nowMs)
      const lastError = describeError(health.lastError)
      reports.push({
        tenant,
        account: account.name,
        state: seen.state,
        sinceMs: seen.sinceMs,
        ...(untilMs !== undefined && { untilMs: Math.round(untilMs) }),
        ...(lastError !== undefined && { lastError }),
      })
    }
    return reports
  }
}

const MAX_MODEL = 128

/** Kinds, codes and the model's name only: what a provider wrote may hold anything. */
function describeError(error: LastError | undefined): AccountReport['lastError'] {
  if (error?.code === undefined) return undefined
  const model = error.model === '' ? '' : ` (model ${error.model.slice(0, MAX_MODEL)})`
  return { code: error.code, message: `${error.kind}${model}`, atMs: Math.round(error.atMs) }
}
