import { KorProxyError } from '#errors/korproxy-error.ts'
import { isRecord } from '#resources/finding.ts'

const REFUSED = 'KP-SYS-530'
const UNREACHABLE = 'KP-SYS-531'

/** The API server said no. `status`, `details.reason` and `retryAfterMs` say what to do about it. */
export function refusal(operation: string, status: number, body: unknown, retryAfterMs?: number): KorProxyError {
  const { reason, message, retryAfterSeconds } = readStatus(body)
  const waitMs = retryAfterMs ?? (retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000)
  return new KorProxyError(
    REFUSED,
    { operation, status, reason, message },
    { status, cause: readCauses(body), ...(waitMs !== undefined && { retryAfterMs: waitMs }) },
  )
}

/** What is wrong with one field of an object. */
export interface RefusalCause {
  /** e.g. `spec.rules[0].name`; empty for the object itself. */
  readonly field: string
  readonly message: string
}

/** Field by field why the API server refused an object; empty when it gave no such list. */
export function causesOf(error: KorProxyError): readonly RefusalCause[] {
  // Put there by `refusal`, which is the one maker of these errors.
  return Array.isArray(error.cause) ? (error.cause as readonly RefusalCause[]) : []
}

/** No answer, or one that broke off. */
export function unreachable(operation: string, cause: unknown): KorProxyError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new KorProxyError(UNREACHABLE, { operation, reason }, { cause })
}

/** Whether the API server refused, with this status if one is given. */
export function isRefusal(error: unknown, status?: number): error is KorProxyError {
  return error instanceof KorProxyError && error.code === REFUSED && (status === undefined || error.status === status)
}

/**
 * The version asked for is older than what the server keeps.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses
 */
export function isExpired(error: unknown): boolean {
  return isRefusal(error, 410) || (isRefusal(error) && ['Expired', 'Gone'].includes(String(error.details['reason'])))
}

/**
 * The version asked for is newer than what the server has: it came back with older data.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#unavailable-resource-versions
 */
export function isFromTheFuture(error: unknown): boolean {
  return isRefusal(error) && /too large resource version/i.test(String(error.details['message']))
}

/**
 * Server-side apply answers 500 to an object that its schema refuses: no repetition helps.
 * @see https://github.com/kubernetes/kubernetes/issues/94275
 */
export function isLastingRefusal(error: unknown): boolean {
  if (!isRefusal(error)) return false
  if (error.status === 500) return /typed patch object|schema/.test(String(error.details['message']))
  return error.status >= 400 && error.status < 500 && ![401, 408, 409, 429].includes(error.status)
}

function readCauses(body: unknown): readonly RefusalCause[] {
  const details = isRecord(body) ? body['details'] : undefined
  const causes = isRecord(details) && Array.isArray(details['causes']) ? details['causes'] : []
  return causes.filter(isRecord).map(({ field, message }) => ({
    // The API server writes `<nil>` for what is about no field.
    field: typeof field === 'string' && !field.startsWith('<') ? field : '',
    message: typeof message === 'string' ? message : '',
  }))
}

/** @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
function readStatus(body: unknown): { reason: string; message: string; retryAfterSeconds: number | undefined } {
  if (!isRecord(body)) return { reason: 'Unknown', message: String(body).slice(0, 512), retryAfterSeconds: undefined }
  const { reason, message, details } = body
  const seconds = isRecord(details) ? details['retryAfterSeconds'] : undefined
  return {
    reason: typeof reason === 'string' && reason !== '' ? reason : 'Unknown',
    message: typeof message === 'string' ? message.slice(0, 2048) : '',
    retryAfterSeconds: typeof seconds === 'number' && seconds > 0 ? seconds : undefined,
  }
}
