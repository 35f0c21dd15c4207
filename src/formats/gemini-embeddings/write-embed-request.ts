import { KorProxyError } from '#errors/korproxy-error.ts'
import type { TargetModel } from '../format.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import type { EmbeddingInput, EmbeddingRequest } from '../ir/embedding.ts'

/** One `EmbedContentRequest`. @throws KorProxyError KP-PROV-112 for token arrays */
export function writeEmbedRequest(input: EmbeddingInput, request: EmbeddingRequest, target: TargetModel): JsonObject {
  if (input.kind === 'tokens') {
    throw new KorProxyError('KP-PROV-112', {
      parameter: 'input',
      target: 'gemini',
      reason: 'tokens are numbers of another tokenizer; send text',
    })
  }
  return {
    model: modelResource(target.id),
    content: { parts: [{ text: input.text }] },
    ...(request.taskType === undefined ? {} : { taskType: request.taskType }),
    ...(request.title === undefined ? {} : { title: request.title }),
    ...(request.dimensions === undefined ? {} : { outputDimensionality: request.dimensions }),
  }
}

/** What Google's embeddings have no field for. Base64 is written by the client's own format. */
export function droppedEmbeddingFields(request: EmbeddingRequest): string[] {
  return request.user === undefined ? [] : ['user']
}

export function modelResource(model: string): string {
  return `models/${model.replace(/^models\//, '')}`
}
