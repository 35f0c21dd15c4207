import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ChatRequest, JsonObject, Reasoning, ResponseFormat, Sampling, TextPart } from '../ir/chat-request.ts'
import { parseRequestBody } from '../ir/parse-with.ts'
import { decodeItems } from './decode-items.ts'
import { decodeToolChoice, decodeTools } from './decode-tools.ts'
import { type ResponsesRequest, requestSchema, type TextFormat } from './request-schema.ts'

/** They name something that OpenAI keeps between requests; without it the model would answer another question. */
const STORED = ['previous_response_id', 'conversation', 'prompt'] as const

/** Parameters that `decodeRequest` reads, or that ask for what happens anyway. */
const READ = new Set<string>([...Object.keys(requestSchema.shape), ...STORED, 'store', 'background', 'truncation'])

/** @throws KorProxyError KP-SYS-516, KP-PROV-112; @see https://platform.openai.com/docs/api-reference/responses/create */
export function decodeResponsesRequest(body: JsonObject): ChatRequest {
  const request = parseRequestBody(requestSchema, body)
  refuseStored(body)
  const dropped = droppedByName(body)
  const tools = decodeTools(request.tools ?? [], dropped)
  const { system, turns } = decodeItems(inputItems(request.input), tools, dropped)
  if (request.text?.verbosity) dropped.add('text.verbosity')
  return {
    model: request.model,
    stream: request.stream ?? false,
    includeUsage: true,
    system: [...instructions(request.instructions), ...system],
    turns,
    tools,
    toolChoice: request.tool_choice ? decodeToolChoice(request.tool_choice, tools, dropped) : undefined,
    parallelToolCalls: request.parallel_tool_calls ?? undefined,
    sampling: decodeSampling(request, dropped),
    maxOutputTokens: request.max_output_tokens ?? undefined,
    responseFormat: decodeTextFormat(request.text?.format ?? undefined),
    reasoning: decodeReasoningOptions(request.reasoning ?? undefined),
    user: request.safety_identifier ?? request.user ?? undefined,
    serviceTier: request.service_tier ?? undefined,
    promptCacheKey: request.prompt_cache_key ?? undefined,
    dropped: [...dropped],
  }
}

function refuseStored(body: JsonObject): void {
  const parameter = STORED.find((name) => body[name] !== undefined && body[name] !== null)
  if (parameter !== undefined) {
    const reason = 'KorProxy stores no responses. Send the whole conversation in input.'
    throw new KorProxyError('KP-PROV-112', { parameter, target: 'a translated request', reason })
  }
  if (body['background'] === true) {
    const reason = 'KorProxy runs no background responses. Leave it out.'
    throw new KorProxyError('KP-PROV-112', { parameter: 'background', target: 'a translated request', reason })
  }
}

function droppedByName(body: JsonObject): Set<string> {
  const dropped = new Set(Object.keys(body).filter((key) => body[key] !== null && !READ.has(key)))
  if (body['store'] === true) dropped.add('store')
  if (body['truncation'] === 'auto') dropped.add('truncation')
  return dropped
}

function inputItems(input: ResponsesRequest['input']): Exclude<ResponsesRequest['input'], string> {
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input
}

function instructions(text: string | null | undefined): TextPart[] {
  return text ? [{ type: 'text', text }] : []
}

/** `reasoning.encrypted_content` needs no asking: replies carry it whenever the provider gives it. */
function decodeSampling(request: ResponsesRequest, dropped: Set<string>): Sampling {
  const include = new Set(request.include ?? [])
  include.delete('reasoning.encrypted_content')
  const logprobs = include.delete('message.output_text.logprobs')
  if (include.size > 0) dropped.add('include')
  return {
    ...(typeof request.temperature === 'number' && { temperature: request.temperature }),
    ...(typeof request.top_p === 'number' && { topP: request.top_p }),
    ...((logprobs || (request.top_logprobs ?? 0) > 0) && { logprobs: true }),
    ...(typeof request.top_logprobs === 'number' && request.top_logprobs > 0 && { topLogprobs: request.top_logprobs }),
  }
}

function decodeTextFormat(format: TextFormat | undefined): ResponseFormat | undefined {
  switch (format?.type) {
    case undefined:
      return undefined
    case 'text':
      return { type: 'text' }
    case 'json_object':
      return { type: 'json' }
    case 'json_schema':
      return {
        type: 'json-schema',
        name: format.name,
        schema: format.schema,
        ...(format.description ? { description: format.description } : {}),
        ...(typeof format.strict === 'boolean' ? { strict: format.strict } : {}),
      }
  }
}

function decodeReasoningOptions(options: ResponsesRequest['reasoning'] | undefined): Reasoning | undefined {
  if (!options) return undefined
  const summary = options.summary ?? options.generate_summary
  return {
    ...(options.effort ? { effort: options.effort } : {}),
    ...(summary ? { includeThoughts: true } : {}),
  }
}
