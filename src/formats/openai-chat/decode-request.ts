import { KorProxyError } from '#errors/korproxy-error.ts'
import { objectsOf } from '../ir/change-objects.ts'
import type { ChatRequest, JsonObject, Reasoning, ResponseFormat } from '../ir/chat-request.ts'
import { parseRequestBody } from '../ir/parse-with.ts'
import { decodeMessages } from './decode-messages.ts'
import { decodeSampling } from './decode-sampling.ts'
import { decodeToolChoice, decodeTools } from './decode-tools.ts'
import { type ChatBody, chatRequestSchema, MESSAGE_MEMBERS } from './request-schema.ts'

/** Reads a chat completions request. @throws KorProxyError KP-SYS-516, KP-PROV-112 */
export function decodeRequest(body: JsonObject): ChatRequest {
  const chat = parseRequestBody(chatRequestSchema, body)
  if (chat.modalities?.includes('audio') === true) {
    throw new KorProxyError('KP-PROV-112', {
      parameter: 'modalities: audio',
      target: chat.model,
      reason: 'spoken answers exist only between clients and providers of the OpenAI chat format',
    })
  }
  const dropped = unknownParameters(body)
  if (chat.user != null && chat.safety_identifier != null) dropped.add('safety_identifier')
  addUnknownMembers(body, dropped)
  const { system, turns } = decodeMessages(chat.messages, dropped)
  return {
    model: chat.model,
    stream: chat.stream ?? false,
    includeUsage: chat.stream_options?.include_usage ?? false,
    system,
    turns,
    tools: decodeTools(chat, dropped),
    toolChoice: decodeToolChoice(chat),
    // `function_call` holds a single call.
    parallelToolCalls: chat.parallel_tool_calls ?? (chat.functions == null ? undefined : false),
    sampling: decodeSampling(chat),
    maxOutputTokens: chat.max_completion_tokens ?? chat.max_tokens ?? undefined,
    responseFormat: decodeResponseFormat(chat.response_format),
    reasoning: decodeReasoning(chat),
    user: chat.user ?? chat.safety_identifier ?? undefined,
    serviceTier: chat.service_tier ?? undefined,
    promptCacheKey: chat.prompt_cache_key ?? undefined,
    dropped: [...dropped],
  }
}

/** `null` counts as absent, as it does at OpenAI. */
function unknownParameters(body: JsonObject): Set<string> {
  return new Set(Object.keys(body).filter((key) => body[key] !== null && !Object.hasOwn(chatRequestSchema.shape, key)))
}

/** What servers and gateways add to messages comes back with the history; empty it means nothing. */
function addUnknownMembers(body: JsonObject, dropped: Set<string>): void {
  for (const message of objectsOf(body['messages'])) {
    const known = MESSAGE_MEMBERS.get(message['role'])
    for (const [name, value] of Object.entries(message)) {
      const isEmpty = value === null || (Array.isArray(value) && value.length === 0)
      if (!isEmpty && known?.has(name) === false) dropped.add(`messages.${name}`)
    }
  }
}

function decodeResponseFormat(format: ChatBody['response_format']): ResponseFormat | undefined {
  switch (format?.type) {
    case undefined:
      return undefined
    case 'text':
      return { type: 'text' }
    case 'json_object':
      return { type: 'json' }
    case 'json_schema': {
      const { name, description, schema, strict } = format.json_schema
      return {
        type: 'json-schema',
        name,
        ...(description != null && { description }),
        schema: schema ?? {},
        ...(strict != null && { strict }),
      }
    }
  }
}

/** OpenAI's field, then OpenRouter's object, then Qwen's two. */
function decodeReasoning(chat: ChatBody): Reasoning | undefined {
  const { reasoning } = chat
  const isOff = reasoning?.enabled === false || chat.enable_thinking === false
  const effort = chat.reasoning_effort ?? reasoning?.effort ?? (isOff ? 'none' : undefined)
  const budgetTokens = reasoning?.max_tokens ?? chat.thinking_budget
  const isOn = reasoning?.enabled === true || chat.enable_thinking === true
  const decoded: Reasoning = {
    ...(effort !== undefined && { effort }),
    ...(budgetTokens != null && !isOff && { budgetTokens }),
    ...(isOn && effort === undefined && budgetTokens == null && { adaptive: true }),
    ...(reasoning?.exclude != null && { includeThoughts: !reasoning.exclude }),
  }
  return Object.keys(decoded).length > 0 ? decoded : undefined
}
