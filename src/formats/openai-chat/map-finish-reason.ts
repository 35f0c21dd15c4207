import type { ErrorEvent, FinishReason } from '../ir/chat-event.ts'

const REASONS: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['stop', 'stop'],
  ['length', 'length'],
  ['tool_calls', 'tool-calls'],
  ['function_call', 'tool-calls'],
  ['content_filter', 'content-filter'],
  // Zhipu
  ['sensitive', 'content-filter'],
  // Mistral
  ['model_length', 'length'],
  ['max_tokens', 'length'],
])

/** Words for "it broke", which must not look like an answer. `error`: OpenRouter; `insufficient_system_resource`: DeepSeek; `network_error`: Zhipu; `abort`: vLLM, SGLang. */
const FAILURES: ReadonlyMap<string, ErrorEvent['kind']> = new Map<string, ErrorEvent['kind']>([
  ['error', 'upstream'],
  ['abort', 'upstream'],
  ['network_error', 'upstream'],
  ['insufficient_system_resource', 'overloaded'],
])

/**
 * Reads `finish_reason`. Many servers say `stop` after tool calls, and a few `tool_calls` without any: what was seen decides between the two.
 * Unknown words (`eos`, `end_turn`, …) count as `stop`.
 * @see https://platform.openai.com/docs/api-reference/chat/object
 */
export function readFinishReason(word: string, sawToolCalls: boolean): FinishReason {
  const reason = REASONS.get(word) ?? 'stop'
  if (reason !== 'stop' && reason !== 'tool-calls') return reason
  return sawToolCalls ? 'tool-calls' : 'stop'
}

export function readFailedFinish(word: string): ErrorEvent | undefined {
  const kind = FAILURES.get(word)
  if (kind === undefined) return undefined
  return { type: 'error', kind, code: word, message: `the reply ended with finish_reason ${word}` }
}

/** `pause` cannot be resumed by a chat client, so the answer is what it is: cut short. */
export function writeFinishReason(reason: FinishReason): 'stop' | 'length' | 'tool_calls' | 'content_filter' {
  switch (reason) {
    case 'stop':
    case 'stop-sequence':
      return 'stop'
    case 'length':
    case 'context-window':
    case 'pause':
      return 'length'
    case 'tool-calls':
      return 'tool_calls'
    case 'content-filter':
      return 'content_filter'
  }
}
