import type { ChatFormat } from '../format.ts'
import { decodeMessage } from './decode-reply.ts'
import { decodeMessagesRequest } from './decode-request.ts'
import { encodeMessage } from './encode-reply.ts'
import { encodeMessagesRequest } from './encode-request.ts'
import { AnthropicStreamDecoder } from './stream-decoder.ts'
import { AnthropicStreamEncoder } from './stream-encoder.ts'
import { withoutThinking } from './without-thinking.ts'

/** Anthropic Messages: https://platform.claude.com/docs/en/api/messages */
export const anthropic: ChatFormat = {
  name: 'anthropic',
  family: 'anthropic',
  framing: 'sse',
  streamContentType: 'text/event-stream; charset=utf-8',
  decodeRequest: decodeMessagesRequest,
  encodeRequest: encodeMessagesRequest,
  withoutThinking,
  decodeReply: decodeMessage,
  encodeReply: encodeMessage,
  streamDecoder: (context) => new AnthropicStreamDecoder(context),
  streamEncoder: (context) => new AnthropicStreamEncoder(context),
  heartbeat: 'event: ping\ndata: {"type":"ping"}\n\n',
}
