import { z } from 'zod'
import type { ChatRequest, JsonObject, Tool } from '../ir/chat-request.ts'
import { jsonObject } from '../ir/json-fields.ts'
import { parseRequestBody } from '../ir/parse-with.ts'
import { decodeConversation, message } from './decode-messages.ts'
import {
  commonFields,
  decodeFormat,
  decodeOutputLimit,
  decodeSamplingOptions,
  decodeThink,
  otherParameters,
} from './decode-options.ts'

const tool = z.object({
  function: z.object({
    name: z.string(),
    description: z.string().nullish(),
    parameters: jsonObject.nullish(),
  }),
})
const requestSchema = z.looseObject({
  ...commonFields,
  messages: z.array(message).min(1),
  tools: z.array(tool).nullish(),
})
const READ = new Set(Object.keys(requestSchema.shape))

/** @throws KorProxyError KP-SYS-516; @see https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion */
export function decodeOllamaChatRequest(body: JsonObject): ChatRequest {
  const request = parseRequestBody(requestSchema, body)
  const dropped = otherParameters(body, READ)
  const { system, turns } = decodeConversation(request.messages)
  return {
    model: request.model,
    // Ollama streams unless told not to.
    stream: request.stream ?? true,
    includeUsage: true,
    system,
    turns,
    tools: (request.tools ?? []).map(decodeTool),
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

function decodeTool({ function: described }: z.output<typeof tool>): Tool {
  return {
    name: described.name,
    description: described.description ?? undefined,
    parameters: described.parameters ?? undefined,
    strict: undefined,
    origin: { kind: 'function' },
  }
}
