import type { TargetModel } from '../format.ts'
import type { JsonObject, Reasoning, ReasoningEffort } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { isThirdGeneration } from './gemini-target.ts'

/**
 * Gemini 3 takes `thinkingLevel`, Gemini 2.5 `thinkingBudget`; both together are refused.
 * @see https://ai.google.dev/gemini-api/docs/thinking
 */
export function writeThinkingConfig(
  reasoning: Reasoning | undefined,
  target: TargetModel,
  dropped: DroppedParameters,
): JsonObject | undefined {
  if (reasoning === undefined) return undefined
  if (target.capabilities.reasoning === false) {
    dropped.add('reasoning_effort')
    return undefined
  }
  const alwaysOn = target.capabilities.thinkingAlwaysOn === true
  const amount = isThirdGeneration(target) ? writeLevel(reasoning, alwaysOn) : writeBudget(reasoning, alwaysOn)
  const off = !alwaysOn && (reasoning.effort === 'none' || reasoning.budgetTokens === 0)
  return { ...amount, includeThoughts: !off && reasoning.includeThoughts !== false }
}

type Level = 'minimal' | 'low' | 'medium' | 'high'
const LEVELS: Readonly<Record<ReasoningEffort, Level>> = {
  none: 'minimal',
  minimal: 'minimal',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}

function writeLevel(reasoning: Reasoning, alwaysOn: boolean): JsonObject {
  const level = reasoning.effort === undefined ? levelOfBudget(reasoning.budgetTokens) : LEVELS[reasoning.effort]
  if (level === undefined) return {}
  // The larger models cannot stop thinking and have no level below low.
  return { thinkingLevel: level === 'minimal' && alwaysOn ? 'low' : level }
}

function levelOfBudget(tokens: number | undefined): Level | undefined {
  if (tokens === undefined) return undefined
  if (tokens <= 0) return 'minimal'
  if (tokens < 2048) return 'low'
  return tokens < 8192 ? 'medium' : 'high'
}

/** The amounts of Google's own OpenAI-compatible endpoint; 512 is the least that every 2.5 model takes. */
const BUDGETS: Readonly<Record<ReasoningEffort, number>> = {
  none: 0,
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
}

/** Flash models think 512 to 24,576 tokens or not at all; Pro, which always thinks, 128 to 32,768. */
function writeBudget(reasoning: Reasoning, alwaysOn: boolean): JsonObject {
  const wanted = reasoning.budgetTokens ?? (reasoning.effort === undefined ? undefined : BUDGETS[reasoning.effort])
  if (wanted === undefined) return reasoning.adaptive === true ? { thinkingBudget: -1 } : {}
  if (alwaysOn) return { thinkingBudget: Math.min(Math.max(wanted, 128), 32_768) }
  return { thinkingBudget: wanted <= 0 ? 0 : Math.min(Math.max(wanted, 512), 24_576) }
}
