import type { ChatRequest, JsonObject } from '../ir/chat-request.ts'
import { parseRequestBody } from '../ir/parse-with.ts'
import { decodeBody } from './decode-request.ts'
import { countTokensSchema } from './request-schema.ts'

/** The body of a message request without `max_tokens`: https://platform.claude.com/docs/en/api/messages-count-tokens. @throws KorProxyError KP-SYS-516 */
export function decodeCountTokensRequest(body: JsonObject): ChatRequest {
  return decodeBody(parseRequestBody(countTokensSchema, body))
}

export function encodeCountTokensReply(inputTokens: number): JsonObject {
  return { input_tokens: inputTokens }
}
