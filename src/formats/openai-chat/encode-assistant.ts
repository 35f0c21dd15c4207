import type { AssistantPart, AssistantTurn, JsonObject, ToolCallPart } from '../ir/chat-request.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { signatureFor } from '../ir/signature.ts'
import type { EncodingContext } from './encoding-context.ts'

/** No message at all where nothing can be carried: an empty one is a 400. */
export function encodeAssistant(turn: AssistantTurn, context: EncodingContext): readonly JsonObject[] {
  const text = turn.parts.map((part) => (part.type === 'text' || part.type === 'refusal' ? part.text : '')).join('')
  const calls = turn.parts.filter((part) => part.type === 'tool-call')
  if (turn.parts.some((part) => part.type === 'image')) context.dropped.add('messages.image')
  if (text === '' && calls.length === 0) return []
  return [
    jsonFields({
      role: 'assistant',
      content: text === '' ? null : text,
      ...encodeThinking(turn.parts, context),
      tool_calls: calls.length === 0 ? undefined : calls.map((call) => encodeCall(call, context)),
    }),
  ]
}

/** DeepSeek, Qwen, Kimi and OpenRouter want the thinking of tool turns back; others refuse or ignore it. */
function encodeThinking(parts: readonly AssistantPart[], { target, dropped }: EncodingContext): JsonObject {
  const thinking = parts.filter((part) => part.type === 'thinking' || part.type === 'redacted-thinking')
  if (thinking.length === 0) return {}
  if (target.quirks.replayReasoning !== true) {
    dropped.add('messages.thinking')
    return {}
  }
  const text = thinking.map((part) => (part.type === 'thinking' ? part.text : '')).join('')
  const details = thinking.flatMap((part, index): JsonObject[] => {
    const signature = signatureFor(target.issuer, part.type === 'thinking' ? part.signature : part.data)
    if (signature === undefined) return []
    if (part.type === 'redacted-thinking') return [{ type: 'reasoning.encrypted', data: signature, index }]
    return [{ type: 'reasoning.text', text: part.text, signature, index }]
  })
  return { ...(text !== '' && { reasoning_content: text }), ...(details.length > 0 && { reasoning_details: details }) }
}

function encodeCall(call: ToolCallPart, { target, names }: EncodingContext): JsonObject {
  const signature = signatureFor(target.issuer, call.signature)
  return {
    id: call.id,
    type: 'function',
    function: { name: names.encode(call.name), arguments: call.arguments === '' ? '{}' : call.arguments },
    ...(signature !== undefined && { extra_content: { google: { thought_signature: signature } } }),
  }
}
