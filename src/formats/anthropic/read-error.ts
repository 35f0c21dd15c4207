import type { ErrorEvent } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

const KINDS: ReadonlyMap<string, ErrorEvent['kind']> = new Map<string, ErrorEvent['kind']>([
  ['overloaded_error', 'overloaded'],
  ['rate_limit_error', 'rate_limited'],
  ['invalid_request_error', 'invalid_request'],
  ['request_too_large', 'invalid_request'],
  ['not_found_error', 'invalid_request'],
])

/** Reads `{"type": "error", "error": {"type", "message"}}`. @see https://platform.claude.com/docs/en/api/errors */
export function readErrorEvent(body: JsonObject): ErrorEvent {
  const error = isJsonObject(body['error']) ? body['error'] : {}
  const { type, message } = error
  const code = typeof type === 'string' ? type : undefined
  return {
    type: 'error',
    kind: KINDS.get(code ?? '') ?? 'upstream',
    code,
    message: typeof message === 'string' ? message : 'the provider gave no message',
  }
}
