import type { ClientContext } from '../format.ts'
import type { ChatReply, ReplyChoice, ReplyPart } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { writeGrounding } from './map-citations.ts'
import { writeLogprobs } from './map-logprobs.ts'
import { writeGeminiUsage } from './map-usage.ts'
import {
  isCutOff,
  writeCall,
  writeFinishReason,
  writeImage,
  writeRedactedThought,
  writeThought,
} from './write-reply-part.ts'

/** Reply of `generateContent`. @see https://ai.google.dev/api/generate-content#generatecontentresponse */
export function encodeGeminiReply(reply: ChatReply, context: ClientContext): JsonObject {
  return {
    candidates: reply.choices.map((choice) => writeCandidate(choice, context)),
    ...(reply.usage === undefined ? {} : { usageMetadata: writeGeminiUsage(reply.usage, context) }),
    modelVersion: reply.model ?? context.request.model,
    responseId: reply.id ?? context.newId(),
  }
}

function writeCandidate(choice: ReplyChoice, context: ClientContext): JsonObject {
  const thoughts = context.request.reasoning?.includeThoughts !== false
  const citations = choice.parts.flatMap((part) => (part.type === 'text' ? part.citations : []))
  const parts = writeParts(choice, thoughts)
  const { finish } = choice
  return {
    content: { role: 'model', parts: parts.length > 0 ? parts : [{ text: '' }] },
    ...(finish === undefined ? {} : { finishReason: writeFinishReason(finish.reason) }),
    ...(finish?.explanation === undefined ? {} : { finishMessage: finish.explanation }),
    index: choice.index,
    ...(citations.length > 0 ? { groundingMetadata: writeGrounding(citations) } : {}),
    ...(choice.logprobs === undefined ? {} : { logprobsResult: writeLogprobs(choice.logprobs) }),
  }
}

function writeParts(choice: ReplyChoice, thoughts: boolean): JsonObject[] {
  const written: JsonObject[] = []
  let calls = 0
  for (const part of choice.parts) {
    if (part.type === 'thinking' && !thoughts) continue
    if (part.type !== 'tool-call') written.push(writePart(part))
    else if (!isCutOff(part, choice.finish?.reason)) {
      written.push(writeCall(part, calls))
      calls += 1
    }
  }
  return written
}

function writePart(part: Exclude<ReplyPart, { type: 'tool-call' }>): JsonObject {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return { text: part.text }
    case 'thinking':
      return writeThought(part.text, part.signature)
    case 'redacted-thinking':
      return writeRedactedThought(part.data)
    case 'image':
      return writeImage(part.mediaType, part.data)
  }
}
