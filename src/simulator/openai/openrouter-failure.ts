import type { Failure, FailureKind, RenderedFailure } from '../failure-kind.ts'

type Row = readonly [status: number, message: string]

/** https://openrouter.ai/docs/api/reference/errors-and-debugging: `code` is a number. */
const ROWS: Record<FailureKind, Row> = {
  bad_request: [400, 'Invalid request'],
  unauthorized: [401, 'User not found.'],
  missing_key: [401, 'No auth credentials found'],
  payment_required: [402, 'Insufficient credits. Add more using https://openrouter.ai/credits'],
  forbidden: [403, 'Key limit exceeded'],
  not_found: [404, 'No endpoints found for this model.'],
  request_timeout: [408, 'Request timed out'],
  too_large: [413, 'Payload too large'],
  unprocessable: [422, 'Unprocessable'],
  rate_limited: [429, 'Provider returned error'],
  quota: [402, 'Insufficient credits. Add more using https://openrouter.ai/credits'],
  context_length: [
    400,
    'This endpoint\'s maximum context length is 128000 tokens. However, you requested about 210000 tokens (210000 of text input). Please reduce the length of either one, or use the "middle-out" transform to compress your prompt automatically.',
  ],
  content_filter: [403, 'Your chosen model requires moderation and your input was flagged'],
  server_error: [500, 'Internal Server Error'],
  bad_gateway: [502, 'Provider returned error'],
  unavailable: [503, 'No available model provider meets your routing requirements'],
  gateway_timeout: [504, 'Gateway timeout'],
  overloaded: [529, 'Provider overloaded'],
}

export function openrouterFailure(failure: Failure): RenderedFailure {
  const [status, message] = ROWS[failure.kind]
  const seconds = failure.retryAfterS ?? 1
  const hinted = (failure.kind === 'rate_limited' || failure.kind === 'unavailable') && seconds > 0
  return {
    status: failure.status ?? status,
    headers: hinted ? { 'retry-after': String(Math.ceil(seconds)) } : {},
    body: {
      error: {
        message: failure.message ?? message,
        code: failure.status ?? status,
        metadata: openrouterMetadata(failure.kind),
      },
      user_id: 'user_mock',
    },
  }
}

export function openrouterMetadata(kind: FailureKind): Record<string, unknown> {
  if (kind === 'content_filter') {
    return { reasons: ['violence'], flagged_input: '…', provider_name: 'MockProvider', model_slug: 'mock' }
  }
  return { provider_name: 'MockProvider', raw: `{"mock":"${kind}"}` }
}
