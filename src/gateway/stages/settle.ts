import type { Usage } from '#formats/ir/chat-event.ts'
import { estimateBodyTokens } from '#formats/ir/estimate-body-tokens.ts'
import type { ModelPricing } from '#table/routing-table.ts'
import type { RequestEvent, UsageRecord } from '#telemetry/request-event.ts'
import type { Exchange } from '../exchange.ts'
import type { GatewayRuntime } from '../runtime.ts'
import { requestCost } from './cost.ts'

/** The one record of a finished exchange goes out; everything counted, logged or billed is made from it. */
export function settle(runtime: GatewayRuntime, exchange: Exchange): void {
  const usage = usageRecord(exchange)
  const account = exchange.tenant.accounts.get(exchange.account)
  if (usage !== undefined) account?.limits.noteUsage(usage.input + usage.output, runtime.now())
  const costPicoUsd =
    usage === undefined
      ? undefined
      : requestCost(withInput(exchange.usage, usage.input), pricing(exchange), account?.account.priceMultiplier)
  runtime.record(requestEvent(runtime, exchange, usage, costPicoUsd))
}

function withInput(usage: Usage | undefined, input: number): Usage {
  return usage?.input === undefined ? { ...usage, input } : usage
}

/** Azure is asked for a deployment, whose name says nothing: its answer names the model. */
function pricing({ tenant, model, answeredModel = '' }: Exchange): ModelPricing | undefined {
  return (tenant.catalogue.find(model) ?? tenant.catalogue.find(answeredModel))?.pricing
}

function requestEvent(
  runtime: GatewayRuntime,
  exchange: Exchange,
  usage: UsageRecord | undefined,
  costPicoUsd: number | undefined,
): RequestEvent {
  const { surface } = exchange
  return {
    startedAtMs: exchange.startedAtMs,
    correlationId: exchange.correlationId,
    tenant: exchange.tenant.tenant.name,
    client: exchange.client?.name ?? '',
    requestType: exchange.requestType,
    format: 'format' in surface.operation ? surface.operation.format : surface.family,
    stream: exchange.stream,
    profile: exchange.profile,
    rule: exchange.rule?.name ?? '',
    group: exchange.group,
    account: exchange.account,
    provider: exchange.provider,
    requestedModel: exchange.requestedModel,
    model: exchange.answeredModel ?? exchange.model,
    status: exchange.clientGone && exchange.commitment === 'open' ? 499 : exchange.status,
    errorCode: exchange.errorCode,
    truncated: exchange.truncated,
    attempts: exchange.attempts,
    durationMs: runtime.monotonic() - exchange.startedAt,
    firstTokenMs: exchange.firstTokenMs,
    usage,
    costPicoUsd,
    droppedParameters: exchange.droppedParameters,
    requestBytes: exchange.body.length,
    replyBytes: exchange.replyBytes,
  }
}

/** A provider that counts nothing (Gemini embeddings) gets an estimate, marked as such. What is no generation uses no tokens. */
function usageRecord(exchange: Exchange): UsageRecord | undefined {
  const { usage, surface } = exchange
  const { kind } = surface.operation
  const isAnswered = exchange.commitment === 'committed' && exchange.errorCode === ''
  if (usage === undefined && !(isAnswered && (kind === 'chat' || kind === 'embedding'))) return undefined
  const known: Usage = usage ?? {}
  const estimatesInput = known.input === undefined
  return {
    input: known.input ?? estimateBodyTokens(exchange.body),
    cachedInput: known.cachedInput ?? 0,
    cacheWriteInput: known.cacheWriteInput ?? 0,
    output: known.output ?? 0,
    reasoning: known.reasoning ?? 0,
    estimated: exchange.usageEstimated || estimatesInput,
  }
}
