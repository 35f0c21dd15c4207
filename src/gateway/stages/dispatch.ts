import type { Timeouts } from '#table/routing-table.ts'
import type { Exchange } from '../exchange.ts'
import type { ClientReply } from '../reply/client-reply.ts'
import type { GatewayRuntime } from '../runtime.ts'
import type { ServingAccount } from '../serving-account.ts'
import { UpstreamAttempt } from '../upstream/attempt.ts'
import type { CallResult } from '../upstream/attempt-result.ts'
import { type PreparedRequest, passesAsIs } from './encode.ts'
import { upstreamHeaders } from './upstream-headers.ts'

export interface DispatchInput {
  readonly exchange: Exchange
  readonly client: ClientReply
  readonly prepared: PreparedRequest
  readonly account: ServingAccount
  readonly model: string
  readonly secret: string | undefined
  readonly timeouts: Timeouts
  /** Monotonic time at which the account's turn began: what was before is not its doing. */
  readonly startedAt: number
  /** Monotonic time at which the whole request must be done. */
  readonly deadline: number
}

/** Query parameters that carry a client's credential. */
const CREDENTIAL_PARAMETERS = ['key', 'api_key']

/** Sends a prepared request to its account and relays what comes back. Never rejects: a failure is a result. */
export function dispatch(runtime: GatewayRuntime, input: DispatchInput): Promise<CallResult> {
  const { exchange, prepared, account } = input
  const stream = prepared.kind === 'translate-chat' ? prepared.upstreamStream : exchange.stream
  const providerCall = {
    operation: prepared.operation,
    account: account.account,
    model: input.model,
    stream,
    // Google refuses parameters that it does not know, such as the `beta=true` of Claude Code.
    query: passesAsIs(prepared) ? upstreamQuery(exchange.query) : '',
  }
  const { origin, path, method, headers } = runtime.plans.get(account, providerCall, input.secret)
  const attempt = new UpstreamAttempt(runtime, input, stream ? 'stream' : 'whole')
  const sent = {
    method,
    path,
    headers: upstreamHeaders(runtime, input, headers),
    body: method === 'GET' || method === 'HEAD' ? undefined : prepared.body,
  }
  try {
    runtime.pools.ofAccount(account, origin, input.timeouts.connectMs).send(sent, attempt)
  } catch (error) {
    attempt.failed(error instanceof Error ? error : new Error(String(error)))
  }
  return attempt.result
}

function upstreamQuery(query: URLSearchParams): string {
  if (query.size === 0) return ''
  const kept = new URLSearchParams(query)
  for (const name of CREDENTIAL_PARAMETERS) kept.delete(name)
  return kept.toString()
}
