import type { ChatFormat } from '../format.ts'
import { HEARTBEAT, STREAM_CONTENT_TYPE } from '../sse/write-event.ts'
import { completionStreamEncoder } from './completion-stream-encoder.ts'
import { completionStreamDecoder, decodeCompletion } from './decode-completion.ts'
import { decodeCompletionRequest } from './decode-completion-request.ts'
import { encodeCompletion } from './encode-completion.ts'

/** The legacy completions that vLLM, Ollama, DeepSeek and Qwen still serve: spoken to clients and passed through, never translated to. */
export const openaiCompletions: ChatFormat = {
  name: 'openai-completions',
  family: 'openai',
  framing: 'sse',
  streamContentType: STREAM_CONTENT_TYPE,
  decodeRequest: decodeCompletionRequest,
  decodeReply: decodeCompletion,
  encodeReply: encodeCompletion,
  streamDecoder: completionStreamDecoder,
  streamEncoder: completionStreamEncoder,
  heartbeat: HEARTBEAT,
}
