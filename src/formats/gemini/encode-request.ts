import type { EncodedRequest, TargetModel } from '../format.ts'
import type { ChatRequest, JsonObject } from '../ir/chat-request.ts'
import { type DroppedParameters, droppedParameters } from '../ir/dropped-parameters.ts'
import { hasCacheHint } from '../ir/has-cache-hint.ts'
import { type NameRule, toolNameMap } from '../ir/tool-names.ts'
import type { GeminiTarget } from './gemini-target.ts'
import { historyToolNames, writeContents } from './write-contents.ts'
import { writeGenerationConfig } from './write-generation-config.ts'
import { writeTools } from './write-tools.ts'

/** Letters, digits, `_`, `.`, `:` and `-`. @see https://ai.google.dev/api/caching#FunctionDeclaration */
const TOOL_NAMES: NameRule = { allowed: /[a-zA-Z0-9_.:-]/, maxLength: 64, letterFirst: true }

/**
 * Body of `generateContent`; model and verb stand in the path, see `geminiPath`.
 * Left out and listed: parallel_tool_calls, logit_bias, user, service_tier (other than flex and priority), prompt_cache_key,
 * cache_control, tools.strict; by capability temperature, top_p, top_k, tool_choice, reasoning_effort; stop sequences beyond the
 * fifth; of the history the thinking of others, arguments that are not an object, and calls and results without each other.
 * @throws KorProxyError KP-PROV-112 for media that Gemini cannot read
 * @see https://ai.google.dev/api/generate-content
 */
export function encodeGeminiRequest(request: ChatRequest, model: TargetModel): EncodedRequest {
  const toolNames = toolNameMap(request.tools, historyToolNames(request.turns), TOOL_NAMES)
  const dropped = droppedParameters(model)
  const target: GeminiTarget = { model, toolNames, dropped }
  const { config, instruction } = writeGenerationConfig(request, target)
  const tools = writeTools(request, target)
  reportLeftOut(request, dropped)
  const tier = SERVICE_TIERS.get(request.serviceTier ?? '')
  return {
    body: {
      contents: writeContents(request, target),
      ...writeSystemInstruction(request, instruction),
      ...tools,
      ...(Object.keys(config).length > 0 ? { generationConfig: config } : {}),
      ...(tier === undefined ? {} : { serviceTier: tier }),
    },
    dropped: dropped.list(),
    replyContext: { issuer: model.issuer, toolNames: toolNames.changed, jsonTool: undefined },
  }
}

const SERVICE_TIERS: ReadonlyMap<string, string> = new Map([
  ['flex', 'flex'],
  ['priority', 'priority'],
])
/** What happens anyway when no tier is asked for. */
const DEFAULT_TIERS = new Set(['auto', 'default', 'standard', 'unspecified'])

function writeSystemInstruction(request: ChatRequest, instruction: string | undefined): JsonObject {
  const texts = [...request.system.map(({ text }) => text), instruction ?? ''].filter((text) => text !== '')
  return texts.length === 0 ? {} : { systemInstruction: { parts: texts.map((text) => ({ text })) } }
}

function reportLeftOut(request: ChatRequest, dropped: DroppedParameters): void {
  const tier = request.serviceTier ?? 'auto'
  if (request.parallelToolCalls === false) dropped.add('parallel_tool_calls')
  if (request.sampling.logitBias !== undefined) dropped.add('logit_bias')
  if (request.user !== undefined) dropped.add('user')
  if (!SERVICE_TIERS.has(tier) && !DEFAULT_TIERS.has(tier)) dropped.add('service_tier')
  if (request.promptCacheKey !== undefined) dropped.add('prompt_cache_key')
  if (hasCacheHint(request)) dropped.add('cache_control')
}
