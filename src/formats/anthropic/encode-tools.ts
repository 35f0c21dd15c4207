import type { TargetModel } from '../format.ts'
import type { ChatRequest, JsonObject, Tool } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { type ToolNameMap, toolNameMap } from '../ir/tool-names.ts'
import { cacheControl } from './encode-content.ts'
import { structuredSchema } from './structured-schema.ts'
import { toolInputSchema } from './tool-input-schema.ts'

/** @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools */
const NAME_RULE = { allowed: /[a-zA-Z0-9_-]/, maxLength: 128, letterFirst: false }
const ANY_INPUT: JsonObject = { type: 'object', properties: {} }
const CUSTOM_SCHEMA: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
}

export function toolNames(request: ChatRequest): ToolNameMap {
  return toolNameMap(request.tools, namesInHistory(request), NAME_RULE)
}

export interface ToolsSetting {
  readonly names: ToolNameMap
  readonly target: TargetModel
  /** `thinking: {type: enabled}` bears no forced tool: https://platform.claude.com/docs/en/build-with-claude/thinking */
  readonly isManualThinking: boolean
  /** The tool that stands for a JSON answer. */
  readonly jsonTool: JsonObject | undefined
  readonly dropped: DroppedParameters
}

/** `tools` and `tool_choice`, or nothing. */
export function encodeToolUse(request: ChatRequest, setting: ToolsSetting): JsonObject {
  const tools = [
    ...offeredTools(request, setting.jsonTool).map((tool) => toolDefinition(tool, setting)),
    ...(setting.jsonTool === undefined ? [] : [setting.jsonTool]),
  ]
  if (tools.length > 0) return { tools, ...toolChoice(request, setting) }
  const past = namesInHistory(request)
  if (past.length === 0) return {}
  return {
    tools: past.map((name) => ({
      name: setting.names.encode(name),
      input_schema: ANY_INPUT,
    })),
    tool_choice: { type: 'none' },
  }
}

/** Whether a tool may be forced on this model with this thinking. */
export function canForce(target: TargetModel, isManualThinking: boolean): boolean {
  return target.capabilities.forcedToolUse !== false && !isManualThinking
}

/** A history with tool calls is refused when no tool is defined. */
function namesInHistory(request: ChatRequest): string[] {
  const names = request.turns.flatMap((turn) => (turn.role === 'assistant' ? turn.parts : []))
  return [...new Set(names.flatMap((part) => (part.type === 'tool-call' ? [part.name] : [])))]
}

/** Anthropic has no choice among several tools: the others are not offered. */
function offeredTools({ tools, toolChoice: choice }: ChatRequest, jsonTool: JsonObject | undefined): readonly Tool[] {
  if (choice?.type === 'none' && jsonTool !== undefined) return []
  if (choice?.type !== 'tools' || (choice.names.length === 1 && choice.mode === 'required')) return tools
  const allowed = new Set(choice.names)
  return tools.filter(({ name }) => allowed.has(name))
}

function toolDefinition(tool: Tool, { names, target, dropped }: ToolsSetting): JsonObject {
  const schema = tool.origin.kind === 'custom' ? CUSTOM_SCHEMA : toolInputSchema(tool, dropped)
  const strict = tool.strict === true && target.capabilities.jsonSchema === true ? structuredSchema(schema) : undefined
  if (tool.strict === true && strict === undefined) dropped.add('tools.strict')
  return {
    name: names.encode(tool.name),
    ...(tool.description && { description: tool.description }),
    input_schema: strict ?? schema,
    ...(strict !== undefined && { strict: true }),
    ...cacheControl(tool.cache),
  }
}

function toolChoice(request: ChatRequest, setting: ToolsSetting): JsonObject {
  const choice = wantedChoice(request, setting)
  const single = request.parallelToolCalls === false
  if (choice === undefined) return single ? { tool_choice: withSingle({ type: 'auto' }) } : {}
  return { tool_choice: single && choice['type'] !== 'none' ? withSingle(choice) : choice }
}

function withSingle(choice: JsonObject): JsonObject {
  return { ...choice, disable_parallel_tool_use: true }
}

function wantedChoice(request: ChatRequest, setting: ToolsSetting): JsonObject | undefined {
  const { target, isManualThinking, jsonTool, dropped } = setting
  const forced = jsonTool === undefined ? forcedChoice(request, setting.names) : jsonChoice(request, jsonTool)
  if (forced === undefined) return request.toolChoice === undefined ? undefined : { type: plainChoice(request) }
  if (canForce(target, isManualThinking)) return forced
  if (jsonTool === undefined) dropped.add('tool_choice')
  return { type: 'auto' }
}

function plainChoice(request: ChatRequest): string {
  return request.toolChoice?.type === 'none' ? 'none' : 'auto'
}

function forcedChoice({ toolChoice: choice }: ChatRequest, names: ToolNameMap): JsonObject | undefined {
  if (choice?.type === 'required') return { type: 'any' }
  if (choice?.type !== 'tools' || choice.mode === 'auto') return undefined
  const [only, ...others] = choice.names
  return only === undefined || others.length > 0 ? { type: 'any' } : { type: 'tool', name: names.encode(only) }
}

/** With tools of the client's beside it the model may call one of them instead of answering. */
function jsonChoice(request: ChatRequest, jsonTool: JsonObject): JsonObject {
  const canCallOthers = request.tools.length > 0 && request.toolChoice?.type !== 'none'
  return canCallOthers ? { type: 'any' } : withSingle({ type: 'tool', name: jsonTool['name'] ?? '' })
}
