import { type CallContext, TOKENS } from '../call-context.ts'
import { credentialOf } from '../credential.ts'
import type { Failure, FailureKind, RenderedFailure } from '../failure-kind.ts'

type Row = readonly [status: number, type: string, code: string | null, message: string]

/** https://platform.openai.com/docs/guides/error-codes */
const ROWS: Record<FailureKind, Row> = {
  bad_request: [400, 'invalid_request_error', null, 'Invalid request.'],
  unauthorized: [401, 'invalid_request_error', 'invalid_api_key', 'Incorrect API key provided.'],
  missing_key: [
    401,
    'invalid_request_error',
    null,
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
  ],
  payment_required: [
    402,
    'billing_error',
    'billing_not_active',
    'Your account is not active, please check your billing details.',
  ],
  forbidden: [
    403,
    'invalid_request_error',
    'unsupported_country_region_territory',
    'Country, region, or territory not supported',
  ],
  not_found: [
    404,
    'invalid_request_error',
    'model_not_found',
    'The model does not exist or you do not have access to it.',
  ],
  request_timeout: [408, 'timeout', null, 'Request timed out.'],
  too_large: [413, 'invalid_request_error', 'request_too_large', 'Request body is too large.'],
  unprocessable: [422, 'invalid_request_error', null, 'The request could not be processed.'],
  rate_limited: [429, 'requests', 'rate_limit_exceeded', 'Rate limit reached.'],
  quota: [
    429,
    'insufficient_quota',
    'insufficient_quota',
    'You exceeded your current quota, please check your plan and billing details.',
  ],
  context_length: [
    400,
    'invalid_request_error',
    'context_length_exceeded',
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 210000 tokens. Please reduce the length of the messages.",
  ],
  content_filter: [
    400,
    'invalid_request_error',
    'content_policy_violation',
    'Your request was rejected as a result of our safety system.',
  ],
  server_error: [500, 'server_error', null, 'The server had an error while processing your request. Sorry about that!'],
  bad_gateway: [502, 'server_error', null, 'Bad gateway.'],
  unavailable: [503, 'server_error', null, 'The engine is currently overloaded, please try again later.'],
  gateway_timeout: [504, 'server_error', null, 'Gateway timeout.'],
  overloaded: [529, 'server_error', 'overloaded', 'Overloaded.'],
}

export function openaiFailure(failure: Failure, context: CallContext): RenderedFailure {
  if (context.dialect === 'azure') return azureFailure(failure)
  const [status, type, code, message] = ROWS[failure.kind]
  const headers = { ...openaiHeaders(context), ...retryHeaders(failure) }
  const error = {
    message: failure.message ?? specificMessage(failure, context) ?? message,
    type,
    param: failure.param ?? (failure.kind === 'context_length' ? 'messages' : null),
    code: failure.code ?? code,
  }
  return { status: failure.status ?? status, headers, body: { error } }
}

/** The real texts name the key (masked), the model and the limit. */
function specificMessage(failure: Failure, context: CallContext): string | undefined {
  const { modelName } = context
  switch (failure.kind) {
    case 'unauthorized': {
      const key = credentialOf(context.dialect, context.headers, context.query) ?? ''
      const masked =
        key.length <= 8 ? '*'.repeat(key.length) : `${key.slice(0, 4)}${'*'.repeat(key.length - 8)}${key.slice(-4)}`
      return `Incorrect API key provided: ${masked}. You can find your API key at https://platform.openai.com/account/api-keys.`
    }
    case 'not_found':
      return `The model \`${modelName}\` does not exist or you do not have access to it.`
    case 'rate_limited':
      return `Rate limit reached for ${modelName} in organization org-mock on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in ${retryAfterOf(failure)}s.`
    default:
      return undefined
  }
}

function retryAfterOf(failure: Failure): number {
  return failure.retryAfterS ?? 1
}

/** `x-ratelimit-reset-*` are Go durations: https://platform.openai.com/docs/guides/rate-limits */
function retryHeaders(failure: Failure): Record<string, string> {
  if (failure.kind !== 'rate_limited' || retryAfterOf(failure) === 0) return {}
  const seconds = retryAfterOf(failure)
  return {
    'retry-after': String(Math.ceil(seconds)),
    'retry-after-ms': String(seconds * 1000),
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': goDuration(seconds * 1000),
  }
}

/** Go's `time.Duration` as text: `20ms`, `1s`, `6m0s`. */
function goDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  const seconds = ms / 1000
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}

/** Headers of every answer of OpenAI, good or bad. */
export function openaiHeaders(context: CallContext): Record<string, string> {
  if (context.dialect === 'azure') return { 'apim-request-id': context.mintId('apim-'), 'x-ms-region': 'East US' }
  if (context.dialect === 'openrouter') return { 'x-generation-id': context.mintId('gen-') }
  return {
    'x-request-id': context.mintId('req_'),
    'openai-processing-ms': '12',
    'openai-version': '2020-10-01',
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-limit-tokens': '2000000',
    'x-ratelimit-remaining-requests': '9999',
    'x-ratelimit-remaining-tokens': String(2_000_000 - TOKENS.input),
    'x-ratelimit-reset-requests': '6ms',
    'x-ratelimit-reset-tokens': '20ms',
  }
}

/** Azure has its own codes, and a filter that refuses with details: https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter */
function azureFailure(failure: Failure): RenderedFailure {
  const [status, , code, message] = ROWS[failure.kind]
  const seconds = retryAfterOf(failure)
  const codes: Partial<Record<FailureKind, string>> = {
    unauthorized: '401',
    missing_key: '401',
    not_found: 'DeploymentNotFound',
    rate_limited: '429',
    quota: '429',
    content_filter: 'content_filter',
  }
  const texts: Partial<Record<FailureKind, string>> = {
    unauthorized:
      'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.',
    missing_key: 'Access denied due to missing subscription key.',
    not_found: 'The API deployment for this resource does not exist.',
    rate_limited: `Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after ${seconds} seconds.`,
    content_filter: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
  }
  const error = {
    ...{
      code: failure.code ?? codes[failure.kind] ?? code ?? String(status),
      message: failure.message ?? texts[failure.kind] ?? message,
    },
    ...(failure.param === undefined ? {} : { param: failure.param }),
    ...(failure.kind === 'content_filter' ? { innererror: { code: 'ResponsibleAIPolicyViolation' }, status: 400 } : {}),
  }
  const limited = failure.kind === 'rate_limited' && seconds > 0
  return {
    status: failure.status ?? status,
    headers: limited ? { 'retry-after': String(Math.ceil(seconds)), 'retry-after-ms': String(seconds * 1000) } : {},
    body: { error },
  }
}

/** https://datatracker.ietf.org/doc/html/rfc6749#section-5.2 */
export function oauthFailure(failure: Failure): RenderedFailure {
  const [status, , , message] = ROWS[failure.kind]
  const limited = failure.kind === 'rate_limited' && retryAfterOf(failure) > 0
  const codes: Partial<Record<FailureKind, string>> = {
    bad_request: 'invalid_request',
    unauthorized: 'invalid_client',
    rate_limited: 'slow_down',
    server_error: 'server_error',
    unavailable: 'temporarily_unavailable',
  }
  return {
    status: failure.status ?? status,
    headers: limited ? { 'retry-after': String(Math.ceil(retryAfterOf(failure))) } : {},
    body: {
      error: failure.code ?? codes[failure.kind] ?? 'invalid_request',
      error_description: failure.message ?? message,
    },
  }
}
