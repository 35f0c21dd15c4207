import type { TargetModel } from '../format.ts'
import type { JsonValue, Reasoning, ReasoningEffort, Sampling } from '../ir/chat-request.ts'
import type { EncodingContext } from './encoding-context.ts'
import { adaptiveEffort, takenEffort } from './taken-effort.ts'

type Fields = Readonly<Record<string, JsonValue | undefined>>

/** @see https://platform.openai.com/docs/api-reference/chat/create#chat_create-stop */
const MAX_STOPS = 4

/** Anthropic's thinking budgets as efforts, tokens; from there on it is `high`. */
const LOW_BELOW = 2048
const MEDIUM_BELOW = 8192

export function encodeSampling(sampling: Sampling, { target, dropped }: EncodingContext): Fields {
  if (sampling.topK !== undefined) dropped.add('top_k')
  const tuning: Fields = {
    temperature: sampling.temperature,
    top_p: sampling.topP,
    presence_penalty: sampling.presencePenalty,
    frequency_penalty: sampling.frequencyPenalty,
  }
  const acceptsTuning = target.capabilities.sampling !== false
  if (!acceptsTuning) for (const [name, value] of Object.entries(tuning)) if (value !== undefined) dropped.add(name)
  return {
    ...(acceptsTuning && tuning),
    stop: encodeStop(sampling.stop, { target, dropped }),
    seed: sampling.seed,
    n: sampling.n,
    logprobs: sampling.logprobs,
    top_logprobs: sampling.topLogprobs,
    logit_bias: sampling.logitBias,
  }
}

function encodeStop(
  stop: readonly string[] | undefined,
  { target, dropped }: Pick<EncodingContext, 'target' | 'dropped'>,
): readonly string[] | undefined {
  if (stop === undefined) return undefined
  const kept = refusesStop(target) ? [] : stop.filter((text) => text !== '').slice(0, MAX_STOPS)
  if (kept.length < stop.length) dropped.add('stop')
  return kept.length > 0 ? kept : undefined
}

/** OpenAI's reasoning models answer 400 to `stop`; reasoning models of its imitators take it. */
function refusesStop({ capabilities, quirks }: TargetModel): boolean {
  return capabilities.reasoning === true && quirks.maxTokensField === 'max_completion_tokens'
}

export function encodeReasoning(
  reasoning: Reasoning | undefined,
  { target, dropped }: EncodingContext,
): ReasoningEffort | undefined {
  if (reasoning === undefined) return undefined
  const effort = reasoning.effort ?? budgetEffort(reasoning.budgetTokens) ?? adaptiveEffort(reasoning, target)
  if (effort === undefined) return undefined
  const { reasoning: reasons } = target.capabilities
  // A model that does not reason need not be told not to.
  if (reasons === true || (reasons === undefined && effort !== 'none')) return takenEffort(effort, target)
  if (effort !== 'none') dropped.add('reasoning_effort')
  return undefined
}

function budgetEffort(budgetTokens: number | undefined): ReasoningEffort | undefined {
  if (budgetTokens === undefined) return undefined
  if (budgetTokens === 0) return 'none'
  if (budgetTokens < LOW_BELOW) return 'low'
  return budgetTokens < MEDIUM_BELOW ? 'medium' : 'high'
}
