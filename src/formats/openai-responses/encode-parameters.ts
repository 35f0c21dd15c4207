import type { TargetModel } from '../format.ts'
import type { ChatRequest, JsonObject, Reasoning, ReasoningEffort } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { shortIdentifier } from '../openai-chat/short-identifier.ts'
import { adaptiveEffort, takenEffort } from '../openai-chat/taken-effort.ts'

/** The API refuses a smaller `max_output_tokens`. */
const LEAST_OUTPUT_TOKENS = 16

const SERVICE_TIERS = new Set(['auto', 'default', 'flex', 'scale', 'priority'])

/** Everything besides the conversation and the tools. @see https://platform.openai.com/docs/api-reference/responses/create */
export function encodeParameters(request: ChatRequest, target: TargetModel, dropped: DroppedParameters): JsonObject {
  reportUnsupported(request, dropped)
  const reasons = expectsReasoning(request.reasoning, target)
  const include = [
    ...(reasons ? ['reasoning.encrypted_content'] : []),
    ...(request.sampling.logprobs === true ? ['message.output_text.logprobs'] : []),
  ]
  return jsonFields({
    ...encodeSampling(request, target, dropped),
    max_output_tokens: encodeOutputLimit(request.maxOutputTokens, target),
    reasoning: encodeReasoning(request.reasoning, target, dropped),
    include: include.length > 0 ? include : undefined,
    service_tier: encodeServiceTier(request.serviceTier, dropped),
    user: shortIdentifier('user', request.user, dropped),
    prompt_cache_key: shortIdentifier('prompt_cache_key', request.promptCacheKey, dropped),
  })
}

/** n and stop change what the answer is, the rest how it is sampled. */
function reportUnsupported({ sampling }: ChatRequest, dropped: DroppedParameters): void {
  if ((sampling.n ?? 1) > 1) dropped.addOrRefuse('n', 'the Responses API gives one answer.')
  reportStop(sampling.stop ?? [], dropped)
  if (sampling.seed !== undefined) dropped.add('seed')
  if (sampling.topK !== undefined) dropped.add('top_k')
  if (sampling.presencePenalty !== undefined) dropped.add('presence_penalty')
  if (sampling.frequencyPenalty !== undefined) dropped.add('frequency_penalty')
  if (sampling.logitBias !== undefined) dropped.add('logit_bias')
}

/** An empty sequence stops nothing: the answer is the same without it. */
function reportStop(stop: readonly string[], dropped: DroppedParameters): void {
  if (stop.some((text) => text !== '')) dropped.addOrRefuse('stop', 'the Responses API has no stop sequences.')
  else if (stop.length > 0) dropped.add('stop')
}

function encodeSampling({ sampling }: ChatRequest, target: TargetModel, dropped: DroppedParameters): JsonObject {
  const { temperature, topP, topLogprobs } = sampling
  if (target.capabilities.sampling !== false) {
    return jsonFields({ temperature, top_p: topP, top_logprobs: topLogprobs })
  }
  if (temperature !== undefined) dropped.add('temperature')
  if (topP !== undefined) dropped.add('top_p')
  return jsonFields({ top_logprobs: topLogprobs })
}

function encodeOutputLimit(limit: number | undefined, target: TargetModel): number | undefined {
  if (limit === undefined) return undefined
  return Math.max(LEAST_OUTPUT_TOKENS, Math.min(limit, target.maxOutputTokens ?? limit))
}

/** Asking a model that does not reason for encrypted reasoning is a 400, so an unknown model is asked only when the client wants reasoning. */
function expectsReasoning(reasoning: Reasoning | undefined, target: TargetModel): boolean {
  if (target.capabilities.reasoning !== undefined) return target.capabilities.reasoning
  return reasoning !== undefined && effortOf(reasoning) !== 'none'
}

function encodeReasoning(
  reasoning: Reasoning | undefined,
  target: TargetModel,
  dropped: DroppedParameters,
): JsonObject | undefined {
  if (reasoning === undefined) return undefined
  if (target.capabilities.reasoning === false) {
    dropped.add('reasoning')
    return undefined
  }
  const effort = effortOf(reasoning) ?? adaptiveEffort(reasoning, target)
  const options = jsonFields({
    effort: effort === undefined ? undefined : takenEffort(effort, target),
    summary: reasoning.includeThoughts === true ? 'auto' : undefined,
  })
  return Object.keys(options).length > 0 ? options : undefined
}

/** A budget of tokens in words: the model's own scale has no tokens. */
function effortOf({ effort, budgetTokens }: Reasoning): ReasoningEffort | undefined {
  if (effort !== undefined || budgetTokens === undefined || budgetTokens < 0) return effort
  if (budgetTokens === 0) return 'none'
  if (budgetTokens < 2048) return 'low'
  return budgetTokens < 8192 ? 'medium' : 'high'
}

function encodeServiceTier(tier: string | undefined, dropped: DroppedParameters): string | undefined {
  if (tier === undefined || SERVICE_TIERS.has(tier)) return tier
  if (tier === 'standard_only') return 'default'
  dropped.add('service_tier')
  return undefined
}
