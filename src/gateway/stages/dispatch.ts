import type { Failure } from '#providers/provider.ts'
import type { Timeouts } from '#table/routing-table.ts'
import type { Exchange } from '../exchange.ts'
import { openSink } from '../relay/open-sink.ts'
import type { RelayParts } from '../relay/relay-parts.ts'
import type { ClientReply } from '../reply/client-reply.ts'
import type { HeaderAllowList } from '../reply/forwarded-headers.ts'
import { forwardedReplyHeaders } from '../reply/forwarded-headers.ts'
import { clientContext, toClientError } from '../reply/render-error.ts'
import type { GatewayRuntime } from '../runtime.ts'
import type { ServingAccount } from '../serving-account.ts'
import { type AttemptFailure, type AttemptResult, type CallResult, UpstreamAttempt } from '../upstream/attempt.ts'
import type { PreparedRequest } from './encode.ts'

export interface DispatchInput {
  readonly exchange: Exchange
  readonly client: ClientReply
  readonly prepared: PreparedRequest
  readonly account: ServingAccount
  readonly model: string
  readonly secret: string | undefined
  readonly timeouts: Timeouts
  /** Monotonic. */
  readonly deadline: number
}

/** Query parameters that carry a client's credential. */
const CREDENTIAL_PARAMETERS = ['key', 'api_key']

/** Several kept-alive connections can end at one moment; then the next failure is the provider's own. */
const STALE_CALLS = 3

/** Sends a prepared request to its account and relays what comes back. Never throws: a failure is a result. */
export async function dispatch(runtime: GatewayRuntime, input: DispatchInput): Promise<AttemptResult> {
  for (let calls = 1; ; calls += 1) {
    const result = await call(runtime, input)
    if (result.kind === 'answered') return result
    const failure = withoutSecret(result.failure, input.secret)
    if (result.kind !== 'stale') return { ...result, failure }
    if (calls === STALE_CALLS) return { kind: 'failed', failure }
  }
}

function call(runtime: GatewayRuntime, input: DispatchInput): Promise<CallResult> {
  const { exchange, prepared, account, model } = input
  const upstreamStream = prepared.kind === 'translate-chat' ? prepared.upstreamStream : exchange.stream
  const providerCall = {
    operation: prepared.operation,
    account: account.account,
    model,
    stream: upstreamStream,
    query: upstreamQuery(exchange.query),
  }
  const { url, method } = account.provider.target(providerCall)
  const target = runtime.urls.parse(url)
  const attempt = new UpstreamAttempt({
    exchange,
    client: input.client,
    timeouts: input.timeouts,
    heartbeatMs: runtime.options.limits.heartbeatMs,
    stalledReaderMs: runtime.options.limits.stalledReaderMs,
    monotonic: runtime.monotonic,
    sweeper: runtime.sweeper,
    deadline: input.deadline,
    streaming: upstreamStream,
    openSink: (status, headers) => {
      const limits = account.provider.readRateLimits(headers, runtime.now())
      if (limits !== undefined) account.health.noteLimits(limits, runtime.now(), model)
      const allowed = runtime.allowLists.get(account.provider.forwardedReplyHeaders)
      const relay: RelayParts = {
        exchange,
        client: input.client,
        status,
        replyHeaders: forwardedReplyHeaders(headers, allowed),
        monotonic: runtime.monotonic,
        classifyFailure: (reply) => {
          const failure = account.provider.classifyFailure(reply, runtime.now())
          return exchange.requestedModel === '' ? withoutModel(failure, reply.status) : failure
        },
        clientError: (failure) => toClientError(runtime, exchange, withoutSecret(failure, input.secret)),
        clientContext: (request) => clientContext(runtime, exchange, request),
      }
      return openSink(relay, prepared, headers)
    },
  })
  const pool = runtime.pools.get({
    origin: target.origin,
    connectMs: input.timeouts.connectMs,
    idleTimeoutMs: account.account.connections.idleTimeoutMs,
    proxyUrl: account.account.proxyUrl,
    caPem: account.credential.caPem,
  })
  const options = {
    origin: target.origin,
    path: target.path,
    method,
    headers: upstreamHeaders(runtime, input, account.provider.headers(providerCall, input.secret)),
    body: method === 'GET' || method === 'HEAD' ? null : prepared.body,
    // What is sent twice may be billed twice: the attempt loop decides about retries, never the pool.
    idempotent: false,
  }
  try {
    pool.dispatch(options, attempt)
  } catch (error) {
    attempt.giveUp(error instanceof Error ? error : new Error(String(error)))
  }
  return attempt.result
}

/** Where no model was asked for, a 404 is of whatever the path names: the provider's own words tell. */
function withoutModel(failure: Failure, status: number): Failure {
  return failure.outcome.kind === 'model-not-found' ? { ...failure, code: 'KP-PROV-104', status } : failure
}

/** A provider that repeats the key it refused must not tell the client or the log. */
function withoutSecret(failure: AttemptFailure, secret: string | undefined): AttemptFailure {
  if (secret === undefined || secret === '') return failure
  const { message, providerCode } = failure
  return {
    ...failure,
    message: message.replaceAll(secret, '[redacted]'),
    providerCode: providerCode?.replaceAll(secret, '[redacted]'),
  }
}

function upstreamQuery(query: URLSearchParams): string {
  if (query.size === 0) return ''
  const kept = new URLSearchParams(query)
  for (const name of CREDENTIAL_PARAMETERS) kept.delete(name)
  return kept.toString()
}

/** Allow-listed client headers, then the provider's own over them. Lower case, each once. */
function upstreamHeaders(
  runtime: GatewayRuntime,
  { exchange, prepared, account }: DispatchInput,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const headers: Record<string, string> = { ...account.provider.defaultHeaders }
  const passes = prepared.kind === 'pass-chat' || prepared.kind === 'pass-other' || prepared.kind === 'pass-embedding'
  const lists: HeaderAllowList[] = [runtime.allowLists.get(exchange.tenant.tenant.requestHeaders)]
  if (passes) lists.push(runtime.allowLists.get(account.provider.forwardedRequestHeaders))
  const given = exchange.request.headers
  for (const name in given) {
    const value = given[name]
    if (typeof value === 'string' && lists.some((list) => list.allows(name))) headers[name] = value
  }
  headers['content-type'] = passes
    ? (exchange.request.headers['content-type'] ?? 'application/json')
    : 'application/json'
  headers['accept-encoding'] = 'identity'
  headers['x-correlation-id'] = exchange.correlationId
  return Object.assign(headers, own)
}
