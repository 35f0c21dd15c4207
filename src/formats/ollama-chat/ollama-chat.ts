import type { ChatFormat, ClientContext } from '../format.ts'
import type { ChatReply } from '../ir/chat-event.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { isJsonObject, jsonFields } from '../ir/json-fields.ts'
import { areWhole, parseArguments } from './call-arguments.ts'
import { type LineContent, OllamaStreamDecoder } from './decode-line.ts'
import { decodeOllamaChatRequest } from './decode-request.ts'
import { encodeOllamaChatRequest } from './encode-request.ts'
import { doneFields, doneReason, rfc3339, tokenList } from './reply-line.ts'
import { replyTexts } from './reply-texts.ts'
import { type LineShape, OllamaStreamEncoder } from './stream-encoder.ts'

const CHAT_LINE: LineShape = {
  text: (text) => `"message":{"role":"assistant","content":${JSON.stringify(text)}}`,
  thinking: (text) => `"message":{"role":"assistant","content":"","thinking":${JSON.stringify(text)}}`,
  call: ({ id, index, name }, argumentsText) =>
    `"message":{"role":"assistant","content":"","tool_calls":[{"id":${JSON.stringify(id)},"function":{"index":${index},"name":${JSON.stringify(name)},"arguments":${argumentsText}}}]}`,
  image: (data) => `"message":{"role":"assistant","content":"","images":[${JSON.stringify(data)}]}`,
}

function readMessage(line: JsonObject): LineContent {
  const message = isJsonObject(line['message']) ? line['message'] : {}
  return { text: message['content'], thinking: message['thinking'], calls: message['tool_calls'] }
}

function encodeChatReply(reply: ChatReply, context: ClientContext): JsonObject {
  const [choice] = reply.choices
  const { text, thinking, images } = replyTexts(choice)
  const reason = choice?.finish?.reason ?? 'stop'
  const made = (choice?.parts ?? []).filter((part) => part.type === 'tool-call')
  // A cut answer leaves calls with half their arguments; nobody should make those.
  const calls = doneReason(reason) === 'stop' ? made : made.filter((call) => areWhole(call.arguments))
  const message = jsonFields({
    role: 'assistant',
    content: text,
    thinking,
    images,
    tool_calls:
      calls.length === 0
        ? undefined
        : calls.map(({ id, name, arguments: given }, index) => ({
            id,
            function: { index, name, arguments: parseArguments(given) },
          })),
  })
  return jsonFields({
    model: reply.model ?? context.request.model,
    created_at: rfc3339(context.now),
    message,
    logprobs: tokenList(choice?.logprobs),
    ...doneFields(reason, reply.usage, context),
  })
}

/** Ollama's own chat. @see https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion */
export const ollamaChat: ChatFormat = {
  name: 'ollama-chat',
  family: 'ollama',
  framing: 'ndjson',
  streamContentType: 'application/x-ndjson',
  decodeRequest: decodeOllamaChatRequest,
  encodeRequest: encodeOllamaChatRequest,
  decodeReply: (body, context) => new OllamaStreamDecoder(context, readMessage).pushReply(body),
  encodeReply: encodeChatReply,
  streamDecoder: (context) => new OllamaStreamDecoder(context, readMessage),
  streamEncoder: (context) => new OllamaStreamEncoder(context, CHAT_LINE),
  // A blank line breaks the Python client; an empty piece of content does not.
  heartbeat: `{"model":"","created_at":"1970-01-01T00:00:00Z",${CHAT_LINE.text('')},"done":false}\n`,
}
