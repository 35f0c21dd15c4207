import type { StrippedRequest, TargetModel } from '../format.ts'
import { SKIP_VALIDATOR } from '../gemini/thought-signature.ts'
import { changeObjects, withoutMembers } from '../ir/change-objects.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/** Where OpenRouter, DeepSeek and LiteLLM have the thinking of earlier turns; the signed parts are in the first and the last. */
const THINKING = ['reasoning_details', 'reasoning_content', 'reasoning', 'thinking_blocks']

/**
 * Without the thinking that other servers than OpenAI's take back, and without Google's signatures of calls.
 * @see https://openrouter.ai/docs/guides/best-practices/reasoning-tokens
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export function withoutThinking(body: JsonObject, target: TargetModel): StrippedRequest | undefined {
  const dropped = new Set<string>()
  const messages = changeObjects(body['messages'], (message) => stripped(message, target, dropped))
  return messages === undefined || dropped.size === 0
    ? undefined
    : { body: { ...body, messages }, dropped: [...dropped] }
}

function stripped(message: JsonObject, target: TargetModel, dropped: Set<string>): JsonObject {
  if (message['role'] !== 'assistant') return message
  const thinks = THINKING.some((name) => message[name] !== undefined && message[name] !== null)
  if (thinks) dropped.add('messages.thinking')
  const bare = thinks ? withoutMembers(message, THINKING) : message
  const calls = changeObjects(bare['tool_calls'], (call, index) => {
    const { extra_content: extra } = call
    const google = isJsonObject(extra) ? extra['google'] : undefined
    if (!isJsonObject(google) || google['thought_signature'] === undefined) return call
    dropped.add('messages.tool_calls.thought_signature')
    // Gemini 3 refuses a turn whose first call has none.
    const isMarked = target.capabilities.thinkingLevel === true && index === 0
    const rest = withoutMembers(call, ['extra_content'])
    return isMarked ? { ...rest, extra_content: { google: { thought_signature: SKIP_VALIDATOR } } } : rest
  })
  return calls === undefined ? bare : { ...bare, tool_calls: calls }
}
