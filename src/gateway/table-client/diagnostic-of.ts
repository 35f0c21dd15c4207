import type { KorProxyError } from '#errors/korproxy-error.ts'
import type { Diagnostic } from '#table/messages.ts'

const MAX_MESSAGE = 1_000

/** What a gateway tells its controller of an error. */
export function diagnosticOf({ code, message }: KorProxyError): Diagnostic {
  return { ref: '', path: '', severity: 'error', code, message: message.slice(0, MAX_MESSAGE) }
}
