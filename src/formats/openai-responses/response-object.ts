import type { ClientContext } from '../format.ts'
import type { FinishReason, Usage } from '../ir/chat-event.ts'
import type { ChatOptions, JsonObject, ResponseFormat, Tool } from '../ir/chat-request.ts'
import { jsonFields } from '../ir/json-fields.ts'
import type { ToolParameters } from '../openai-chat/tool-parameters.ts'
import { encodeToolChoice, encodeTools } from './encode-tools.ts'
import { clientToolNames } from './tool-naming.ts'

export interface ResponseHead {
  readonly id: string
  /** Unix time in seconds. */
  readonly createdAt: number
  readonly model: string
  readonly context: ClientContext
}

export interface ResponseState {
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed'
  readonly output: readonly JsonObject[]
  readonly usage: Usage | undefined
  readonly error: JsonObject | null
  readonly incompleteReason: string | undefined
}

export const IN_PROGRESS: ResponseState = {
  status: 'in_progress',
  output: [],
  usage: undefined,
  error: null,
  incompleteReason: undefined,
}

/** The upstream's id stays when it is one of this format. `idPart` is new and URL-safe. */
export function responseHead(
  context: ClientContext,
  idPart: string,
  start: {
    readonly id?: string | undefined
    readonly model?: string | undefined
    readonly createdAt?: number | undefined
  },
): ResponseHead {
  return {
    id: start.id?.startsWith('resp_') ? start.id : `resp_${idPart}`,
    createdAt: start.createdAt ?? Math.floor(context.now / 1000),
    model: start.model ?? context.request.model,
    context,
  }
}

/** @see https://platform.openai.com/docs/api-reference/responses/object */
export function responseObject(head: ResponseHead, state: ResponseState, echo: JsonObject): JsonObject {
  return {
    id: head.id,
    object: 'response',
    created_at: head.createdAt,
    status: state.status,
    error: state.error,
    incomplete_details: state.incompleteReason === undefined ? null : { reason: state.incompleteReason },
    model: head.model,
    output: state.output,
    usage: state.usage === undefined ? null : encodeUsage(state.usage, head.context),
    ...echo,
  }
}

/** What a response repeats of its request; SDKs have these as required fields. */
export function requestEcho(request: ChatOptions): JsonObject {
  const names = clientToolNames(request.tools)
  const { temperature, topP, topLogprobs } = request.sampling
  return jsonFields({
    background: false,
    instructions: request.system.length > 0 ? request.system.map((part) => part.text).join('\n\n') : null,
    max_output_tokens: request.maxOutputTokens ?? null,
    metadata: {},
    parallel_tool_calls: request.parallelToolCalls ?? true,
    previous_response_id: null,
    prompt_cache_key: request.promptCacheKey,
    reasoning: {
      effort: request.reasoning?.effort ?? null,
      summary: request.reasoning?.includeThoughts === true ? 'auto' : null,
    },
    service_tier: request.serviceTier ?? 'default',
    store: false,
    temperature: temperature ?? 1,
    text: { format: echoFormat(request.responseFormat) },
    tool_choice: request.toolChoice === undefined ? 'auto' : encodeToolChoice(request.toolChoice, names),
    tools: encodeTools(request.tools, names, parametersAsSent),
    top_logprobs: topLogprobs ?? 0,
    top_p: topP ?? 1,
    truncation: 'disabled',
    user: request.user,
  })
}

function echoFormat(format: ResponseFormat | undefined): JsonObject {
  switch (format?.type) {
    case undefined:
    case 'text':
      return { type: 'text' }
    case 'json':
      return { type: 'json_object' }
    case 'json-schema': {
      const { name, description, schema, strict } = format
      return jsonFields({ type: 'json_schema', name, description, schema, strict })
    }
  }
}

/** A provider that did not count the prompt (Ollama, of one that it had cached) leaves it to the estimate. */
function encodeUsage(usage: Usage, context: ClientContext): JsonObject {
  const input = usage.input ?? context.estimatedInputTokens
  const output = usage.output ?? 0
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cachedInput ?? 0, cache_write_tokens: usage.cacheWriteInput ?? 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
    total_tokens: input + output,
  }
}

/** What a finish means here; a paused turn cannot be resumed by this format's clients, so it counts as cut short. */
export function finishState(reason: FinishReason): Pick<ResponseState, 'status' | 'incompleteReason'> {
  switch (reason) {
    case 'stop':
    case 'stop-sequence':
    case 'tool-calls':
      return { status: 'completed', incompleteReason: undefined }
    case 'length':
    case 'context-window':
    case 'pause':
      return { status: 'incomplete', incompleteReason: 'max_output_tokens' }
    case 'content-filter':
      return { status: 'incomplete', incompleteReason: 'content_filter' }
  }
}

function parametersAsSent({ parameters, strict }: Tool): ToolParameters {
  return { parameters: parameters ?? { type: 'object', properties: {} }, strict }
}
