import type { ErrorKind } from '#errors/error-entry.ts'
import type { KorProxyError } from '#errors/korproxy-error.ts'
import type { ClientError, RenderedError } from '../format.ts'

interface ErrorWords {
  readonly type: string
  readonly code: string | null
}

const SERVER_ERROR = 'server_error'
const INVALID_REQUEST = 'invalid_request_error'

/**
 * OpenAI's words. SDKs choose their exception by status; agents look at `code` and `type`: `insufficient_quota` in both is what stops Codex from retrying.
 * @see https://platform.openai.com/docs/guides/error-codes
 */
const WORDS: Readonly<Record<ErrorKind, ErrorWords>> = {
  authentication: { type: INVALID_REQUEST, code: 'invalid_api_key' },
  permission: { type: 'permission_error', code: 'permission_denied' },
  invalid_request: { type: INVALID_REQUEST, code: null },
  unsupported: { type: INVALID_REQUEST, code: 'unsupported_parameter' },
  not_found: { type: INVALID_REQUEST, code: 'model_not_found' },
  context_length: { type: INVALID_REQUEST, code: 'context_length_exceeded' },
  content_filter: { type: INVALID_REQUEST, code: 'content_policy_violation' },
  too_large: { type: INVALID_REQUEST, code: 'request_too_large' },
  quota_exhausted: { type: 'insufficient_quota', code: 'insufficient_quota' },
  rate_limited: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  overloaded: { type: SERVER_ERROR, code: 'server_overloaded' },
  upstream: { type: SERVER_ERROR, code: 'upstream_error' },
  timeout: { type: SERVER_ERROR, code: 'timeout' },
  internal: { type: SERVER_ERROR, code: 'internal_error' },
}

/** OpenAI's error body with KorProxy's code, its page and the correlation id beside. */
export function encodeError({ error, correlationId, docsUrl, upstreamMessage }: ClientError): RenderedError {
  const { type } = WORDS[error.entry.kind]
  const { parameter } = error.details
  return {
    status: error.status,
    body: {
      error: {
        message: upstreamMessage ?? error.message,
        type,
        param: parameter === undefined ? null : String(parameter),
        code: codeOf(error),
        kp_code: error.code,
        doc_url: docsUrl,
        correlation_id: correlationId,
      },
    },
  }
}

/** A provider of this shape names the fault better than the kind does, but agents know a full context window by OpenAI's word for it. */
function codeOf({ entry, details }: KorProxyError): string | null {
  const { code } = WORDS[entry.kind]
  const { upstreamCode, model } = details
  if (upstreamCode !== undefined && entry.kind !== 'context_length') return String(upstreamCode)
  return code === 'model_not_found' && model === undefined ? 'not_found' : code
}
