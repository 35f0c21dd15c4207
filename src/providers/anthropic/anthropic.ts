import type { Account } from '#table/routing-table.ts'
import { baseUrl, joinPath, withQuery } from '../build-url.ts'
import { classifyFailure, type ProviderError } from '../classify-failure.ts'
import { count } from '../openai/rate-limits.ts'
import type { Provider, RateLimits, ReplyHeaders, UpstreamCall, UpstreamTarget } from '../provider.ts'
import { member, parseBody, readOpenAIError, textMember } from '../read-error-body.ts'
import { headerText } from '../retry-after.ts'

const ANTHROPIC_BASE_URL = 'https://api.anthropic.com'
/** What a translated call is written for; a passed one keeps the client's own version. */
const ANTHROPIC_VERSION = '2023-06-01'

/** @see https://platform.claude.com/docs/en/api/messages */
export const anthropicProvider: Provider = {
  name: 'Anthropic',
  telemetryName: 'anthropic',
  chatFormats: () => ['anthropic'],
  embeddingFormats: () => [],
  countsTokens: (format) => format === 'anthropic',
  target: (call) => anthropicTarget(anthropicBase(call.account), call),
  headers: ({ account }, secret) => ({ ...account.headers, ...credentialHeaders(account, secret) }),
  defaultHeaders: { 'anthropic-version': ANTHROPIC_VERSION },
  forwardedRequestHeaders: ['anthropic-*', 'traceparent', 'tracestate'],
  forwardedReplyHeaders: ['anthropic-ratelimit-*'],
  classifyFailure: (reply, nowMs) =>
    classifyFailure(
      {
        readError: readAnthropicError,
        quota: /billing_error|credit balance|usage limits?\b|spend[ _]limit/i,
        modelNotFound: /^not_found_error /,
      },
      reply,
      nowMs,
    ),
  readRateLimits,
  quirks: () => ({}),
  issuer: () => 'anthropic',
  capabilities: () => ({}),
  healthCheck: (account) => ({ url: `${anthropicBase(account)}/v1/models?limit=1`, method: 'GET' }),
}

function anthropicBase(account: Account): string {
  return baseUrl(account, ANTHROPIC_BASE_URL).replace(/\/v1$/, '')
}

function anthropicTarget(base: string, { operation, query }: UpstreamCall): UpstreamTarget {
  if (operation.kind === 'other')
    return { url: withQuery(joinPath(base, operation.path), query), method: operation.method }
  const path = operation.kind === 'count-tokens' ? '/v1/messages/count_tokens' : '/v1/messages'
  return { url: withQuery(base + path, query), method: 'POST' }
}

/** Access tokens go as Bearer, API keys in their own header. */
function credentialHeaders(account: Account, secret: string | undefined): Record<string, string> {
  if (secret === undefined) return {}
  return account.auth === 'OAuth2' ? { authorization: `Bearer ${secret}` } : { 'x-api-key': secret }
}

/** The cap of a tier is a `rate_limit_error` too; only `details.error_code` tells it from a limit of the minute. */
function readAnthropicError(body: string): ProviderError {
  const error = readOpenAIError(body)
  const detail = textMember(member(member(parseBody(body), 'error'), 'details'), 'error_code')
  return detail === '' ? error : { ...error, words: `${error.words} ${detail}` }
}

/** Resets are RFC 3339 times, those of plans Unix seconds. @see https://platform.claude.com/docs/en/api/rate-limits */
function readRateLimits(headers: ReplyHeaders): RateLimits | undefined {
  const planReset = count(headers, 'anthropic-ratelimit-unified-reset')
  if (headerText(headers, 'anthropic-ratelimit-unified-status') === 'rejected' && planReset !== undefined) {
    return { requestsRemaining: 0, requestsResetAtMs: planReset * 1_000 }
  }
  const requests = count(headers, 'anthropic-ratelimit-requests-remaining')
  const tokens = count(headers, 'anthropic-ratelimit-tokens-remaining')
  if (requests === undefined && tokens === undefined) return undefined
  const requestsReset = Date.parse(headerText(headers, 'anthropic-ratelimit-requests-reset') ?? '')
  const tokensReset = Date.parse(headerText(headers, 'anthropic-ratelimit-tokens-reset') ?? '')
  return {
    ...(requests === undefined ? {} : { requestsRemaining: requests }),
    ...(tokens === undefined ? {} : { tokensRemaining: tokens }),
    ...(Number.isNaN(requestsReset) ? {} : { requestsResetAtMs: requestsReset }),
    ...(Number.isNaN(tokensReset) ? {} : { tokensResetAtMs: tokensReset }),
  }
}
