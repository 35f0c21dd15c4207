import type { FinishReason } from '../ir/chat-event.ts'
import { writeFinishReason } from '../openai-chat/map-finish-reason.ts'

/** Completions know no tools. @see https://platform.openai.com/docs/api-reference/completions/object */
export function writeCompletionFinish(reason: FinishReason): 'stop' | 'length' | 'content_filter' {
  const word = writeFinishReason(reason)
  return word === 'tool_calls' ? 'stop' : word
}
