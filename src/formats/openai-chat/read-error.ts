import type { ErrorEvent } from '../ir/chat-event.ts'
import type { JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'
import { readText } from './read-fields.ts'

const KINDS: ReadonlyMap<string, ErrorEvent['kind']> = new Map<string, ErrorEvent['kind']>([
  ['400', 'invalid_request'],
  ['402', 'rate_limited'],
  ['408', 'upstream'],
  ['429', 'rate_limited'],
  ['503', 'overloaded'],
  ['529', 'overloaded'],
  ['invalid_request_error', 'invalid_request'],
  ['rate_limit_exceeded', 'rate_limited'],
  ['rate_limit_error', 'rate_limited'],
  ['insufficient_quota', 'rate_limited'],
  ['overloaded_error', 'overloaded'],
  ['server_overloaded', 'overloaded'],
])

/** Reads the `error` of a reply that came with status 200: OpenAI's object, OpenRouter's with a status as code, or a plain text. */
export function readError(error: JsonValue): ErrorEvent {
  if (!isJsonObject(error)) {
    return { type: 'error', kind: 'upstream', code: undefined, message: readText(error) || 'unknown error' }
  }
  const words = [error['code'], error['type']].flatMap((word) =>
    typeof word === 'string' || typeof word === 'number' ? [String(word)] : [],
  )
  const kind = words.map((word) => KINDS.get(word)).find((it) => it !== undefined)
  return {
    type: 'error',
    kind: kind ?? 'upstream',
    code: words[0],
    message: readText(error['message']) || 'unknown error',
  }
}
