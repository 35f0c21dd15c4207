import type { EmbeddingFormat, TargetModel } from '../format.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import type { EmbeddingInput, EmbeddingReply, EmbeddingRequest } from '../ir/embedding.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { decodeEmbeddingRequest } from './decode-embedding-request.ts'
import { decodeEmbeddings } from './decode-embeddings.ts'
import { encodeVector } from './vector-base64.ts'

/** @see https://platform.openai.com/docs/api-reference/embeddings */
export const openaiEmbeddings: EmbeddingFormat = {
  name: 'openai-embeddings',
  family: 'openai',
  decodeRequest: decodeEmbeddingRequest,
  encodeRequest: encodeEmbeddingRequest,
  decodeReply: decodeEmbeddings,
  encodeReply: encodeEmbeddings,
}

/** Floats are asked for, which every server knows; the client still gets the encoding that it asked for. */
function encodeEmbeddingRequest(
  request: EmbeddingRequest,
  target: TargetModel,
): { readonly body: JsonObject; readonly dropped: readonly string[] } {
  const { dimensions, user, taskType, title } = request
  return {
    body: jsonFields({
      model: target.id,
      input: request.inputs.map(encodeInput),
      encoding_format: 'float',
      dimensions,
      user,
    }),
    dropped: [...(taskType === undefined ? [] : ['taskType']), ...(title === undefined ? [] : ['title'])],
  }
}

function encodeInput(input: EmbeddingInput): string | readonly number[] {
  return input.kind === 'text' ? input.text : input.tokens
}

function encodeEmbeddings(reply: EmbeddingReply, request: EmbeddingRequest): JsonObject {
  const tokens = reply.inputTokens ?? 0
  return {
    object: 'list',
    data: reply.vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: request.encoding === 'base64' ? encodeVector(vector) : vector,
    })),
    model: reply.model ?? request.model,
    // SDKs read these two, so they are there even when the provider does not count.
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}
