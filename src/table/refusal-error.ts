import { KorProxyError } from '#errors/korproxy-error.ts'
import type { TableRefusal } from './decode-snapshot.ts'

/** Why a table is refused, as an error of the registry: the same for who publishes it and who takes it. */
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
