import type { EncodedRequest, TargetModel } from '../format.ts'
import type { ChatRequest, JsonObject, JsonValue, TextPart, Tool } from '../ir/chat-request.ts'
import { droppedParameters } from '../ir/dropped-parameters.ts'
import { hasCacheHint } from '../ir/has-cache-hint.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { type NameRule, toolNameMap } from '../ir/tool-names.ts'
import { encodeConversation } from './encode-conversation.ts'
import { encodeReasoning, encodeSampling } from './encode-parameters.ts'
import { encodeToolChoice, encodeTools } from './encode-tools.ts'
import type { EncodingContext } from './encoding-context.ts'
import { encodeResponseFormat } from './response-format.ts'
import { shortIdentifier } from './short-identifier.ts'

/** @see https://platform.openai.com/docs/api-reference/chat/create#chat_create-tools */
const TOOL_NAMES: NameRule = { allowed: /[A-Za-z0-9_-]/, maxLength: 64, letterFirst: false }

/** Claude Code's first system block differs in every conversation and would defeat prompt caches; it means nothing to others. */
const BILLING_HEADER = 'x-anthropic-billing-header:'

/** Writes a request for OpenAI and the servers that imitate it. @throws KorProxyError KP-PROV-112 */
export function encodeRequest(request: ChatRequest, target: TargetModel): EncodedRequest {
  const dropped = droppedParameters(target)
  const names = toolNameMap(request.tools, historyNames(request), TOOL_NAMES)
  const stream = request.stream || target.quirks.streamOnly === true
  const format = encodeResponseFormat(request, target, dropped)
  const system = withoutBillingHeader(request.system)
  if (hasCacheHint(request)) dropped.add('cache_control')
  const context = { target, names, dropped }
  const body = jsonFields({
    model: target.id,
    messages: encodeConversation([...system, ...format.instructions], request.turns, context),
    ...(stream && {
      stream,
      ...(target.quirks.streamUsage !== false && { stream_options: { include_usage: true } }),
    }),
    ...encodeMaxTokens(request, target),
    ...encodeToolFields(request, context),
    response_format: format.field,
    ...encodeSampling(request.sampling, context),
    reasoning_effort: encodeReasoning(request.reasoning, context),
    ...encodeAccounting(request, context),
  })
  return {
    body,
    dropped: dropped.list(),
    replyContext: { issuer: target.issuer, toolNames: names.changed, jsonTool: undefined },
  }
}

function historyNames(request: ChatRequest): string[] {
  return request.turns.flatMap((turn) =>
    turn.role === 'assistant' ? turn.parts.flatMap((part) => (part.type === 'tool-call' ? [part.name] : [])) : [],
  )
}

function withoutBillingHeader(system: readonly TextPart[]): readonly TextPart[] {
  return system[0]?.text.startsWith(BILLING_HEADER) === true ? system.slice(1) : system
}

/** OpenAI renamed the field; most servers that imitate it know only the old name. A limit above the model's own is a 400. */
function encodeMaxTokens(request: ChatRequest, { quirks, maxOutputTokens }: TargetModel): JsonObject {
  if (request.maxOutputTokens === undefined) return {}
  const field = quirks.maxTokensField ?? 'max_tokens'
  return { [field]: Math.min(request.maxOutputTokens, maxOutputTokens ?? request.maxOutputTokens) }
}

function encodeToolFields(
  request: ChatRequest,
  context: EncodingContext,
): Readonly<Record<string, JsonValue | undefined>> {
  const tools = offeredTools(request)
  if (tools.length === 0) return {}
  return {
    tools: encodeTools(tools, context),
    tool_choice: encodeToolChoice(request.toolChoice, context),
    parallel_tool_calls: request.parallelToolCalls,
  }
}

/** `allowed_tools` is OpenAI's alone; offering only those tools says the same everywhere. */
function offeredTools(request: ChatRequest): readonly Tool[] {
  const { toolChoice, tools } = request
  if (toolChoice?.type !== 'tools') return tools
  if (toolChoice.names.length === 1 && toolChoice.mode === 'required') return tools
  const allowed = new Set(toolChoice.names)
  return tools.filter((tool) => allowed.has(tool.name))
}

/** OpenAI's own bookkeeping; strict imitators refuse fields that they do not know. */
function encodeAccounting(
  request: ChatRequest,
  { target, dropped }: EncodingContext,
): Readonly<Record<string, JsonValue | undefined>> {
  const isOpenAi = target.issuer === 'openai'
  const { serviceTier, promptCacheKey } = request
  const user = shortIdentifier('user', request.user, dropped)
  if (serviceTier !== undefined && !isOpenAi) dropped.add('service_tier')
  if (promptCacheKey !== undefined && !isOpenAi) dropped.add('prompt_cache_key')
  return {
    user,
    service_tier: isOpenAi ? openAiServiceTier(serviceTier) : undefined,
    prompt_cache_key: isOpenAi ? shortIdentifier('prompt_cache_key', promptCacheKey, dropped) : undefined,
  }
}

/** Anthropic's `standard_only` is OpenAI's `default`. */
function openAiServiceTier(tier: string | undefined): string | undefined {
  return tier === 'standard_only' ? 'default' : tier
}
