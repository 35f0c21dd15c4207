/** What a provider can be asked to fail with, in neutral words. */
export const FAILURE_KINDS = [
  'bad_request',
  'unauthorized',
  'missing_key',
  'payment_required',
  'forbidden',
  'not_found',
  'request_timeout',
  'too_large',
  'unprocessable',
  'rate_limited',
  'quota',
  'context_length',
  'content_filter',
  'server_error',
  'bad_gateway',
  'unavailable',
  'gateway_timeout',
  'overloaded',
] as const
export type FailureKind = (typeof FAILURE_KINDS)[number]

export interface Failure {
  readonly kind: FailureKind
  /** Replaces the dialect's own status. */
  readonly status?: number | undefined
  readonly message?: string | undefined
  readonly param?: string | undefined
  readonly code?: string | undefined
  /** Seconds; 0 leaves the hint out. */
  readonly retryAfterS?: number | undefined
}

/** A failure in a provider's own words. */
export interface RenderedFailure {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: unknown
}

/** The kind a bare status stands for. */
export function kindOfStatus(status: number): FailureKind {
  const kinds: Record<number, FailureKind> = {
    400: 'bad_request',
    401: 'unauthorized',
    402: 'payment_required',
    403: 'forbidden',
    404: 'not_found',
    408: 'request_timeout',
    413: 'too_large',
    422: 'unprocessable',
    429: 'rate_limited',
    500: 'server_error',
    502: 'bad_gateway',
    503: 'unavailable',
    504: 'gateway_timeout',
    529: 'overloaded',
  }
  return kinds[status] ?? (status >= 500 ? 'server_error' : 'bad_request')
}
