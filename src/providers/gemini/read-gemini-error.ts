import type { ProviderError } from '../classify-failure.ts'
import { member, parseBody, textMember } from '../read-error-body.ts'
import { readGoDuration } from '../retry-after.ts'

/**
 * `{"error": {code, message, status, details[]}}`, in stream mode inside an array. The wait stands in a RetryInfo detail, the kind
 * of quota in a QuotaFailure, a bad key in an ErrorInfo.
 * @see https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
 */
export function readGeminiError(body: string): ProviderError {
  const parsed = parseBody(body)
  const error = member(Array.isArray(parsed) ? parsed[0] : parsed, 'error')
  const details = member(error, 'details')
  const list: readonly unknown[] = Array.isArray(details) ? details : []
  const reasons = list.map((detail) => textMember(detail, 'reason'))
  const quotas = list.flatMap((detail) => violations(detail))
  const wait = list
    .map((detail) => readGoDuration(textMember(detail, 'retryDelay') || undefined))
    .find((ms) => ms !== undefined)
  return {
    words: [textMember(error, 'status'), ...reasons, ...quotas].filter((word) => word !== '').join(' '),
    message: textMember(error, 'message'),
    retryAfterMs: wait,
  }
}

function violations(detail: unknown): readonly string[] {
  const found = member(detail, 'violations')
  return Array.isArray(found) ? found.map((violation) => textMember(violation, 'quotaId')) : []
}
