import type { ChatFormat } from '../format.ts'
import { HEARTBEAT, STREAM_CONTENT_TYPE } from '../sse/write-event.ts'
import { decodeReply } from './decode-reply.ts'
import { decodeRequest } from './decode-request.ts'
import { encodeReply } from './encode-reply.ts'
import { encodeRequest } from './encode-request.ts'
import { inspectReply } from './inspect-reply.ts'
import { streamDecoder } from './stream-decoder.ts'
import { streamEncoder } from './stream-encoder.ts'
import { withoutThinking } from './without-thinking.ts'

/** OpenAI Chat Completions, the format that most providers imitate. @see https://platform.openai.com/docs/api-reference/chat */
export const openaiChat: ChatFormat = {
  name: 'openai-chat',
  family: 'openai',
  framing: 'sse',
  streamContentType: STREAM_CONTENT_TYPE,
  decodeRequest,
  encodeRequest,
  withoutThinking,
  decodeReply,
  inspectReply,
  encodeReply,
  streamDecoder,
  streamEncoder,
  heartbeat: HEARTBEAT,
}
