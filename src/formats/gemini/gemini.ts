import type { ChatFormat } from '../format.ts'
import { decodeGeminiReply } from './decode-reply.ts'
import { decodeGeminiRequest } from './decode-request.ts'
import { encodeGeminiReply } from './encode-reply.ts'
import { encodeGeminiRequest } from './encode-request.ts'
import { geminiStreamDecoder } from './stream-decoder.ts'
import { geminiStreamEncoder } from './stream-encoder.ts'
import { withoutThoughts } from './without-thoughts.ts'

/** Google's `generateContent` and `streamGenerateContent`. @see https://ai.google.dev/api/generate-content */
export const gemini: ChatFormat = {
  name: 'gemini',
  family: 'gemini',
  framing: 'sse',
  streamContentType: 'text/event-stream',
  decodeRequest: decodeGeminiRequest,
  encodeRequest: encodeGeminiRequest,
  withoutThinking: withoutThoughts,
  decodeReply: decodeGeminiReply,
  encodeReply: encodeGeminiReply,
  streamDecoder: geminiStreamDecoder,
  streamEncoder: geminiStreamEncoder,
  // A comment would make Google's clients fail; a blank line is nothing to any of them.
  heartbeat: '\r\n\r\n',
}
