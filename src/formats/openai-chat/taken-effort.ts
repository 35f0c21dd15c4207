import type { TargetModel } from '../format.ts'
import type { Reasoning, ReasoningEffort } from '../ir/chat-request.ts'

/**
 * The depth of reasoning in a word that the model takes: OpenAI answers 400 to the others. Only the first GPT-5 knows `minimal`.
 * @see https://platform.openai.com/docs/guides/reasoning
 */
export function takenEffort(effort: ReasoningEffort, { capabilities }: TargetModel): ReasoningEffort {
  const { effortXhigh, effortMax, thinkingAlwaysOn } = capabilities
  switch (effort) {
    case 'none':
      return thinkingAlwaysOn === true ? 'low' : 'none'
    case 'minimal':
      return 'low'
    case 'xhigh':
      return effortXhigh === false ? 'high' : 'xhigh'
    case 'max':
      if (effortMax === true || (effortMax === undefined && effortXhigh === undefined)) return 'max'
      return effortXhigh === true ? 'xhigh' : 'high'
    case 'low':
    case 'medium':
    case 'high':
      return effort
  }
}

/**
 * For a client that leaves the depth to the model. OpenAI's models since GPT-5.1 do not think at all unless they are told how much.
 * @see https://platform.openai.com/docs/guides/reasoning
 */
export function adaptiveEffort({ adaptive }: Reasoning, { capabilities }: TargetModel): ReasoningEffort | undefined {
  return adaptive === true && capabilities.reasoning === true ? 'medium' : undefined
}
