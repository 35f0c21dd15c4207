import type { EncodedRequest, TargetModel } from '../format.ts'
import type {
  ChatRequest,
  JsonObject,
  JsonValue,
  Reasoning,
  ReasoningEffort,
  ResponseFormat,
  Tool,
} from '../ir/chat-request.ts'
import { distinctCalls } from '../ir/distinct-calls.ts'
import { type DroppedParameters, droppedParameters } from '../ir/dropped-parameters.ts'
import { hasCacheHint } from '../ir/has-cache-hint.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { encodeTurn } from './encode-messages.ts'

/** @throws KorProxyError KP-PROV-112; @see https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion */
export function encodeOllamaChatRequest(request: ChatRequest, target: TargetModel): EncodedRequest {
  const dropped = droppedParameters(target)
  reportUnsupported(request, dropped)
  const tools = callableTools(request, dropped)
  const context = { target, dropped, calledNames: new Map<string, string>() }
  const system = request.system.map((part) => part.text).join('\n\n')
  const options = encodeOptions(request, target)
  const body = jsonFields({
    model: target.id,
    messages: [
      ...(request.system.length > 0 ? [{ role: 'system', content: system }] : []),
      ...distinctCalls(request.turns).flatMap((turn) => encodeTurn(turn, context)),
    ],
    tools: tools.length > 0 ? tools.map((tool) => encodeTool(tool, dropped)) : undefined,
    format: encodeFormat(request.responseFormat),
    options: Object.keys(options).length > 0 ? options : undefined,
    think: encodeThink(request.reasoning, target, dropped),
    logprobs: request.sampling.logprobs,
    top_logprobs: request.sampling.topLogprobs,
    // Always said, for Ollama streams when it is not.
    stream: request.stream,
  })
  return {
    body,
    dropped: dropped.list(),
    replyContext: { issuer: target.issuer, toolNames: new Map(), jsonTool: undefined },
  }
}

function reportUnsupported(request: ChatRequest, dropped: DroppedParameters): void {
  if ((request.sampling.n ?? 1) > 1) dropped.addOrRefuse('n', 'Ollama gives one answer.')
  if (request.sampling.logitBias !== undefined) dropped.add('logit_bias')
  if (request.parallelToolCalls === false && request.tools.length > 0) dropped.add('parallel_tool_calls')
  if (request.user !== undefined) dropped.add('user')
  if (request.serviceTier !== undefined) dropped.add('service_tier')
  if (request.promptCacheKey !== undefined) dropped.add('prompt_cache_key')
  if (hasCacheHint(request)) dropped.add('cache_control')
}

/** Ollama has no tool choice: tools that may not be called are not offered, and no call can be forced. */
function callableTools({ tools, toolChoice }: ChatRequest, dropped: DroppedParameters): readonly Tool[] {
  switch (toolChoice?.type) {
    case undefined:
    case 'auto':
      return tools
    case 'none':
      return []
    case 'required':
      dropped.add('tool_choice')
      return tools
    case 'tools': {
      if (toolChoice.mode === 'required') dropped.add('tool_choice')
      const allowed = new Set(toolChoice.names)
      return tools.filter((tool) => allowed.has(tool.name))
    }
  }
}

function encodeTool({ name, description, parameters, strict }: Tool, dropped: DroppedParameters): JsonObject {
  if (strict === true) dropped.add('tools.strict')
  const shape = parameters ?? { type: 'object', properties: {} }
  return { type: 'function', function: jsonFields({ name, description, parameters: shape }) }
}

function encodeFormat(format: ResponseFormat | undefined): JsonValue | undefined {
  switch (format?.type) {
    case undefined:
    case 'text':
      return undefined
    case 'json':
      return 'json'
    case 'json-schema':
      return format.schema
  }
}

/** Without `num_ctx` Ollama cuts long prompts silently to its default context. */
function encodeOptions({ sampling, maxOutputTokens }: ChatRequest, target: TargetModel): JsonObject {
  return jsonFields({
    num_ctx: target.quirks.numCtx,
    num_predict: maxOutputTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    seed: sampling.seed,
    presence_penalty: sampling.presencePenalty,
    frequency_penalty: sampling.frequencyPenalty,
    stop: sampling.stop === undefined || sampling.stop.length === 0 ? undefined : sampling.stop,
  })
}

/** Thinking is asked only of models that are known to think: others answer 400. Levels go only to models that have them. */
function encodeThink(
  reasoning: Reasoning | undefined,
  { capabilities }: TargetModel,
  dropped: DroppedParameters,
): JsonValue | undefined {
  if (reasoning === undefined) return undefined
  const off = reasoning.effort === 'none' || reasoning.budgetTokens === 0
  if (off) return capabilities.reasoning === false || capabilities.thinkingAlwaysOn === true ? undefined : false
  if (reasoning.effort === undefined && reasoning.budgetTokens === undefined && reasoning.adaptive !== true) {
    return undefined
  }
  if (capabilities.reasoning !== true) {
    dropped.add('reasoning')
    return undefined
  }
  return capabilities.thinkingLevel === true ? levelOf(reasoning) : true
}

const LEVELS: Readonly<Record<ReasoningEffort, string>> = {
  none: 'low',
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}

function levelOf({ effort, budgetTokens }: Reasoning): string {
  if (effort !== undefined) return LEVELS[effort]
  if (budgetTokens === undefined || budgetTokens < 0) return 'medium'
  if (budgetTokens < 2048) return 'low'
  return budgetTokens < 8192 ? 'medium' : 'high'
}
