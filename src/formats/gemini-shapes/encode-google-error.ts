import type { ErrorKind } from '#errors/error-entry.ts'
import type { ClientError, RenderedError } from '../format.ts'
import type { JsonObject } from '../ir/chat-request.ts'

const STATUS_WORDS: Readonly<Record<ErrorKind, string>> = {
  authentication: 'UNAUTHENTICATED',
  permission: 'PERMISSION_DENIED',
  invalid_request: 'INVALID_ARGUMENT',
  upstream: 'UNAVAILABLE',
  overloaded: 'UNAVAILABLE',
  not_found: 'NOT_FOUND',
  context_length: 'INVALID_ARGUMENT',
  content_filter: 'INVALID_ARGUMENT',
  quota_exhausted: 'RESOURCE_EXHAUSTED',
  rate_limited: 'RESOURCE_EXHAUSTED',
  unsupported: 'INVALID_ARGUMENT',
  timeout: 'DEADLINE_EXCEEDED',
  internal: 'INTERNAL',
  too_large: 'INVALID_ARGUMENT',
}

/** @see https://google.aip.dev/193 and https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto */
export function encodeGoogleError(failure: ClientError): RenderedError {
  const { error, upstreamMessage } = failure
  const word = error.status === 501 ? 'UNIMPLEMENTED' : STATUS_WORDS[error.entry.kind]
  return {
    status: error.status,
    body: {
      error: {
        code: error.status,
        message: upstreamMessage ?? error.message,
        status: word,
        details: writeDetails(failure),
      },
    },
  }
}

function writeDetails({ error, correlationId, docsUrl }: ClientError): JsonObject[] {
  const { code, entry, retryAfterMs } = error
  return [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: code,
      domain: 'korproxy.dev',
      metadata: { correlationId },
    },
    { '@type': 'type.googleapis.com/google.rpc.Help', links: [{ description: entry.title, url: docsUrl }] },
    ...(retryAfterMs === undefined
      ? []
      : [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${retryAfterMs / 1000}s` }]),
    ...(entry.kind === 'quota_exhausted' ? [QUOTA_FAILURE] : []),
  ]
}

/** Gemini CLI gives up at once on a quota whose id says PerDay, and retries everything else with status 429. */
const QUOTA_FAILURE: JsonObject = {
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [{ quotaMetric: 'korproxy.dev/quota', quotaId: 'KorProxyQuotaPerDay' }],
}
