import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { protoMessage, protoNumber } from '../gemini/camel-case.ts'
import { content } from '../gemini/request-schema.ts'
import type { EmbeddingInput } from '../ir/embedding.ts'

/** @see https://ai.google.dev/api/embeddings#EmbedContentRequest */
export const embedContentRequest = protoMessage({
  model: z.string().optional(),
  content,
  taskType: z.string().optional(),
  title: z.string().optional(),
  outputDimensionality: protoNumber.optional(),
})
export type EmbedContentRequest = z.output<typeof embedContentRequest>

const CARRIED = new Set(['model', 'content', 'taskType', 'title', 'outputDimensionality'])

export function uncarriedFields(request: EmbedContentRequest): string[] {
  return Object.keys(request).filter((key) => !CARRIED.has(key))
}

/** Several text parts are one input. @throws KorProxyError KP-PROV-112 for anything but text */
export function readEmbeddingInput(request: EmbedContentRequest, field: string): EmbeddingInput {
  const parts = request.content.parts ?? []
  if (parts.some((part) => part.text === undefined)) {
    throw new KorProxyError('KP-PROV-112', {
      parameter: field,
      target: 'other formats',
      reason: 'only text can be embedded',
    })
  }
  return { kind: 'text', text: parts.map((part) => part.text).join('') }
}
