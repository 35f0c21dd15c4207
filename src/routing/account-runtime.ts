import type { Account } from '#table/routing-table.ts'
import type { AccountLimits } from './account-limits.ts'
import type { AccountHealth } from './health/account-health.ts'

/** An account as routing sees it. The gateway owns the instances and keeps them across tables. */
export interface AccountRuntime {
  account: Account
  readonly health: AccountHealth
  readonly limits: AccountLimits
  /** Requests under way; the gateway counts. */
  inFlight: number
}
