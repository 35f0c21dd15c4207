import type { TargetModel } from '../format.ts'
import type { AssistantPart, JsonObject, RedactedThinkingPart, ThinkingPart, ToolCallPart } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { signatureFor } from '../ir/signature.ts'
import { unwrapCustomInput } from './custom-input.ts'
import type { WireToolNames } from './tool-naming.ts'

export interface EncodingContext {
  readonly target: TargetModel
  readonly names: WireToolNames
  readonly dropped: DroppedParameters
}

/** One assistant turn is as many items as it has thoughts, texts and calls. */
export function encodeAssistantTurn(parts: readonly AssistantPart[], context: EncodingContext): JsonObject[] {
  const items: JsonObject[] = []
  let said: JsonObject[] = []
  const finishMessage = () => {
    if (said.length > 0) items.push({ type: 'message', role: 'assistant', content: said })
    said = []
  }
  for (const [at, part] of parts.entries()) {
    switch (part.type) {
      case 'text':
        said.push({ type: 'output_text', text: part.text })
        break
      case 'refusal':
        said.push({ type: 'refusal', refusal: part.text })
        break
      case 'tool-call':
        finishMessage()
        items.push(encodeToolCall(part, context.names))
        break
      case 'thinking':
      case 'redacted-thinking': {
        finishMessage()
        const item = encodeThought(part, parts[at - 1], parts[at + 1], context)
        if (item !== undefined) items.push(item)
        break
      }
      case 'image':
        context.dropped.add('input.image')
        break
    }
  }
  finishMessage()
  return items
}

function encodeToolCall(call: ToolCallPart, names: WireToolNames): JsonObject {
  const { name, namespace, custom } = names.of(call.name)
  if (custom) {
    const input = unwrapCustomInput(call.arguments)
    return jsonFields({ type: 'custom_tool_call', call_id: call.id, name, namespace, input })
  }
  const text = call.arguments === '' ? '{}' : call.arguments
  return jsonFields({ type: 'function_call', call_id: call.id, name, namespace, arguments: text })
}

/**
 * A sealed blob goes back to its issuer with the summary that stands before it; what others made is refused by every provider and left out.
 * Readable thoughts without a blob go only to servers that are known to read them.
 */
function encodeThought(
  part: ThinkingPart | RedactedThinkingPart,
  before: AssistantPart | undefined,
  after: AssistantPart | undefined,
  { target, dropped }: EncodingContext,
): JsonObject | undefined {
  if (part.type === 'redacted-thinking') {
    const sealed = signatureFor(target.issuer, part.data)
    if (sealed === undefined) {
      dropped.add('input.reasoning')
      return undefined
    }
    return sealedItem(part.id, before?.type === 'thinking' ? before.text : '', sealed)
  }
  if (after?.type === 'redacted-thinking' && signatureFor(target.issuer, after.data) !== undefined) return undefined
  const signature = signatureFor(target.issuer, part.signature)
  if (signature !== undefined) return sealedItem(undefined, part.text, signature)
  if (target.quirks.replayReasoning === true && part.signature === undefined) {
    return { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: part.text }] }
  }
  dropped.add('input.reasoning')
  return undefined
}

function sealedItem(id: string | undefined, summary: string, sealed: string): JsonObject {
  return jsonFields({
    type: 'reasoning',
    id,
    summary: summary === '' ? [] : [{ type: 'summary_text', text: summary }],
    encrypted_content: sealed,
  })
}
