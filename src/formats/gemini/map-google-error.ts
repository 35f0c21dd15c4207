import type { ErrorEvent } from '../ir/chat-event.ts'
import type { GoogleError } from './reply-chunk.ts'

const KINDS: ReadonlyMap<string | number, ErrorEvent['kind']> = new Map<string | number, ErrorEvent['kind']>([
  ['RESOURCE_EXHAUSTED', 'rate_limited'],
  [429, 'rate_limited'],
  ['UNAVAILABLE', 'overloaded'],
  [503, 'overloaded'],
  ['INVALID_ARGUMENT', 'invalid_request'],
  ['FAILED_PRECONDITION', 'invalid_request'],
  ['NOT_FOUND', 'invalid_request'],
  [400, 'invalid_request'],
  [404, 'invalid_request'],
])

/** An `error` inside a reply that began well. @see https://google.aip.dev/193 */
export function mapGoogleError(error: GoogleError): ErrorEvent {
  const code = error.status ?? error.code
  return {
    type: 'error',
    kind: KINDS.get(error.status ?? '') ?? KINDS.get(error.code ?? 0) ?? 'upstream',
    code: code === undefined ? undefined : String(code),
    message: error.message ?? 'The provider reported an error.',
  }
}
