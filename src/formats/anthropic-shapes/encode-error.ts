import type { ErrorKind } from '#errors/error-entry.ts'
import type { ClientError, RenderedError } from '../format.ts'
import { promptTooLong } from './prompt-too-long.ts'

/** @see https://platform.claude.com/docs/en/api/errors */
const TYPES: Readonly<Record<ErrorKind, string>> = {
  authentication: 'authentication_error',
  permission: 'permission_error',
  invalid_request: 'invalid_request_error',
  upstream: 'api_error',
  overloaded: 'overloaded_error',
  not_found: 'not_found_error',
  context_length: 'invalid_request_error',
  content_filter: 'invalid_request_error',
  quota_exhausted: 'rate_limit_error',
  rate_limited: 'rate_limit_error',
  unsupported: 'invalid_request_error',
  timeout: 'timeout_error',
  internal: 'api_error',
  too_large: 'request_too_large',
}
/** Anthropic's own status: its SDKs and Claude Code know an overload by it. */
const OVERLOADED_STATUS = 529

export function encodeAnthropicError(client: ClientError): RenderedError {
  const { error, correlationId, docsUrl, upstreamMessage } = client
  const { kind } = error.entry
  const message = upstreamMessage ?? error.message
  return {
    status: kind === 'overloaded' ? OVERLOADED_STATUS : error.status,
    body: {
      type: 'error',
      error: {
        type: TYPES[kind],
        message: kind === 'context_length' ? promptTooLong(message) : message,
        kp_code: error.code,
        doc_url: docsUrl,
      },
      request_id: correlationId,
    },
  }
}
