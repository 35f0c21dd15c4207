import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ErrorCode } from '#errors/registry.ts'
import type { Failure } from '#providers/provider.ts'
import type { Outcome } from '#table/outcome.ts'
import {
  ConnectionLost,
  ConnectTimeout,
  MalformedReply,
  NoConnection,
  UnsendableRequest,
} from '../provider-http/call-error.ts'

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

const TLS_CODE = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO|INVALID_(?:CA|PURPOSE)$)/
/** What answers there speaks something else, most likely HTTP without TLS: no certificate is at fault. */
const NO_TLS = 'ERR_SSL_WRONG_VERSION_NUMBER'

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

/** What the connection says. */
function socketFailure(error: Error, connectMs: number): ConnectionFailure {
  if (error instanceof ConnectTimeout) return connectTimeout(connectMs)
  if (error instanceof NoConnection) return noConnection(error, connectMs)
  // Nothing is wrong with the provider; another account may have what this one lacks.
  if (error instanceof UnsendableRequest) {
    return failure({ kind: 'network', phase: 'connect' }, 'KP-SYS-500', { reason: error.message })
  }
  if (error instanceof MalformedReply) return failure({ kind: 'bad-reply' }, 'KP-NET-308', { reason: error.message })
  const reason = error instanceof ConnectionLost ? error.reason : error.message
  return failure({ kind: 'network', phase: 'reset' }, 'KP-NET-305', { reason })
}

function connectTimeout(connectMs: number): ConnectionFailure {
  return failure({ kind: 'timed-out', phase: 'connect' }, 'KP-NET-301', { limit: connectMs })
}

function noConnection(error: NoConnection, connectMs: number): ConnectionFailure {
  const cause = firstCause(error)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  const outcome = { kind: 'network', phase: 'connect' } as const
  if (code === 'KORPROXY_DIAL_REFUSED') return failure(outcome, 'KP-NET-307', { reason: cause.message })
  if (code === 'ETIMEDOUT') return connectTimeout(connectMs)
  if (code === NO_TLS) return failure(outcome, 'KP-NET-300', { reason: `no TLS behind its address (${code})` })
  if (TLS_CODE.test(code)) return failure(outcome, 'KP-NET-306', { reason: code })
  return failure(outcome, 'KP-NET-300', { reason: code === '' ? cause.message : code })
}

function failure(outcome: Outcome, code: ErrorCode, details: ConnectionFailure['details']): ConnectionFailure {
  return { outcome, code, details, message: '', providerCode: undefined, status: undefined }
}

/** An AggregateError holds an error for each address tried. */
function firstCause(error: Error): Error {
  const nested: unknown = error instanceof AggregateError ? error.errors[0] : error.cause
  return nested instanceof Error ? firstCause(nested) : error
}
