import { type CallContext, TOKENS } from '../call-context.ts'
import type { Failure, FailureKind, RenderedFailure } from '../failure-kind.ts'

type Row = readonly [status: number, type: string, message: string]

/** https://platform.claude.com/docs/en/api/errors */
const ROWS: Record<FailureKind, Row> = {
  bad_request: [400, 'invalid_request_error', 'Invalid request'],
  unauthorized: [401, 'authentication_error', 'invalid x-api-key'],
  missing_key: [401, 'authentication_error', 'x-api-key header is required'],
  payment_required: [402, 'billing_error', 'There is an issue with your billing or payment information.'],
  forbidden: [403, 'permission_error', 'Your API key does not have permission to use the specified resource.'],
  not_found: [404, 'not_found_error', 'model not found'],
  request_timeout: [408, 'timeout_error', 'Request timed out'],
  too_large: [413, 'request_too_large', 'Request exceeds the maximum size'],
  unprocessable: [422, 'invalid_request_error', 'Unprocessable'],
  rate_limited: [
    429,
    'rate_limit_error',
    "This request would exceed your organization's rate limit of 50 requests per minute.",
  ],
  quota: [
    400,
    'invalid_request_error',
    'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
  ],
  context_length: [400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'],
  content_filter: [400, 'invalid_request_error', 'Output blocked by content filtering policy'],
  server_error: [500, 'api_error', 'Internal server error'],
  bad_gateway: [502, 'api_error', 'Bad gateway'],
  unavailable: [503, 'api_error', 'Service unavailable'],
  gateway_timeout: [504, 'timeout_error', 'Request timed out'],
  overloaded: [529, 'overloaded_error', 'Overloaded'],
}

export function anthropicFailure(failure: Failure, context: CallContext): RenderedFailure {
  const [status, , message] = ROWS[failure.kind]
  const requestId = context.mintId('req_')
  const text = failure.kind === 'not_found' ? `model: ${context.modelName}` : message
  return {
    status: failure.status ?? status,
    headers: { ...anthropicHeaders(context, requestId), ...limitedHeaders(failure, context) },
    body: {
      type: 'error',
      error: { type: anthropicErrorType(failure), message: failure.message ?? text },
      request_id: requestId,
    },
  }
}

export function anthropicErrorType(failure: Failure): string {
  return ROWS[failure.kind][1]
}

export function anthropicErrorMessage(failure: Failure): string {
  return failure.message ?? ROWS[failure.kind][2]
}

function limitedHeaders(failure: Failure, context: CallContext): Record<string, string> {
  const seconds = failure.retryAfterS ?? 1
  if (failure.kind !== 'rate_limited' || seconds === 0) return {}
  return {
    'retry-after': String(Math.ceil(seconds)),
    'anthropic-ratelimit-requests-remaining': '0',
    'anthropic-ratelimit-requests-reset': new Date(context.nowMs + seconds * 1000).toISOString(),
  }
}

/** Reset times are RFC 3339: https://platform.claude.com/docs/en/api/rate-limits */
export function anthropicHeaders(context: CallContext, requestId: string): Record<string, string> {
  const reset = new Date(context.nowMs + 60_000).toISOString()
  return {
    'request-id': requestId,
    'anthropic-organization-id': 'org-mock',
    'anthropic-ratelimit-requests-limit': '50',
    'anthropic-ratelimit-requests-remaining': '49',
    'anthropic-ratelimit-requests-reset': reset,
    'anthropic-ratelimit-tokens-limit': '80000',
    'anthropic-ratelimit-tokens-remaining': String(80_000 - TOKENS.input),
    'anthropic-ratelimit-tokens-reset': reset,
  }
}
