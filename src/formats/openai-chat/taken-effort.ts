import type { TargetModel } from '../format.ts'
import type { ReasoningEffort } from '../ir/chat-request.ts'

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
