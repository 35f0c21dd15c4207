import { KorProxyError } from '#errors/korproxy-error.ts'
import type { RequestPath } from '../format.ts'
import type { ChatRequest, JsonObject } from '../ir/chat-request.ts'
import { parseRequestBody } from '../ir/parse-with.ts'
import { readContents } from './read-contents.ts'
import { readGenerationConfig } from './read-generation-config.ts'
import { readCallingConfig, readDeclarations, toolConfigLosses } from './read-tools.ts'
import { generateContentRequest } from './request-schema.ts'

const CARRIED = new Set([
  'model',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'serviceTier',
  'cachedContent',
])

/** @throws KorProxyError KP-SYS-516, KP-PROV-112; @see https://ai.google.dev/api/generate-content */
export function decodeGeminiRequest(body: JsonObject, path: RequestPath): ChatRequest {
  const request = parseRequestBody(generateContentRequest, body)
  if (request.cachedContent) throw storedElsewhere('cachedContent')
  const { dropped: droppedParts, ...conversation } = readContents(request.contents, request.systemInstruction)
  const { tools, dropped: droppedTools } = readDeclarations(request.tools ?? [])
  const { dropped: droppedConfig, ...config } = readGenerationConfig(request.generationConfig)
  return {
    model: readModelName(path.model ?? request.model),
    stream: path.stream ?? false,
    // Gemini reports usage without being asked.
    includeUsage: true,
    ...conversation,
    tools,
    toolChoice: readCallingConfig(request.toolConfig),
    parallelToolCalls: undefined,
    ...config,
    user: undefined,
    serviceTier: request.serviceTier?.toLowerCase(),
    promptCacheKey: undefined,
    dropped: [
      ...Object.keys(request).filter((key) => !CARRIED.has(key)),
      ...droppedParts,
      ...droppedTools,
      ...toolConfigLosses(request.toolConfig),
      ...droppedConfig,
    ],
  }
}

/** A cache holds the beginning of the conversation: without it another question would be answered. */
function storedElsewhere(parameter: string): KorProxyError {
  const reason = 'KorProxy stores no conversations. Send the whole conversation in contents.'
  return new KorProxyError('KP-PROV-112', { parameter, target: 'a translated request', reason })
}

/** `models/gemini-2.5-flash` is a resource name; the model is its last word. */
export function readModelName(name: string | undefined): string {
  if (name === undefined || name === '') throw new KorProxyError('KP-SYS-516', { message: 'model: is missing' })
  return name.replace(/^models\//, '')
}
