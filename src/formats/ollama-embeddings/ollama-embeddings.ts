import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { EmbeddingFormat } from '../format.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import type { EmbeddingRequest } from '../ir/embedding.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { parseReplyBody, parseRequestBody } from '../ir/parse-with.ts'
import { otherParameters } from '../ollama-chat/decode-options.ts'
import { inputTexts, otherEmbeddingParameters } from './embed-inputs.ts'

const embedRequest = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string())]),
  dimensions: z.int().positive().nullish(),
})
const embedReply = z.looseObject({
  model: z.string().optional(),
  embeddings: z.array(z.array(z.number())),
  prompt_eval_count: z.number().optional(),
})
const embeddingsRequest = z.looseObject({ model: z.string(), prompt: z.string() })
const embeddingsReply = z.looseObject({ embedding: z.array(z.number()) })

const EMBED_READ = new Set(Object.keys(embedRequest.shape))
const EMBEDDINGS_READ = new Set(Object.keys(embeddingsRequest.shape))

function textRequest(
  model: string,
  texts: readonly string[],
  dimensions: number | undefined,
  dropped: ReadonlySet<string>,
): EmbeddingRequest {
  return {
    model,
    inputs: texts.map((text) => ({ kind: 'text', text })),
    dimensions,
    encoding: 'float',
    taskType: undefined,
    title: undefined,
    user: undefined,
    dropped: [...dropped],
  }
}

/** @see https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings */
export const ollamaEmbed: EmbeddingFormat = {
  name: 'ollama-embed',
  family: 'ollama',
  decodeRequest: (body: JsonObject) => {
    const { model, input, dimensions } = parseRequestBody(embedRequest, body)
    const texts = typeof input === 'string' ? [input] : input
    return textRequest(model, texts, dimensions ?? undefined, otherParameters(body, EMBED_READ))
  },
  encodeRequest: (request, target) => ({
    body: jsonFields({ model: target.id, input: inputTexts(request, target.id), dimensions: request.dimensions }),
    dropped: otherEmbeddingParameters(request),
  }),
  decodeReply: (body) => {
    const { model, embeddings, prompt_eval_count: inputTokens } = parseReplyBody(embedReply, body)
    return { model, vectors: embeddings, inputTokens }
  },
  encodeReply: (reply, request) => ({
    model: reply.model ?? request.model,
    embeddings: reply.vectors,
    total_duration: 0,
    load_duration: 0,
    prompt_eval_count: reply.inputTokens ?? 0,
  }),
}

/** The older endpoint: one text, one vector, no count. @see https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embedding */
export const ollamaEmbeddings: EmbeddingFormat = {
  name: 'ollama-embeddings',
  family: 'ollama',
  decodeRequest: (body: JsonObject) => {
    const { model, prompt } = parseRequestBody(embeddingsRequest, body)
    return textRequest(model, [prompt], undefined, otherParameters(body, EMBEDDINGS_READ))
  },
  encodeRequest: (request, target) => {
    const [prompt, ...more] = inputTexts(request, target.id)
    if (prompt === undefined || more.length > 0) {
      const reason = '/api/embeddings takes exactly one text.'
      throw new KorProxyError('KP-PROV-112', { parameter: 'input', target: target.id, reason })
    }
    const dimensions = request.dimensions === undefined ? [] : ['dimensions']
    return { body: { model: target.id, prompt }, dropped: [...dimensions, ...otherEmbeddingParameters(request)] }
  },
  decodeReply: (body) => {
    const { embedding } = parseReplyBody(embeddingsReply, body)
    return { model: undefined, vectors: [embedding], inputTokens: undefined }
  },
  encodeReply: (reply) => ({ embedding: reply.vectors[0] ?? [] }),
}
