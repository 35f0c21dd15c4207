import { decimalUsd } from './decimal-usd.ts'
import type { RequestEvent } from './request-event.ts'

/** One line of the access log. Empty text where something does not apply, null where it is not known. */
export interface AccessLine {
  /** RFC 3339, UTC; arrival of the request. */
  readonly time: string
  readonly correlationId: string
  readonly tenant: string
  /** Name of the GatewayClient. */
  readonly client: string
  readonly profile: string
  readonly group: string
  readonly provider: string
  readonly account: string
  readonly model: string
  readonly requestedModel: string
  readonly type: string
  readonly format: string
  readonly stream: boolean
  readonly status: number
  readonly errorCode: string
  readonly truncated: boolean
  readonly attempts: number
  readonly inputTokens: number | null
  readonly cachedInputTokens: number | null
  readonly outputTokens: number | null
  /** US dollars, decimal text. */
  readonly cost: string | null
  readonly latencyMs: number
  readonly firstTokenMs: number | null
}

/** Longer names are no model's, and a client may send megabytes of them. */
const MAX_NAME_LENGTH = 256

export function accessLine(event: RequestEvent): AccessLine {
  const { usage, costPicoUsd, firstTokenMs } = event
  return {
    time: new Date(event.startedAtMs).toISOString(),
    correlationId: event.correlationId,
    tenant: event.tenant,
    client: event.client,
    profile: event.profile,
    group: event.group,
    provider: event.provider,
    account: event.account,
    model: event.model.slice(0, MAX_NAME_LENGTH),
    requestedModel: event.requestedModel.slice(0, MAX_NAME_LENGTH),
    type: event.requestType,
    format: event.format,
    stream: event.stream,
    status: event.status,
    errorCode: event.errorCode,
    truncated: event.truncated,
    attempts: event.attempts.length,
    inputTokens: usage?.input ?? null,
    cachedInputTokens: usage?.cachedInput ?? null,
    outputTokens: usage?.output ?? null,
    cost: costPicoUsd === undefined ? null : decimalUsd(costPicoUsd),
    latencyMs: Math.round(event.durationMs),
    firstTokenMs: firstTokenMs === undefined ? null : Math.round(firstTokenMs),
  }
}
