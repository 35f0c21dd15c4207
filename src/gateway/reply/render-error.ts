import type { ErrorKind } from '#errors/error-entry.ts'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ErrorCode } from '#errors/registry.ts'
import type { ClientContext, ClientError } from '#formats/format.ts'
import type { ChatOptions } from '#formats/ir/chat-request.ts'
import { estimateBodyTokens } from '#formats/ir/estimate-body-tokens.ts'
import { FAMILY_SHAPES } from '#formats/registry.ts'
import type { Exchange } from '../exchange.ts'
import type { GatewayRuntime } from '../runtime.ts'
import type { AttemptFailure } from '../upstream/attempt-result.ts'
import type { ClientReply } from './client-reply.ts'

/** SDKs sleep through any Retry-After; beyond this they are told to stop instead. */
const LONGEST_RETRY_AFTER_MS = 60_000

/** Kinds where the same request soon again can succeed. */
const RETRYABLE: ReadonlySet<ErrorKind> = new Set(['rate_limited', 'overloaded', 'timeout', 'upstream'])

/** Of such a kind, but it stays so until somebody changes a Secret, a certificate or the request. */
const LASTING: ReadonlySet<ErrorCode> = new Set([
  'KP-PROV-102',
  'KP-PROV-114',
  'KP-NET-306',
  'KP-NET-307',
  'KP-NET-309',
] as const)

/** The error of a failed attempt, as the client is told of it. */
export function attemptError(exchange: Exchange, failure: AttemptFailure): KorProxyError {
  const { outcome } = failure
  const retryAfterMs = 'retryAfterMs' in outcome ? outcome.retryAfterMs : undefined
  return new KorProxyError(
    failure.code,
    {
      account: exchange.account,
      group: exchange.group,
      model: exchange.requestedModel,
      message: failure.message,
      ...('status' in outcome ? { status: outcome.status } : {}),
      ...(retryAfterMs === undefined ? {} : { seconds: Math.ceil(retryAfterMs / 1000) }),
      ...failure.fault,
      ...failure.details,
    },
    {
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(failure.status === undefined ? {} : { status: failure.status }),
    },
  )
}

export function toClientError(runtime: GatewayRuntime, exchange: Exchange, failure: AttemptFailure): ClientError {
  const error = attemptError(exchange, failure)
  exchange.errorCode = error.code
  return {
    error,
    correlationId: exchange.correlationId,
    docsUrl: `${runtime.options.docsUrl}/errors/${error.code}`,
    ...(failure.message === '' ? {} : { upstreamMessage: failure.message }),
  }
}

export function clientContext(runtime: GatewayRuntime, exchange: Exchange, request: ChatOptions): ClientContext {
  return new ExchangeContext(runtime, exchange, request)
}

/** A class and not a literal, for a literal's getter would be one more closure for each request. */
class ExchangeContext implements ClientContext {
  readonly request: ChatOptions
  readonly now: number
  readonly newId: () => string
  readonly #body: Uint8Array

  constructor(runtime: GatewayRuntime, exchange: Exchange, request: ChatOptions) {
    this.request = request
    this.now = runtime.now()
    this.newId = runtime.newId
    this.#body = exchange.body
  }

  /** Made when it is asked for: most providers count themselves. */
  get estimatedInputTokens(): number {
    return estimateBodyTokens(this.#body)
  }
}

/** Sends an error in the client's own format. Only before the commit point. */
export function sendError(
  runtime: GatewayRuntime,
  exchange: Exchange,
  client: ClientReply,
  error: KorProxyError,
): void {
  exchange.errorCode = error.code
  const rendered = FAMILY_SHAPES[exchange.surface.family].encodeError({
    error,
    correlationId: exchange.correlationId,
    docsUrl: `${runtime.options.docsUrl}/errors/${error.code}`,
  })
  const headers = ['content-type', 'application/json', 'x-korproxy-error', error.code, ...retryHeaders(error)]
  if (rendered.status === 401) headers.push('www-authenticate', 'Bearer')
  client.send(rendered.status, headers, Buffer.from(JSON.stringify(rendered.body)))
}

/** A provider may say anything; nobody waits longer than a day. */
const MOST_MS = 86_400_000

/**
 * `Retry-After` is the truth in whole seconds; `x-should-retry` tells SDKs whether to believe that a retry helps.
 * A long wait and every fault of the request or its key say `false`: JavaScript SDKs would sleep the whole time.
 */
export function retryHeaders(error: KorProxyError): string[] {
  const { kind } = error.entry
  const wait = error.retryAfterMs
  const passes = RETRYABLE.has(kind) && !LASTING.has(error.code)
  const retry = passes && (wait === undefined || wait <= LONGEST_RETRY_AFTER_MS)
  const headers = ['x-should-retry', String(retry)]
  if (wait !== undefined && kind !== 'quota_exhausted')
    headers.push('retry-after', String(Math.max(1, Math.ceil(Math.min(wait, MOST_MS) / 1000))))
  return headers
}
