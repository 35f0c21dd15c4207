import { KorProxyError } from '#errors/korproxy-error.ts'
import type { EmbeddingRequest } from '../ir/embedding.ts'

/** @throws KorProxyError KP-PROV-112 for token arrays: Ollama would count them with another tokenizer */
export function inputTexts(request: EmbeddingRequest, target: string): string[] {
  return request.inputs.map((input) => {
    if (input.kind === 'text') return input.text
    const reason = 'Ollama takes text, not tokens. Send the text itself.'
    throw new KorProxyError('KP-PROV-112', { parameter: 'input (token array)', target, reason })
  })
}

/** Parameters of other formats that have no place here. */
export function otherEmbeddingParameters(request: EmbeddingRequest): string[] {
  return [
    ...(request.taskType === undefined ? [] : ['taskType']),
    ...(request.title === undefined ? [] : ['title']),
    ...(request.user === undefined ? [] : ['user']),
  ]
}
