import type { EncodedRequest, TargetModel } from '../format.ts'
import type { ChatRequest, JsonObject, SystemTurn, ToolChoice, Turn } from '../ir/chat-request.ts'
import { distinctCalls } from '../ir/distinct-calls.ts'
import { droppedParameters } from '../ir/dropped-parameters.ts'
import { hasCacheHint } from '../ir/has-cache-hint.ts'
import { jsonFields } from '../ir/json-fields.ts'
import { MAX_IDENTIFIER_LENGTH } from '../openai-chat/short-identifier.ts'
import { toolParameters } from '../openai-chat/tool-parameters.ts'
import { answerCalls } from './answer-calls.ts'
import { type EncodingContext, encodeAssistantTurn } from './encode-assistant.ts'
import { encodeToolOutput, encodeUserContent } from './encode-content.ts'
import { encodeParameters } from './encode-parameters.ts'
import { encodeToolChoice, encodeTools } from './encode-tools.ts'
import { encodeTextFormat } from './text-format.ts'
import { upstreamToolNames } from './tool-naming.ts'

/** A request without input is a 400; a dot adds no meaning. */
const FILLER: JsonObject = { type: 'message', role: 'user', content: [{ type: 'input_text', text: '.' }] }

/**
 * For models that are served by the Responses API only. Nothing is stored there: the whole conversation goes along, sealed reasoning included.
 * @throws KorProxyError KP-PROV-112
 */
export function encodeResponsesRequest(request: ChatRequest, target: TargetModel): EncodedRequest {
  const dropped = droppedParameters(target)
  const names = upstreamToolNames(request.tools, calledNames(request.turns))
  const context = { target, names, dropped }
  const hasTools = request.tools.length > 0
  const format = encodeTextFormat(request, target, dropped)
  if (hasCacheHint(request)) dropped.add('cache_control')
  const body = jsonFields({
    model: target.id,
    instructions: request.system.length > 0 ? request.system.map((part) => part.text).join('\n\n') : undefined,
    input: encodeTurns(
      [...format.turns, ...answerCalls(distinctCalls(request.turns, MAX_IDENTIFIER_LENGTH), dropped)],
      context,
    ),
    tools: hasTools ? encodeTools(request.tools, names, (tool) => toolParameters(tool, target, dropped)) : undefined,
    tool_choice:
      hasTools && request.toolChoice ? encodeToolChoice(allowedChoice(request.toolChoice, context), names) : undefined,
    parallel_tool_calls: hasTools ? request.parallelToolCalls : undefined,
    ...encodeParameters(request, target, dropped),
    text: format.text,
    store: false,
    stream: request.stream,
  })
  return {
    body,
    dropped: dropped.list(),
    replyContext: { issuer: target.issuer, toolNames: names.changed, jsonTool: undefined },
  }
}

function calledNames(turns: readonly Turn[]): string[] {
  return turns.flatMap((turn) =>
    turn.role === 'assistant' ? turn.parts.flatMap((part) => (part.type === 'tool-call' ? [part.name] : [])) : [],
  )
}

/** A model that cannot be forced to call a tool is left the choice. */
function allowedChoice(choice: ToolChoice, { target, dropped }: EncodingContext): ToolChoice {
  if (target.capabilities.forcedToolUse !== false) return choice
  if (choice.type !== 'required' && !(choice.type === 'tools' && choice.mode === 'required')) return choice
  dropped.add('tool_choice')
  return choice.type === 'tools' ? { ...choice, mode: 'auto' } : { type: 'auto' }
}

function encodeTurns(turns: readonly Turn[], context: EncodingContext): JsonObject[] {
  const customCalls = new Set<string>()
  const items = turns.flatMap((turn) => encodeTurn(turn, customCalls, context))
  return items.length > 0 ? items : [FILLER]
}

/** `customCalls` collects the ids of calls of custom tools: their outputs have an item type of their own. */
function encodeTurn(turn: Turn, customCalls: Set<string>, context: EncodingContext): JsonObject[] {
  switch (turn.role) {
    case 'system':
      return [encodeSystemTurn(turn, context.target)]
    case 'user':
      return [{ type: 'message', role: 'user', content: encodeUserContent(turn.parts, context.target) }]
    case 'assistant':
      for (const part of turn.parts) {
        if (part.type === 'tool-call' && context.names.of(part.name).custom) customCalls.add(part.id)
      }
      return encodeAssistantTurn(turn.parts, context)
    case 'tool':
      return turn.results.map((result) => ({
        type: customCalls.has(result.callId) ? 'custom_tool_call_output' : 'function_call_output',
        call_id: result.callId,
        output: encodeToolOutput(result),
      }))
  }
}

/** An instruction in the middle stays in its place: moved to the front it would mean something else. */
function encodeSystemTurn(turn: SystemTurn, target: TargetModel): JsonObject {
  const text = turn.parts.map((part) => part.text).join('\n\n')
  if (target.quirks.midSystemAs === 'user') {
    const content = [{ type: 'input_text', text: `<system-reminder>\n${text}\n</system-reminder>` }]
    return { type: 'message', role: 'user', content }
  }
  const role = target.quirks.midSystemAs === 'system' ? 'system' : 'developer'
  return { type: 'message', role, content: [{ type: 'input_text', text }] }
}
