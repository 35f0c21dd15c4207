import type { ProviderError } from '../classify-failure.ts'
import { member, parseBody, textMember } from '../read-error-body.ts'
import { readGoDuration } from '../retry-after.ts'
import { untilPacificMidnight } from './pacific-midnight.ts'

/**
 * `{"error": {code, message, status, details[]}}`, in stream mode inside an array. The wait stands in a RetryInfo detail, the kind
 * of quota in a QuotaFailure, a bad key in an ErrorInfo.
 * @see https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
 */
export function readGeminiError(body: string, nowMs: number): ProviderError {
  const parsed = parseBody(body)
  const error = member(Array.isArray(parsed) ? parsed[0] : parsed, 'error')
  const details = member(error, 'details')
  const list: readonly unknown[] = Array.isArray(details) ? details : []
  const reasons = list.map((detail) => textMember(detail, 'reason'))
  const quotas = list.flatMap((detail) => violations(detail))
  const daily = quotas.filter(({ id }) => id.includes('PerDay'))
  const wait = list
    .map((detail) => readGoDuration(textMember(detail, 'retryDelay') || undefined))
    .find((ms) => ms !== undefined)
  return {
    words: [textMember(error, 'status'), ...reasons, ...quotas.map(({ id }) => id)]
      .filter((word) => word !== '')
      .join(' '),
    message: textMember(error, 'message'),
    // The RetryInfo beside a daily quota is that of the minute.
    retryAfterMs: daily.length > 0 ? untilPacificMidnight(nowMs) : wait,
    scope: scopeOf(daily.length > 0 ? daily : quotas),
  }
}

interface Violation {
  /** Such as `GenerateRequestsPerDayPerProjectPerModel-FreeTier`. */
  readonly id: string
  readonly scope: 'account' | 'model'
}

function violations(detail: unknown): readonly Violation[] {
  const found = member(detail, 'violations')
  if (!Array.isArray(found)) return []
  return found.map((violation) => {
    const id = textMember(violation, 'quotaId')
    const isOfModel = id.includes('PerModel') || textMember(member(violation, 'quotaDimensions'), 'model') !== ''
    return { id, scope: isOfModel ? 'model' : 'account' }
  })
}

function scopeOf(quotas: readonly Violation[]): ProviderError['scope'] {
  return quotas.find(({ scope }) => scope === 'account')?.scope ?? quotas[0]?.scope
}
