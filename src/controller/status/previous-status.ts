import { isRecord } from '#resources/finding.ts'
import type { AccountHealth } from './account-health.ts'

const HEALTHS = ['available', 'rate_limited', 'erroring', 'disabled', 'unknown'] as const

/** A text field of a status as the API server has it. */
export function previousText(status: unknown, field: string): string | undefined {
  const value = isRecord(status) ? status[field] : undefined
  return typeof value === 'string' ? value : undefined
}

/** What was last said of an account's health, for a controller that has not heard of it yet. */
export function previousHealth(status: unknown): AccountHealth | undefined {
  if (!isRecord(status)) return undefined
  const health = HEALTHS.find((known) => known === status['health'])
  // Of an account that nobody has used there is nothing to repeat.
  if (health === undefined || health === 'unknown') return undefined
  const seen = isRecord(status['gatewayHealth']) ? status['gatewayHealth'] : {}
  const sinceMs = timeOf(status['healthSince'])
  const untilMs = timeOf(status['backoffUntil'])
  const atMs = timeOf(status['lastErrorTime'])
  const code = previousText(status, 'lastErrorCode')
  const message = previousText(status, 'lastErrorMessage') ?? ''
  return {
    health,
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
    ...(code !== undefined && atMs !== undefined && { lastError: { code, message, atMs } }),
    available: countOf(seen['available']),
    rateLimited: countOf(seen['rateLimited']),
    erroring: countOf(seen['erroring']),
  }
}

function timeOf(value: unknown): number | undefined {
  const unixMs = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(unixMs) ? undefined : unixMs
}

function countOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
