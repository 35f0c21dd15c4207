import type { Frame, ReplyContext, StreamDecoder } from '../format.ts'
import type { ChatEvent } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { ChunkDecoder } from '../openai-chat/chunk-decoder.ts'
import { decodeReply } from '../openai-chat/decode-reply.ts'
import { readObjects } from '../openai-chat/read-fields.ts'
import { isTerminator } from '../openai-chat/stream-decoder.ts'
import { parseFrame } from '../sse/parse-frame.ts'

export function decodeCompletion(body: JsonObject, context: ReplyContext): ChatEvent[] {
  return decodeReply('choices' in body ? asChat(body) : body, context)
}

export function completionStreamDecoder(context: ReplyContext): StreamDecoder {
  const decoder = new ChunkDecoder(context)
  return {
    push: (frame: Frame) => (isTerminator(frame) ? [] : decoder.push(asChat(parseFrame(frame)))),
    end: () => decoder.end(),
  }
}

/** A completion differs from a chat reply in one field: the text stands in the choice itself. */
function asChat(body: JsonObject): JsonObject {
  const choices = readObjects(body['choices']).map(
    ({ index, text, finish_reason }): JsonObject => ({
      index: index ?? 0,
      delta: { content: text ?? '' },
      finish_reason: finish_reason ?? null,
    }),
  )
  return { ...body, choices }
}
