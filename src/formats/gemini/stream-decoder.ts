import type { Frame, ReplyContext, StreamDecoder } from '../format.ts'
import { brokenReply, readingReply, readReplyChunks } from './reply-chunk.ts'
import { GeminiReplyReader } from './reply-reader.ts'

/** Reads the events of `streamGenerateContent?alt=sse`; the stream has no terminator. */
export function geminiStreamDecoder(context: ReplyContext): StreamDecoder {
  const reader = new GeminiReplyReader(context)
  return {
    push: (frame: Frame) => {
      // Compatible servers end with OpenAI's terminator.
      if (frame.data === '' || frame.data === '[DONE]') return []
      const chunks = readReplyChunks(parseChunkText(frame.data))
      return readingReply(() => chunks.flatMap((chunk) => reader.read(chunk)))
    },
    // A call that is still open was cut off: with an end it would pass for whole.
    end: () => [],
  }
}

function parseChunkText(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    throw brokenReply('a stream event is not JSON', cause)
  }
}
