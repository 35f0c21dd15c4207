import { z } from 'zod'
import type { JsonObject } from '../ir/chat-request.ts'
import type { EmbeddingInput, EmbeddingRequest } from '../ir/embedding.ts'
import { parseRequestBody } from '../ir/parse-with.ts'

const tokens = z.array(z.number()).min(1)

/** @see https://platform.openai.com/docs/api-reference/embeddings/create */
const schema = z.object({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string()).min(1), tokens, z.array(tokens).min(1)]),
  dimensions: z.number().nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  user: z.string().nullish(),
})

export function decodeEmbeddingRequest(body: JsonObject): EmbeddingRequest {
  const request = parseRequestBody(schema, body)
  return {
    model: request.model,
    inputs: decodeInputs(request.input),
    dimensions: request.dimensions ?? undefined,
    encoding: request.encoding_format ?? 'float',
    taskType: undefined,
    title: undefined,
    user: request.user ?? undefined,
    dropped: Object.keys(body).filter((key) => body[key] !== null && !Object.hasOwn(schema.shape, key)),
  }
}

/** One list of numbers is one text in tokens. */
function decodeInputs(input: z.output<typeof schema>['input']): readonly EmbeddingInput[] {
  if (typeof input === 'string') return [{ kind: 'text', text: input }]
  const numbers = input.filter((item) => typeof item === 'number')
  if (numbers.length > 0) return [{ kind: 'tokens', tokens: numbers }]
  return input.flatMap((item): EmbeddingInput[] => {
    if (typeof item === 'string') return [{ kind: 'text', text: item }]
    return typeof item === 'number' ? [] : [{ kind: 'tokens', tokens: item }]
  })
}
