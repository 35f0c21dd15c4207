import { z } from 'zod'
import type { RequestPath } from '../format.ts'
import type { ChatRequest, JsonObject } from '../ir/chat-request.ts'
import { jsonObject } from '../ir/json-fields.ts'
import { parseRequestBody } from '../ir/parse-with.ts'
import { protoMessage } from './camel-case.ts'
import { decodeGeminiRequest } from './decode-request.ts'

const countTokensRequest = protoMessage({
  contents: z.custom<JsonObject>().optional(),
  generateContentRequest: jsonObject.optional(),
})

/** Body of `countTokens`: bare contents, or a whole request. @see https://ai.google.dev/api/tokens */
export function decodeCountTokensRequest(body: JsonObject, path: RequestPath): ChatRequest {
  const { generateContentRequest, ...bare } = parseRequestBody(countTokensRequest, body)
  // What is left are fields of the JSON body as they came.
  return decodeGeminiRequest(generateContentRequest ?? (bare as JsonObject), path)
}

/** Reply of `countTokens`. */
export function encodeCountTokensReply(totalTokens: number): JsonObject {
  return { totalTokens }
}
