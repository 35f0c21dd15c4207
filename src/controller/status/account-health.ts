/** What one gateway says of one account. */
export interface AccountReport {
  readonly gateway: string
  readonly state: 'available' | 'rate_limited' | 'erroring' | 'disabled'
  /** Unix time, milliseconds. */
  readonly sinceMs: number
  /** No request is sent before. Unix time, milliseconds. */
  readonly untilMs?: number
  readonly lastError?: AccountError
}
interface AccountError {
  /** KP code. */
  readonly code: string
  /** Without secrets. */
  readonly message: string
  /** Unix time, milliseconds. */
  readonly atMs: number
}

/** What all gateways together see. */
export interface AccountHealth {
  readonly health: 'available' | 'rate_limited' | 'erroring' | 'disabled' | 'unknown'
  readonly sinceMs?: number
  readonly untilMs?: number
  readonly lastError?: AccountError
  readonly available: number
  readonly rateLimited: number
  readonly erroring: number
}

/** Best first. */
const ORDER = ['available', 'rate_limited', 'erroring'] as const

/** The worst that any gateway sees, the last error of all, and how many see what. */
export function mergeHealth(
  reports: readonly AccountReport[],
  state: 'Enabled' | 'Draining' | 'Disabled',
): AccountHealth {
  const count = (wanted: string): number => reports.filter((report) => report.state === wanted).length
  const worst = ORDER.findLast((candidate) => count(candidate) > 0)
  const health = state === 'Enabled' ? (worst ?? 'unknown') : 'disabled'
  const same = reports.filter((report) => report.state === health)
  const untils = same.flatMap(({ untilMs }) => (untilMs === undefined ? [] : [untilMs]))
  const errors = reports.flatMap((report) => (report.lastError === undefined ? [] : [report.lastError]))
  const lastError = errors.toSorted((a, b) => b.atMs - a.atMs)[0]
  return {
    health,
    ...(same.length > 0 && { sinceMs: Math.min(...same.map(({ sinceMs }) => sinceMs)) }),
    ...(untils.length > 0 && { untilMs: Math.max(...untils) }),
    ...(lastError && { lastError }),
    available: count('available'),
    rateLimited: count('rate_limited'),
    erroring: count('erroring'),
  }
}
