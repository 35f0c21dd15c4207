import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ChatRequest, JsonObject } from '../ir/chat-request.ts'
import { parseRequestBody } from '../ir/parse-with.ts'
import {
  commonFields,
  decodeFormat,
  decodeOutputLimit,
  decodeSamplingOptions,
  decodeThink,
  otherParameters,
} from '../ollama-chat/decode-options.ts'
import { readImage } from '../ollama-chat/image-bytes.ts'

const requestSchema = z.looseObject({
  ...commonFields,
  prompt: z.string().min(1),
  system: z.string().nullish(),
  images: z.array(z.string()).nullish(),
  suffix: z.string().nullish(),
  context: z.array(z.number()).nullish(),
})
const READ = new Set(Object.keys(requestSchema.shape))

/** @throws KorProxyError KP-SYS-516, KP-PROV-112; @see https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-completion */
export function decodeOllamaGenerateRequest(body: JsonObject): ChatRequest {
  const request = parseRequestBody(requestSchema, body)
  if (request.suffix) throw onlyOllama('suffix', 'chat models do not fill in the middle.')
  if (request.context?.length) throw onlyOllama('context', 'only the server that made these tokens can read them.')
  const dropped = otherParameters(body, READ)
  return {
    model: request.model,
    // Ollama streams unless told not to.
    stream: request.stream ?? true,
    includeUsage: true,
    system: request.system ? [{ type: 'text', text: request.system }] : [],
    turns: [
      { role: 'user', parts: [{ type: 'text', text: request.prompt }, ...(request.images ?? []).map(readImage)] },
    ],
    tools: [],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    sampling: decodeSamplingOptions(request, dropped),
    maxOutputTokens: decodeOutputLimit(request),
    responseFormat: decodeFormat(request.format),
    reasoning: decodeThink(request.think),
    user: undefined,
    serviceTier: undefined,
    promptCacheKey: undefined,
    dropped: [...dropped],
  }
}

function onlyOllama(parameter: string, reason: string): KorProxyError {
  return new KorProxyError('KP-PROV-112', { parameter, target: 'a translated request', reason })
}
