import type { ChatFormat, ClientContext } from '../format.ts'
import type { ChatReply } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { type LineContent, OllamaStreamDecoder } from '../ollama-chat/decode-line.ts'
import { doneFields, rfc3339, tokenList } from '../ollama-chat/reply-line.ts'
import { replyTexts } from '../ollama-chat/reply-texts.ts'
import { type LineShape, OllamaStreamEncoder } from '../ollama-chat/stream-encoder.ts'
import { decodeOllamaGenerateRequest } from './decode-request.ts'

const GENERATE_LINE: LineShape = {
  text: (text) => `"response":${JSON.stringify(text)}`,
  thinking: (text) => `"response":"","thinking":${JSON.stringify(text)}`,
  call: undefined,
  image: (data) => `"response":"","image":${JSON.stringify(data)}`,
}

function readResponse(line: JsonObject): LineContent {
  return { text: line['response'], thinking: line['thinking'], calls: undefined }
}

function encodeGenerateReply(reply: ChatReply, context: ClientContext): JsonObject {
  const [choice] = reply.choices
  const { text, thinking, images } = replyTexts(choice)
  return jsonFields({
    model: reply.model ?? context.request.model,
    created_at: rfc3339(context.now),
    response: text,
    thinking,
    image: images?.[0],
    logprobs: tokenList(choice?.logprobs),
    ...doneFields(choice?.finish?.reason ?? 'stop', reply.usage, context),
  })
}

/** Ollama's completion: a client's format only. @see https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-completion */
export const ollamaGenerate: ChatFormat = {
  name: 'ollama-generate',
  family: 'ollama',
  framing: 'ndjson',
  streamContentType: 'application/x-ndjson',
  decodeRequest: decodeOllamaGenerateRequest,
  decodeReply: (body, context) => new OllamaStreamDecoder(context, readResponse).pushReply(body),
  encodeReply: encodeGenerateReply,
  streamDecoder: (context) => new OllamaStreamDecoder(context, readResponse),
  streamEncoder: (context) => new OllamaStreamEncoder(context, GENERATE_LINE),
  heartbeat: `{"model":"","created_at":"1970-01-01T00:00:00Z",${GENERATE_LINE.text('')},"done":false}\n`,
}
