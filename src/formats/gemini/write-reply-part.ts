import type { FinishReason, ReplyPart } from '../ir/chat-event.ts'
import type { JsonObject, Signature } from '../ir/chat-request.ts'
import { parseJsonObject } from '../ir/parse-json-object.ts'
import { CLIENT_MARKER, writeThoughtSignature } from './thought-signature.ts'

/** A tool call whose arguments are complete. */
export type ReplyCall = Omit<Extract<ReplyPart, { type: 'tool-call' }>, 'type'>

export function writeThought(text: string, signature: Signature | undefined): JsonObject {
  if (signature === undefined) return { text, thought: true }
  return { text, thought: true, thoughtSignature: writeThoughtSignature(signature) }
}

/** Encrypted thinking hangs on an empty text, as Gemini itself sends it at the end of a stream. */
export function writeRedactedThought(data: Signature): JsonObject {
  return { text: '', thoughtSignature: writeThoughtSignature(data) }
}

export function writeImage(mimeType: string, data: string): JsonObject {
  return { inlineData: { mimeType, data } }
}

/** The first call of a reply must carry a signature, or Gemini 3 refuses the history when it is asked next. */
export function writeCall(call: ReplyCall, callsBefore: number): JsonObject {
  const own = call.signature === undefined ? undefined : writeThoughtSignature(call.signature)
  const thoughtSignature = own ?? (callsBefore === 0 ? CLIENT_MARKER : undefined)
  return {
    functionCall: { id: call.id, name: call.name, args: parseJsonObject(call.arguments) ?? {} },
    ...(thoughtSignature === undefined ? {} : { thoughtSignature }),
  }
}

/** A call that the token limit cut off: running it with other arguments would be worse than not at all. */
export function isCutOff(call: ReplyCall, reason: FinishReason | undefined): boolean {
  const cut = reason === 'length' || reason === 'context-window'
  return cut && call.arguments.trim() !== '' && parseJsonObject(call.arguments) === undefined
}

const FINISH_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: 'STOP',
  'stop-sequence': 'STOP',
  'tool-calls': 'STOP',
  length: 'MAX_TOKENS',
  'context-window': 'MAX_TOKENS',
  // The turn is not over; only a limit says so in this format.
  pause: 'MAX_TOKENS',
  'content-filter': 'SAFETY',
}

/** @see https://ai.google.dev/api/generate-content#FinishReason */
export function writeFinishReason(reason: FinishReason): string {
  return FINISH_REASONS[reason]
}
