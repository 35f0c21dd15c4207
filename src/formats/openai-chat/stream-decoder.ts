import type { Frame, ReplyContext, StreamDecoder } from '../format.ts'
import { parseFrame } from '../sse/parse-frame.ts'
import { ChunkDecoder } from './chunk-decoder.ts'

const TERMINATOR = '[DONE]'

/** Decodes `chat.completion.chunk` events. Hot: one `JSON.parse` a frame and no schema. */
export function streamDecoder(context: ReplyContext): StreamDecoder {
  const decoder = new ChunkDecoder(context)
  return {
    push: (frame: Frame) => {
      if (isTerminator(frame)) return []
      const chunk = parseFrame(frame)
      // A few servers name the event instead of wrapping the error.
      return decoder.push(frame.event === 'error' && chunk['error'] === undefined ? { error: chunk } : chunk)
    },
    end: () => decoder.end(),
  }
}

export function isTerminator({ data }: Frame): boolean {
  return data.length < 16 && data.trim() === TERMINATOR
}
