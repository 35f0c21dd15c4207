import type { TargetModel } from '../format.ts'
import type { ChatRequest, JsonObject, Reasoning, ReasoningEffort } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { isOwnThinking } from './sendable-turns.ts'

/** Anthropic refuses a request without `max_tokens`; this much is asked for when the client names none. */
const DEFAULT_MAX_TOKENS = 32_000
/** @see https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
const MIN_BUDGET_TOKENS = 1024
const BUDGET_TOKENS: Readonly<Record<Exclude<ReasoningEffort, 'none'>, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 2048,
  high: 4096,
  xhigh: 8192,
  max: 16_384,
}

export interface ThinkingSetting {
  readonly mode: 'unset' | 'off' | 'manual' | 'adaptive'
  readonly thinking: JsonObject | undefined
  readonly effort: string | undefined
  readonly maxTokens: number
}

/** What to send for the reasoning asked for, and the room for the whole reply, in tokens. The turns must be `sendableTurns`. */
export function chooseThinking(request: ChatRequest, target: TargetModel, dropped: DroppedParameters): ThinkingSetting {
  const { capabilities } = target
  const { reasoning } = request
  const maxTokens = baseMaxTokens(request, target)
  const none: ThinkingSetting = { mode: 'unset', thinking: undefined, effort: undefined, maxTokens }
  if (reasoning === undefined || !asksForSomething(reasoning)) return none
  if (capabilities.reasoning === false) {
    dropped.add('reasoning')
    return none
  }
  if (reasoning.effort === 'none' || reasoning.budgetTokens === 0) return switchOff(none, target, dropped)
  if (capabilities.adaptiveThinking === true) {
    return { ...none, mode: 'adaptive', thinking: adaptive(reasoning), effort: adaptiveEffort(reasoning, target) }
  }
  // "Expected `thinking` or `redacted_thinking`, but found `tool_use`": manual thinking wants the blocks of a running tool loop back.
  if (lastCallsLackThinking(request, target)) {
    dropped.add('reasoning')
    return { ...none, mode: 'off', thinking: { type: 'disabled' } }
  }
  return manual(none, reasoning, target, dropped)
}

function baseMaxTokens(request: ChatRequest, { maxOutputTokens }: TargetModel): number {
  const limit = maxOutputTokens ?? Number.POSITIVE_INFINITY
  return Math.min(request.maxOutputTokens ?? DEFAULT_MAX_TOKENS, limit)
}

function asksForSomething({ effort, budgetTokens, adaptive: isAdaptive }: Reasoning): boolean {
  return effort !== undefined || budgetTokens !== undefined || isAdaptive === true
}

function switchOff(none: ThinkingSetting, { capabilities }: TargetModel, dropped: DroppedParameters): ThinkingSetting {
  if (capabilities.thinkingAlwaysOn !== true) return { ...none, mode: 'off', thinking: { type: 'disabled' } }
  dropped.add('reasoning')
  return { ...none, mode: 'adaptive', effort: 'low' }
}

function adaptive({ includeThoughts }: Reasoning): JsonObject {
  if (includeThoughts === undefined) return { type: 'adaptive' }
  return { type: 'adaptive', display: includeThoughts ? 'summarized' : 'omitted' }
}

function adaptiveEffort({ effort, budgetTokens }: Reasoning, { capabilities }: TargetModel): string | undefined {
  const wanted = effort ?? (budgetTokens === undefined ? undefined : effortOfBudget(budgetTokens))
  if (wanted === 'minimal') return 'low'
  if (wanted === 'max') return capabilities.effortMax === true ? 'max' : 'high'
  if (wanted === 'xhigh') return capabilities.effortXhigh === true ? 'xhigh' : 'high'
  return wanted
}

function effortOfBudget(budgetTokens: number): ReasoningEffort {
  if (budgetTokens < 2048) return 'low'
  return budgetTokens < 8192 ? 'medium' : 'high'
}

/** The budget is part of `max_tokens`: room for the answer is kept beside it as far as the model's limit allows. */
function manual(
  none: ThinkingSetting,
  reasoning: Reasoning,
  { maxOutputTokens }: TargetModel,
  dropped: DroppedParameters,
): ThinkingSetting {
  const wanted = Math.max(MIN_BUDGET_TOKENS, reasoning.budgetTokens ?? effortBudget(reasoning.effort))
  const answer = none.maxTokens
  const limit = maxOutputTokens ?? Number.POSITIVE_INFINITY
  const maxTokens = wanted < answer ? answer : Math.min(answer + wanted, limit)
  const budget = wanted < maxTokens ? wanted : Math.max(MIN_BUDGET_TOKENS, maxTokens - answer)
  if (budget >= maxTokens) {
    dropped.add('reasoning')
    return none
  }
  const hidden = reasoning.includeThoughts === false ? { display: 'omitted' } : {}
  return { ...none, mode: 'manual', thinking: { type: 'enabled', budget_tokens: budget, ...hidden }, maxTokens }
}

function effortBudget(effort: ReasoningEffort | undefined): number {
  return BUDGET_TOKENS[effort === undefined || effort === 'none' ? 'high' : effort]
}

function lastCallsLackThinking({ turns }: ChatRequest, { issuer }: TargetModel): boolean {
  const last = turns.findLast((turn) => turn.role === 'assistant')
  if (!last?.parts.some(({ type }) => type === 'tool-call')) return false
  return !last.parts.some((part) => isOwnThinking(part, issuer))
}
