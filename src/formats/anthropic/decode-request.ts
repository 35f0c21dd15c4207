import type {
  ChatRequest,
  JsonObject,
  Reasoning,
  ResponseFormat,
  Sampling,
  TextPart,
  Turn,
} from '../ir/chat-request.ts'
import { parseRequestBody } from '../ir/parse-with.ts'
import { decodeCache, decodeMessages } from './decode-messages.ts'
import { decodeForcing, decodeToolDefinitions } from './decode-tools.ts'
import { Losses } from './losses.ts'
import { type RequestBody, requestSchema } from './request-schema.ts'

const BODY_KEYS = new Set([
  'model',
  'max_tokens',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'stop_sequences',
  'stream',
  'metadata',
  'temperature',
  'top_p',
  'top_k',
])
/** Claude Code's first system block: it differs from conversation to conversation and would defeat prompt caches elsewhere. */
const BILLING_HEADER = 'x-anthropic-billing-header:'

/** Reads https://platform.claude.com/docs/en/api/messages. @throws KorProxyError KP-SYS-516, KP-PROV-112 */
export function decodeMessagesRequest(body: JsonObject): ChatRequest {
  return decodeBody(parseRequestBody(requestSchema, body))
}

export function decodeBody(body: RequestBody): ChatRequest {
  const losses = new Losses()
  losses.addUnknownKeys(body, BODY_KEYS, '')
  const { leading, turns } = splitLeadingSystem(decodeMessages(body.messages, losses))
  const tools = decodeToolDefinitions(body.tools ?? [], losses)
  const request = {
    model: body.model,
    stream: body.stream === true,
    includeUsage: true,
    system: [...readSystemPrompt(body.system ?? [], losses), ...leading],
    turns,
    tools,
    toolChoice: decodeForcing(body.tool_choice, tools, losses),
    parallelToolCalls: body.tool_choice?.disable_parallel_tool_use === true ? false : undefined,
    sampling: readSampling(body),
    maxOutputTokens: body.max_tokens ?? undefined,
    responseFormat: readOutputFormat(body, losses),
    reasoning: readThinking(body, losses),
    user: body.metadata?.user_id ?? undefined,
    serviceTier: undefined,
    promptCacheKey: undefined,
  }
  return { ...request, dropped: losses.names }
}

function readSystemPrompt(system: NonNullable<RequestBody['system']>, losses: Losses): TextPart[] {
  if (typeof system === 'string') return system === '' ? [] : [{ type: 'text', text: system }]
  return system.flatMap((block): TextPart[] => {
    if (!block.text.startsWith(BILLING_HEADER)) {
      return [{ type: 'text', text: block.text, ...decodeCache(block.cache_control) }]
    }
    losses.add('system.billing_header')
    return []
  })
}

function splitLeadingSystem(turns: readonly Turn[]): { leading: TextPart[]; turns: Turn[] } {
  const first = turns.findIndex((turn) => turn.role !== 'system')
  const count = first === -1 ? turns.length : first
  return {
    leading: turns.slice(0, count).flatMap((turn) => (turn.role === 'system' ? turn.parts : [])),
    turns: turns.slice(count),
  }
}

function readSampling(body: RequestBody): Sampling {
  return {
    ...(typeof body.temperature === 'number' && { temperature: body.temperature }),
    ...(typeof body.top_p === 'number' && { topP: body.top_p }),
    ...(typeof body.top_k === 'number' && { topK: body.top_k }),
    ...(body.stop_sequences && body.stop_sequences.length > 0 && { stop: body.stop_sequences }),
  }
}

/** `output_format` is the name of the first beta, still sent by some SDKs. */
function readOutputFormat(body: RequestBody, losses: Losses): ResponseFormat | undefined {
  const format = body.output_config?.format ?? body.output_format
  if (format === null || format === undefined) return undefined
  if (format.type === 'json_schema' && format.schema) {
    return { type: 'json-schema', name: 'response', schema: format.schema, strict: true }
  }
  losses.add('output_config.format')
  return undefined
}

/** @see https://platform.claude.com/docs/en/build-with-claude/thinking */
function readThinking(body: RequestBody, losses: Losses): Reasoning | undefined {
  const effort = body.output_config?.effort ?? undefined
  const { thinking } = body
  if (!thinking) return effort === undefined ? undefined : { effort }
  if (thinking.type === 'disabled') return { effort: 'none' }
  const shared = { ...(effort !== undefined && { effort }), includeThoughts: thinking.display !== 'omitted' }
  if (thinking.type === 'enabled' && typeof thinking.budget_tokens === 'number') {
    return { ...shared, budgetTokens: thinking.budget_tokens }
  }
  if (thinking.type !== 'adaptive') losses.add(`thinking.${thinking.type}`)
  return { ...shared, adaptive: true }
}
