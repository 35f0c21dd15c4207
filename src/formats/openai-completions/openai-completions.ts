import type { ChatFormat } from '../format.ts'
import { HEARTBEAT, STREAM_CONTENT_TYPE } from '../sse/write-event.ts'
import { decodeReply, streamDecoder } from './decode-reply.ts'
import { decodeRequest } from './decode-request.ts'
import { encodeReply } from './encode-reply.ts'
import { streamEncoder } from './stream-encoder.ts'

/** The legacy completions that vLLM, Ollama, DeepSeek and Qwen still serve: spoken to clients and passed through, never translated to. */
export const openaiCompletions: ChatFormat = {
  name: 'openai-completions',
  family: 'openai',
  framing: 'sse',
  streamContentType: STREAM_CONTENT_TYPE,
  decodeRequest,
  decodeReply,
  encodeReply,
  streamDecoder,
  streamEncoder,
  heartbeat: HEARTBEAT,
}
