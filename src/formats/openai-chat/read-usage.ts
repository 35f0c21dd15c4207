import type { Usage } from '../ir/chat-event.ts'
import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { readServiceTier } from '../ir/service-tier.ts'
import { readCount, readObject } from './read-fields.ts'

/**
 * Reads OpenAI's `usage` with the words that DeepSeek (`prompt_cache_hit_tokens`), Kimi (`cached_tokens`) and OpenRouter (`cost`) have for it.
 * @see https://platform.openai.com/docs/api-reference/chat/object#chat/object-usage
 */
export function readUsage(usage: JsonObject, serviceTier: JsonValue | undefined): Usage {
  const prompt = readObject(usage['prompt_tokens_details'])
  const input = readCount(usage['prompt_tokens'])
  const cachedInput =
    readCount(prompt['cached_tokens']) ??
    readCount(usage['prompt_cache_hit_tokens']) ??
    readCount(usage['cached_tokens'])
  const cacheWriteInput = readCount(prompt['cache_write_tokens'])
  const reasoning = readCount(readObject(usage['completion_tokens_details'])['reasoning_tokens'])
  const output = readOutput(usage, reasoning)
  const costUsd = readCount(usage['cost'])
  const read: { -readonly [Key in keyof Usage]: Usage[Key] } = {}
  if (input !== undefined) read.input = input
  if (cachedInput !== undefined) read.cachedInput = cachedInput
  if (cacheWriteInput !== undefined) read.cacheWriteInput = cacheWriteInput
  if (output !== undefined) read.output = output
  if (reasoning !== undefined) read.reasoning = reasoning
  if (costUsd !== undefined) read.costUsd = costUsd
  const tier = readServiceTier(serviceTier)
  if (tier !== undefined) read.serviceTier = tier
  return read
}

/** At xAI and Gemini's compatible endpoint `completion_tokens` leaves reasoning out; only the total tells. */
function readOutput(usage: JsonObject, reasoning: number | undefined): number | undefined {
  const output = readCount(usage['completion_tokens'])
  if (output === undefined || reasoning === undefined || reasoning === 0) return output
  const total = readCount(usage['total_tokens'])
  const input = readCount(usage['prompt_tokens']) ?? 0
  return total === input + output + reasoning ? output + reasoning : output
}
