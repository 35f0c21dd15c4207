import { KorProxyError } from '#errors/korproxy-error.ts'
import type { TableRefusal } from '#table/decode-snapshot.ts'
import type { Diagnostic } from '#table/messages.ts'

const MAX_MESSAGE = 1_000

/** Why a table is refused, as an error of the registry. */
export function refusalError(refusal: TableRefusal): KorProxyError {
  switch (refusal.reason) {
    case 'format':
      return new KorProxyError('KP-CONF-212', { format: refusal.format })
    case 'hash':
      return new KorProxyError('KP-CONF-213', { version: refusal.version })
    case 'too-large':
      return new KorProxyError('KP-CONF-214', { message: refusal.message })
    case 'broken':
      return new KorProxyError('KP-CONF-223', { reason: refusal.message })
  }
}

export function diagnosticOf({ code, message }: KorProxyError): Diagnostic {
  return { ref: '', path: '', severity: 'error', code, message: message.slice(0, MAX_MESSAGE) }
}
