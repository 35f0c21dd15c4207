import type { AssistantPart, Signature, ToolCallPart } from '../ir/chat-request.ts'
import { readSignature } from '../ir/signature.ts'
import { wrapCustomInput } from '../openai-responses/custom-input.ts'
import { cacheHint, decodeImage, withCache } from './decode-content.ts'
import { decodeReasoningParts } from './decode-reasoning-parts.ts'
import type { AssistantMessage, ToolCall } from './request-schema.ts'

/** LiteLLM's way to carry a Gemini thought signature through clients that drop unknown fields. */
const SIGNATURE_IN_ID = /__thought__(.+)$/s

/** Thinking first, then text, then calls: the order in which models make them. */
export function decodeAssistantMessage(
  message: AssistantMessage,
  nextLegacyId: () => string,
): readonly AssistantPart[] {
  const parts: AssistantPart[] = [...decodeReasoningParts(message), ...decodeAnswer(message.content ?? '')]
  if (message.refusal != null) parts.push({ type: 'refusal', text: message.refusal })
  for (const image of message.images ?? []) parts.push(decodeImage(image.image_url))
  for (const call of message.tool_calls ?? []) parts.push(decodeToolCall(call))
  if (message.function_call != null) {
    const { name, arguments: text } = message.function_call
    parts.push({ type: 'tool-call', id: nextLegacyId(), name, arguments: text ?? '' })
  }
  return withCache(parts, message.cache_control)
}

function decodeAnswer(content: NonNullable<AssistantMessage['content']>): AssistantPart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return content.map((part) =>
    part.type === 'refusal'
      ? { type: 'refusal', text: part.refusal }
      : { type: 'text', text: part.text, ...cacheHint(part.cache_control) },
  )
}

function decodeToolCall(call: ToolCall): ToolCallPart {
  if ('custom' in call) {
    const { name, input } = call.custom
    return { type: 'tool-call', id: call.id, name, arguments: wrapCustomInput(input) }
  }
  const signature = callSignature(call.id, call.extra_content?.google?.thought_signature)
  return {
    type: 'tool-call',
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments ?? '',
    ...(signature !== undefined && { signature }),
    ...cacheHint(call.cache_control),
  }
}

/** Untagged it can only be Gemini's own: both places are conventions for Gemini. */
function callSignature(id: string, inExtraContent: string | null | undefined): Signature | undefined {
  const text = inExtraContent ?? SIGNATURE_IN_ID.exec(id)?.[1]
  return text === undefined ? undefined : readSignature(text, 'gemini')
}
