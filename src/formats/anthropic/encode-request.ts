import type { EncodedRequest, TargetModel } from '../format.ts'
import type { ChatRequest, JsonObject } from '../ir/chat-request.ts'
import { type DroppedParameters, droppedParameters } from '../ir/dropped-parameters.ts'
import { limitBreakpoints } from './cache-breakpoints.ts'
import { type AnswerFormat, encodeFormat } from './encode-format.ts'
import { samplingFields } from './encode-sampling.ts'
import { chooseThinking, type ThinkingSetting } from './encode-thinking.ts'
import { canForce, encodeToolUse, toolNames } from './encode-tools.ts'
import { encodeTurns, systemBlocks } from './encode-turns.ts'
import { sendableTurns } from './sendable-turns.ts'

/** `metadata.user_id` may have this many characters. */
const MAX_USER_ID = 512
/** @see https://platform.claude.com/docs/en/api/service-tiers OpenAI's name → Anthropic's. */
const SERVICE_TIERS: ReadonlyMap<string, string> = new Map<string, string>([
  ['auto', 'auto'],
  ['default', 'standard_only'],
])

/** Writes https://platform.claude.com/docs/en/api/messages. @throws KorProxyError KP-PROV-112 */
export function encodeMessagesRequest(original: ChatRequest, target: TargetModel): EncodedRequest {
  const dropped = droppedParameters(target)
  const request = { ...original, turns: sendableTurns(original.turns, target, dropped) }
  const thinking = chooseThinking(request, target, dropped)
  const isThinking = thinking.mode === 'manual' || thinking.mode === 'adaptive'
  const isManualThinking = thinking.mode === 'manual'
  const format = encodeFormat(request, target, dropped)
  if (asksForImageDetail(request)) dropped.add('image_url.detail')
  const names = toolNames(request)
  const canPrefill = target.capabilities.prefill === true && !isThinking
  const body = limitBreakpoints({
    model: target.id,
    max_tokens: thinking.maxTokens,
    ...systemPrompt(request, format, canForce(target, isManualThinking)),
    messages: encodeTurns(request.turns, { target, names, dropped, canPrefill }),
    ...encodeToolUse(request, { names, target, isManualThinking, jsonTool: format.tool, dropped }),
    ...reasoningAndFormat(thinking, format),
    ...samplingFields(request, { target, isThinking, dropped }),
    ...userAndTier(request, dropped),
    ...(request.stream && { stream: true }),
  })
  const jsonTool = format.tool?.['name']
  return {
    body,
    dropped: dropped.list(),
    replyContext: {
      issuer: target.issuer,
      toolNames: names.changed,
      jsonTool: typeof jsonTool === 'string' ? jsonTool : undefined,
    },
  }
}

function asksForImageDetail({ turns }: ChatRequest): boolean {
  const parts = turns.flatMap((turn) => (turn.role === 'user' ? turn.parts : []))
  return parts.some((part) => part.type === 'image' && part.detail !== undefined && part.detail !== 'auto')
}

/** A tool that cannot be forced is asked for in words. */
function systemPrompt(request: ChatRequest, format: AnswerFormat, isForced: boolean): JsonObject {
  const blocks = systemBlocks(request.system)
  if (format.instruction !== undefined && !(format.tool !== undefined && isForced)) {
    blocks.push({ type: 'text', text: format.instruction })
  }
  return blocks.length > 0 ? { system: blocks } : {}
}

function reasoningAndFormat({ thinking, effort }: ThinkingSetting, { native }: AnswerFormat): JsonObject {
  const config = { ...(effort !== undefined && { effort }), ...(native !== undefined && { format: native }) }
  return {
    ...(thinking !== undefined && { thinking }),
    ...(Object.keys(config).length > 0 && { output_config: config }),
  }
}

function userAndTier(request: ChatRequest, dropped: DroppedParameters): JsonObject {
  const { user, serviceTier, promptCacheKey } = request
  const tier = SERVICE_TIERS.get(serviceTier ?? '')
  if (serviceTier !== undefined && tier === undefined) dropped.add('service_tier')
  if (promptCacheKey !== undefined) dropped.add('prompt_cache_key')
  const isUserTaken = user !== undefined && user !== '' && user.length <= MAX_USER_ID
  if (user !== undefined && !isUserTaken) dropped.add('user')
  return {
    ...(isUserTaken && { metadata: { user_id: user } }),
    ...(tier !== undefined && { service_tier: tier }),
  }
}
