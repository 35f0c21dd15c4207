import type { ErrorCode } from '#errors/registry.ts'
import type { Outcome } from '#table/outcome.ts'
import type { SavedBreaker } from './breaker.ts'
import type { LimitCause } from './scope-health.ts'

export type HealthState = 'available' | 'rate_limited' | 'erroring' | 'disabled'

/** Nothing secret: kinds and codes only. */
export interface LastError {
  readonly kind: Outcome['kind']
  readonly model: string
  readonly code?: ErrorCode
  /** Unix time, milliseconds. */
  readonly atMs: number
}

/** How an account stands for a model. Times are Unix time in milliseconds. */
export interface HealthView {
  readonly state: HealthState
  /** Erroring: when the next probe may go; rate-limited: when the limit ends. */
  readonly untilMs?: number
  readonly sinceMs?: number
  readonly cause?: SavedBreaker['cause'] | LimitCause
  /** A probe may go now. */
  readonly halfOpen?: boolean
  readonly lastError?: LastError
}

/** What the provider's rate-limit headers said. Reset times are Unix time in milliseconds. */
export interface RateLimitNote {
  readonly requestsRemaining?: number
  readonly tokensRemaining?: number
  readonly requestsResetAtMs?: number
  readonly tokensResetAtMs?: number
}

export interface RecordedAt {
  /** Unix time, milliseconds. */
  readonly nowMs: number
  /** Tells failures of one connection from those of several. */
  readonly connectionId?: number
  readonly errorCode?: ErrorCode
}
