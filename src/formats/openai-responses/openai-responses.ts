import type { ChatFormat } from '../format.ts'
import { decodeResponsesReply } from './decode-reply.ts'
import { decodeResponsesRequest } from './decode-request.ts'
import { encodeResponsesReply } from './encode-reply.ts'
import { encodeResponsesRequest } from './encode-request.ts'
import { ResponsesStreamDecoder } from './stream-decoder.ts'
import { ResponsesStreamEncoder } from './stream-encoder.ts'
import { withoutReasoning } from './without-reasoning.ts'

/** OpenAI Responses: what Codex speaks, and the only way to some models. @see https://platform.openai.com/docs/api-reference/responses */
export const openaiResponses: ChatFormat = {
  name: 'openai-responses',
  family: 'openai',
  framing: 'sse',
  streamContentType: 'text/event-stream; charset=utf-8',
  decodeRequest: decodeResponsesRequest,
  encodeRequest: encodeResponsesRequest,
  withoutThinking: withoutReasoning,
  decodeReply: decodeResponsesReply,
  encodeReply: encodeResponsesReply,
  streamDecoder: (context) => new ResponsesStreamDecoder(context),
  streamEncoder: (context) => new ResponsesStreamEncoder(context),
  heartbeat: ': kp\n\n',
}
