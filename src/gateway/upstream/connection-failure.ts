import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ErrorCode } from '#errors/registry.ts'
import type { Failure } from '#providers/provider.ts'
import type { Outcome } from '#table/outcome.ts'

/** Why a gateway itself ended an attempt; set as the abort reason. */
export class AttemptTimeout extends Error {
  readonly phase: 'first-byte' | 'idle' | 'total'
  readonly limitMs: number

  constructor(phase: 'first-byte' | 'idle' | 'total', limitMs: number) {
    super(`${phase} time-out after ${limitMs} ms`)
    this.phase = phase
    this.limitMs = limitMs
  }
}
export class ClientGone extends Error {}
/** The gateway shuts down and the grace time is over. */
export class DrainOver extends Error {}
/** The reply broke its own format; the message says how. */
export class BadReply extends Error {}

const CONNECT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENODATA',
])
const TLS_CODE = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO|INVALID_(?:CA|PURPOSE)$)/
/** What answers there speaks something else, most likely HTTP without TLS: no certificate is at fault. */
const NO_TLS = 'ERR_SSL_WRONG_VERSION_NUMBER'
/** undici's words for an HTTP proxy that lets nobody through. */
const PROXY_REFUSAL = /^Proxy (?:response|Authentication Required) \((\d{3})\)/
const CONNECTING = Symbol('while connecting')

const PROTOCOL_CODE = /^(?:HPE_|UND_ERR_(?:HEADERS_OVERFLOW|RES_CONTENT_LENGTH_MISMATCH|RESPONSE))/
/** The HTTP client refuses what the gateway asks of it, such as a header with a line break: nothing has been sent. */
const OWN_FAULT_CODE = /^UND_ERR_INVALID_/

/** Lets the error tell that there was no connection yet: whatever else it says, nothing has been sent. */
export function noteConnecting(error: Error): void {
  Object.assign(error, { [CONNECTING]: true })
}

export interface ConnectionFailure extends Failure {
  /** Details of the error code, for the client's message. */
  readonly details: Readonly<Record<string, string | number>>
}

const TIMEOUT_CODES = {
  'first-byte': 'KP-NET-302',
  idle: 'KP-NET-303',
  total: 'KP-NET-304',
} as const satisfies Record<AttemptTimeout['phase'], ErrorCode>

/** Reads an error of the connection (or of the gateway's own abort) into an outcome. */
export function connectionFailure(error: Error, connectMs: number): ConnectionFailure {
  if (error instanceof ClientGone) return failure({ kind: 'aborted' }, 'KP-NET-305', { reason: 'client left' })
  if (error instanceof DrainOver) return failure({ kind: 'timed-out', phase: 'total' }, 'KP-SYS-502', {})
  if (error instanceof AttemptTimeout) {
    return failure({ kind: 'timed-out', phase: error.phase }, TIMEOUT_CODES[error.phase], { limit: error.limitMs })
  }
  // A decoder's word on the reply, or a reply that is larger than may be kept.
  if (error instanceof KorProxyError) return failure({ kind: 'bad-reply' }, error.code, error.details)
  if (error instanceof BadReply) return failure({ kind: 'bad-reply' }, 'KP-PROV-109', { reason: error.message })
  return socketFailure(error, connectMs)
}

/** What the HTTP client or its socket says. */
function socketFailure(error: Error, connectMs: number): ConnectionFailure {
  const code = errorCode(error)
  if (code === 'KORPROXY_DIAL_REFUSED') {
    return failure({ kind: 'network', phase: 'connect' }, 'KP-NET-307', { reason: rootMessage(error) })
  }
  const isConnecting = CONNECTING in error
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || (code === 'ETIMEDOUT' && isConnecting)) {
    return failure({ kind: 'timed-out', phase: 'connect' }, 'KP-NET-301', { limit: connectMs })
  }
  if (CONNECT_CODES.has(code)) return noConnection(code)
  const [, proxyStatus] = PROXY_REFUSAL.exec(error.message) ?? []
  if (proxyStatus !== undefined) return noConnection(`its proxy answered ${proxyStatus}`)
  if (code === NO_TLS) return noConnection(`no TLS behind its address (${code})`)
  if (TLS_CODE.test(code)) return failure({ kind: 'network', phase: 'connect' }, 'KP-NET-306', { reason: code })
  // Nothing is wrong with the provider; another account may have what this one lacks.
  if (OWN_FAULT_CODE.test(code)) return failure({ kind: 'network', phase: 'connect' }, 'KP-SYS-500', { reason: code })
  if (PROTOCOL_CODE.test(code)) return failure({ kind: 'bad-reply' }, 'KP-NET-308', { reason: code })
  const reason = code === '' ? error.message : code
  if (isConnecting) return noConnection(reason)
  return failure({ kind: 'network', phase: 'reset' }, 'KP-NET-305', { reason })
}

function noConnection(reason: string): ConnectionFailure {
  return failure({ kind: 'network', phase: 'connect' }, 'KP-NET-300', { reason })
}

function failure(outcome: Outcome, code: ErrorCode, details: ConnectionFailure['details']): ConnectionFailure {
  return { outcome, code, details, message: '', providerCode: undefined, status: undefined }
}

const WRAPPERS = new Set(['', 'UND_ERR_SOCKET', 'UND_ERR_PRX_CONN', 'UND_ERR_PRX_TLS'])

/** undici wraps the socket's error; an AggregateError holds one for each address tried. */
function errorCode(error: Error): string {
  const nested = error instanceof AggregateError ? error.errors[0] : error.cause
  const own = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (nested instanceof Error && WRAPPERS.has(own)) return errorCode(nested) || own
  return own
}

function rootMessage(error: Error): string {
  return error.cause instanceof Error ? rootMessage(error.cause) : error.message
}
