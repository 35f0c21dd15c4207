import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import type { EmbeddingReply } from '../ir/embedding.ts'
import { parseReplyBody } from '../ir/parse-with.ts'
import { decodeVector } from './vector-base64.ts'

const schema = z.object({
  model: z.string().nullish(),
  data: z.array(z.object({ index: z.number().nullish(), embedding: z.union([z.string(), z.array(z.number())]) })),
  usage: z.object({ prompt_tokens: z.number().nullish(), total_tokens: z.number().nullish() }).nullish(),
})

/** Vectors in the order of the inputs, whatever the order in the reply. @throws KorProxyError KP-PROV-109 */
export function decodeEmbeddings(body: JsonObject): EmbeddingReply {
  const { model, data, usage } = parseReplyBody(schema, body)
  const sorted = data
    .map(({ index, embedding }, at) => ({ index: index ?? at, embedding }))
    .toSorted((a, b) => a.index - b.index)
  return {
    model: model ?? undefined,
    vectors: sorted.map(({ embedding }) => (typeof embedding === 'string' ? readBase64(embedding) : embedding)),
    inputTokens: usage?.prompt_tokens ?? usage?.total_tokens ?? undefined,
  }
}

function readBase64(text: string): readonly number[] {
  try {
    return decodeVector(text)
  } catch (error) {
    throw brokenVector(error)
  }
}

function brokenVector(cause: unknown): KorProxyError {
  return new KorProxyError('KP-PROV-109', { reason: 'an embedding is not base64 of float32 values' }, { cause })
}
