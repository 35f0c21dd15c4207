import type { ErrorKind } from '#errors/error-entry.ts'
import type { ClientError } from '../format.ts'
import type { JsonObject } from '../ir/chat-request.ts'

/** Codes that Codex and the SDKs act on: a used-up quota or a bad prompt is not tried again, an overload is. */
const CODES: Readonly<Record<ErrorKind, string>> = {
  authentication: 'invalid_api_key',
  permission: 'permission_denied',
  invalid_request: 'invalid_prompt',
  upstream: 'server_error',
  overloaded: 'server_is_overloaded',
  not_found: 'model_not_found',
  context_length: 'context_length_exceeded',
  content_filter: 'content_policy_violation',
  quota_exhausted: 'insufficient_quota',
  rate_limited: 'rate_limit_exceeded',
  unsupported: 'invalid_prompt',
  timeout: 'server_error',
  internal: 'server_error',
  too_large: 'invalid_prompt',
}

/** `error` of a failed response. */
export function encodeFailure({ error, correlationId, upstreamMessage }: ClientError): JsonObject {
  const message = upstreamMessage ?? error.message
  return { code: CODES[error.entry.kind], message: `${message} (${error.code}, ${correlationId})` }
}
