import type { ClientContext } from '../format.ts'
import { writeCallSignature } from '../ir/call-signature.ts'
import type { ChatReply, ReplyPart } from '../ir/chat-event.ts'
import type { JsonObject, Signature } from '../ir/chat-request.ts'
import { parseJsonObject } from '../ir/parse-json-object.ts'
import { writeBlockSignature } from './block-signature.ts'
import { encodeCitation, imageNotice } from './encode-citation.ts'
import { encodeFinish } from './encode-finish.ts'
import { messageId, ToolIds } from './reply-identity.ts'
import { encodeMessageUsage } from './usage.ts'

/** Writes https://platform.claude.com/docs/en/api/messages/create; a message has one choice, so the first one counts. */
export function encodeMessage(reply: ChatReply, context: ClientContext): JsonObject {
  const choice = reply.choices[0]
  const parts = choice?.parts ?? []
  const ids = new ToolIds(context)
  return {
    id: messageId(reply.id, context),
    type: 'message',
    role: 'assistant',
    model: reply.model ?? context.request.model,
    content: parts.flatMap((part) => encodeContentBlocks(part, ids)),
    ...encodeFinish(choice?.finish, {
      hasToolCalls: parts.some(({ type }) => type === 'tool-call'),
      hasRefusal: parts.some(({ type }) => type === 'refusal'),
    }),
    usage: encodeMessageUsage(reply.usage ?? {}, {
      input: context.estimatedInputTokens,
      output: outputEstimate(parts.reduce((sum, part) => sum + partLength(part), 0)),
    }),
  }
}

/** Some four characters a token: only where the provider counted nothing. */
export function outputEstimate(characters: number): number {
  return Math.ceil(characters / 4)
}

function encodeContentBlocks(part: ReplyPart, ids: ToolIds): JsonObject[] {
  switch (part.type) {
    case 'text': {
      const citations = part.citations.map(encodeCitation).filter((citation) => citation !== undefined)
      if (part.text === '' && citations.length === 0) return []
      return [{ type: 'text', text: part.text, ...(citations.length > 0 && { citations }) }]
    }
    case 'thinking':
      return [thinkingBlock(part.text, part.signature && writeBlockSignature(part.signature))]
    case 'redacted-thinking':
      return [{ type: 'redacted_thinking', data: writeBlockSignature(part.data) }]
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }]
    case 'tool-call':
      return [
        ...callSignatureBlock(part.signature),
        { type: 'tool_use', id: ids.take(part.id), name: part.name, input: readToolInput(part.arguments) ?? {} },
      ]
    case 'image':
      return [{ type: 'text', text: imageNotice(part.mediaType) }]
  }
}

function thinkingBlock(thinking: string, signature: string | undefined): JsonObject {
  return { type: 'thinking', thinking, signature: signature ?? '' }
}

function callSignatureBlock(signature: Signature | undefined): JsonObject[] {
  return signature === undefined ? [] : [thinkingBlock('', writeCallSignature(signature))]
}

/** `input` must be an object, so no arguments are an empty one; undefined for text that is no JSON object. */
export function readToolInput(text: string): JsonObject | undefined {
  return text === '' ? {} : parseJsonObject(text)
}

function partLength(part: ReplyPart): number {
  switch (part.type) {
    case 'text':
    case 'thinking':
    case 'refusal':
      return part.text.length
    case 'tool-call':
      return part.name.length + part.arguments.length
    case 'redacted-thinking':
    case 'image':
      return 0
  }
}
