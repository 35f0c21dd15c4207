import type { ReplyContext } from '../format.ts'
import type { ChatEvent } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { brokenReply, readingReply, readReplyChunks } from './reply-chunk.ts'
import { GeminiReplyReader } from './reply-reader.ts'

/** Reads the reply of `generateContent`. @throws KorProxyError KP-PROV-109 */
export function decodeGeminiReply(body: JsonObject, context: ReplyContext): ChatEvent[] {
  const reader = new GeminiReplyReader(context)
  const events = readingReply(() => readReplyChunks(body).flatMap((chunk) => reader.read(chunk)))
  if (events.length === 0) throw brokenReply('neither candidates nor an error')
  return events
}
