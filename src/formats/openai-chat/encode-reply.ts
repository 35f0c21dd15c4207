import type { ClientContext } from '../format.ts'
import type { ChatReply, ReplyChoice, ReplyPart } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { tagSignature } from '../ir/signature.ts'
import { writeFinishReason } from './map-finish-reason.ts'
import { replyHead } from './reply-head.ts'
import { writeAnnotation, writeImage } from './write-media.ts'
import { callFields, isLegacy, writeCall } from './write-tool-call.ts'
import { writeUsage } from './write-usage.ts'

/** Writes a `chat.completion`. */
export function encodeReply(reply: ChatReply, context: ClientContext): JsonObject {
  const { id, created, model } = replyHead(reply, context)
  return jsonFields({
    id,
    object: 'chat.completion',
    created,
    model,
    choices: reply.choices.map((choice) => encodeChoice(choice, context)),
    usage: reply.usage === undefined ? undefined : writeUsage(reply.usage, context),
  })
}

function encodeChoice({ index, parts, finish, logprobs }: ReplyChoice, context: ClientContext): JsonObject {
  const calls = parts.filter((part) => part.type === 'tool-call')
  const written = calls.map((call) => writeCall(call, context.request, finish?.reason))
  const reason = finish === undefined ? null : writeFinishReason(finish.reason)
  const legacy = isLegacy(context.request)
  return {
    index,
    message: jsonFields({
      role: 'assistant',
      content: encodeContent(parts),
      refusal: encodeRefusal(parts, finish?.explanation),
      ...encodeThinking(parts),
      images: listOrNothing(parts.flatMap((part) => (part.type === 'image' ? [writeImage(part)] : []))),
      annotations: listOrNothing(encodeAnnotations(parts)),
      ...callFields(written, legacy),
    }),
    logprobs: logprobs ?? null,
    finish_reason: legacy && reason === 'tool_calls' ? 'function_call' : reason,
  }
}

/** `null` where the model said nothing in words but did something else. */
function encodeContent(parts: readonly ReplyPart[]): string | null {
  const texts = parts.filter((part) => part.type === 'text')
  if (texts.length === 0 && parts.some((part) => part.type === 'tool-call' || part.type === 'refusal')) return null
  return texts.map((part) => part.text).join('')
}

function encodeRefusal(parts: readonly ReplyPart[], explanation: string | undefined): string | null {
  const refusals = parts.filter((part) => part.type === 'refusal')
  return refusals.length > 0 ? refusals.map((part) => part.text).join('') : (explanation ?? null)
}

/** Plain text for all clients; blocks with their signatures for those that send them back. */
function encodeThinking(parts: readonly ReplyPart[]): JsonObject {
  const blocks = parts.filter((part) => part.type === 'thinking' || part.type === 'redacted-thinking')
  if (blocks.length === 0) return {}
  const text = blocks.map((part) => (part.type === 'thinking' ? part.text : '')).join('')
  const details = blocks.map((part, index): JsonObject => {
    if (part.type === 'redacted-thinking') {
      return { type: 'reasoning.encrypted', data: tagSignature(part.data), index }
    }
    const signature = part.signature === undefined ? undefined : tagSignature(part.signature)
    return jsonFields({ type: 'reasoning.text', text: part.text, signature, index })
  })
  return { ...(text !== '' && { reasoning_content: text }), reasoning_details: details }
}

/** A citation covers the text part that it stands in. */
function encodeAnnotations(parts: readonly ReplyPart[]): readonly JsonObject[] {
  let end = 0
  return parts.flatMap((part): readonly JsonObject[] => {
    if (part.type !== 'text') return []
    const start = end
    end += part.text.length
    return part.citations.flatMap((citation): JsonObject[] => {
      const annotation = writeAnnotation(citation, { start, end })
      return annotation === undefined ? [] : [annotation]
    })
  })
}

function listOrNothing(list: readonly JsonObject[]): readonly JsonObject[] | undefined {
  return list.length > 0 ? list : undefined
}
