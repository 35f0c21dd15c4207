import type { ClientContext } from '../format.ts'
import type { Usage } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { jsonFields } from '../ir/json-fields.ts'

/**
 * A provider that did not count the prompt (Ollama, of one that it had cached) leaves it to the estimate.
 * @see https://platform.openai.com/docs/api-reference/chat/object#chat/object-usage
 */
export function writeUsage(usage: Usage, context: ClientContext): JsonObject {
  const { input = context.estimatedInputTokens, output = 0, cachedInput, cacheWriteInput, reasoning } = usage
  const prompt = jsonFields({ cached_tokens: cachedInput, cache_write_tokens: cacheWriteInput })
  return jsonFields({
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: Object.keys(prompt).length > 0 ? prompt : undefined,
    completion_tokens_details: reasoning === undefined ? undefined : { reasoning_tokens: reasoning },
  })
}
