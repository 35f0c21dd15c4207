import type { CallContext } from '../call-context.ts'
import type { Failure, FailureKind, RenderedFailure } from '../failure-kind.ts'

type Row = readonly [code: number, status: string, message: string]

const QUOTA_TEXT =
  'You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.'
const QUOTA_METRIC = 'generativelanguage.googleapis.com/generate_content_free_tier_requests'

/** https://ai.google.dev/gemini-api/docs/troubleshooting; a wrong key is a 400, a missing one a 403. */
const ROWS: Record<FailureKind, Row> = {
  bad_request: [400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.'],
  unauthorized: [400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'],
  missing_key: [
    403,
    'PERMISSION_DENIED',
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
  ],
  payment_required: [
    400,
    'FAILED_PRECONDITION',
    'Gemini API free tier is not available in your country. Please enable billing on your project.',
  ],
  forbidden: [403, 'PERMISSION_DENIED', "Your API key doesn't have the required permissions."],
  not_found: [
    404,
    'NOT_FOUND',
    'The model is not found for API version v1beta, or is not supported for generateContent.',
  ],
  request_timeout: [408, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'],
  too_large: [413, 'INVALID_ARGUMENT', 'Request payload size exceeds the limit: 20971520 bytes.'],
  unprocessable: [422, 'INVALID_ARGUMENT', 'Request contains an invalid argument.'],
  rate_limited: [429, 'RESOURCE_EXHAUSTED', QUOTA_TEXT],
  quota: [429, 'RESOURCE_EXHAUSTED', QUOTA_TEXT],
  context_length: [
    400,
    'INVALID_ARGUMENT',
    'The input token count (2100000) exceeds the maximum number of tokens allowed (1048576).',
  ],
  content_filter: [400, 'INVALID_ARGUMENT', 'The request was blocked by the safety filters.'],
  server_error: [
    500,
    'INTERNAL',
    'An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
  ],
  bad_gateway: [502, 'UNAVAILABLE', 'Bad gateway.'],
  unavailable: [503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'],
  gateway_timeout: [504, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'],
  overloaded: [503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'],
}

export function geminiFailure(failure: Failure, context: CallContext): RenderedFailure {
  const [status] = ROWS[failure.kind]
  const body = geminiErrorBody(failure, context)
  return { status: failure.status ?? status, headers: {}, body: isArrayMode(context) ? [body] : body }
}

/** `streamGenerateContent` without `alt=sse` answers with one JSON array, errors too. */
function isArrayMode(context: CallContext): boolean {
  return context.operation === 'gemini-stream' && context.query.get('alt') !== 'sse'
}

export function geminiErrorBody(failure: Failure, context: CallContext): { readonly error: unknown } {
  const [code, status, message] = ROWS[failure.kind]
  const text =
    failure.kind === 'not_found'
      ? `models/${context.modelName} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`
      : message
  const details = detailsOf(failure, context)
  return {
    error: {
      code: failure.status ?? code,
      message: failure.message ?? text,
      status,
      ...(details.length === 0 ? {} : { details }),
    },
  }
}

/** No `Retry-After` header: the hint is in `RetryInfo`; `PerDay` in the quota's id means the day is over. */
function detailsOf(failure: Failure, context: CallContext): readonly unknown[] {
  const violation = (quotaId: string) => ({
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: [
      {
        quotaMetric: QUOTA_METRIC,
        quotaId,
        quotaDimensions: { location: 'global', model: context.modelName },
        quotaValue: '10',
      },
    ],
  })
  const seconds = failure.retryAfterS ?? 1
  const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${seconds}s` }
  switch (failure.kind) {
    case 'unauthorized':
      return [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'API_KEY_INVALID',
          domain: 'googleapis.com',
          metadata: { service: 'generativelanguage.googleapis.com' },
        },
      ]
    case 'rate_limited':
      return [violation('GenerateRequestsPerMinutePerProjectPerModel-FreeTier'), ...(seconds === 0 ? [] : [retry])]
    case 'quota':
      return [violation('GenerateRequestsPerDayPerProjectPerModel-FreeTier'), retry]
    default:
      return []
  }
}
