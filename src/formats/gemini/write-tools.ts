import type { ChatRequest, JsonObject, Tool, ToolChoice } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'
import { cleanSchema } from './clean-schema.ts'
import type { GeminiTarget } from './gemini-target.ts'

/** Fields `tools` and `toolConfig`. */
interface WrittenTools {
  readonly fields: JsonObject
  readonly dropped: readonly string[]
}

/** @see https://ai.google.dev/api/caching#FunctionDeclaration */
export function writeTools(request: ChatRequest, target: GeminiTarget): WrittenTools {
  if (request.tools.length === 0) return { fields: {}, dropped: [] }
  const functionDeclarations = request.tools.map((tool) => writeDeclaration(tool, target))
  const { config, dropped } = writeCallingConfig(request, target)
  return {
    fields: {
      tools: [{ functionDeclarations }],
      ...(config === undefined ? {} : { toolConfig: { functionCallingConfig: config } }),
    },
    dropped,
  }
}

function writeDeclaration(tool: Tool, { toolNames, model }: GeminiTarget): JsonObject {
  const parameters = tool.parameters === undefined || hasNoProperties(tool.parameters) ? undefined : tool.parameters
  return {
    name: toolNames.encode(tool.name),
    ...(tool.description === undefined || tool.description === '' ? {} : { description: tool.description }),
    ...(parameters === undefined ? {} : writeParameters(parameters, model.quirks.openApiSchemas === true)),
  }
}

/** Google refuses an object schema without properties; a function without parameters has none. */
function hasNoProperties(schema: JsonObject): boolean {
  const properties = schema['properties']
  if (isJsonObject(properties) && Object.keys(properties).length > 0) return false
  return (
    !['$ref', 'anyOf', 'oneOf', 'allOf'].some((key) => key in schema) && !isJsonObject(schema['additionalProperties'])
  )
}

function writeParameters(schema: JsonObject, subset: boolean): JsonObject {
  return subset ? { parameters: cleanSchema(schema) } : { parametersJsonSchema: withoutDialect(schema) }
}

/** `$schema` names the dialect and says nothing about the value; some of Google's endpoints refuse the keyword. */
export function withoutDialect(schema: JsonObject): JsonObject {
  const { $schema: _, ...rest } = schema
  return rest
}

interface CallingConfig {
  readonly config: JsonObject | undefined
  readonly dropped: readonly string[]
}

/** @see https://ai.google.dev/api/caching#FunctionCallingConfig */
function writeCallingConfig({ toolChoice }: ChatRequest, target: GeminiTarget): CallingConfig {
  if (toolChoice === undefined) return { config: undefined, dropped: [] }
  if (toolChoice.type === 'none') return { config: { mode: 'NONE' }, dropped: [] }
  if (toolChoice.type === 'auto') return { config: { mode: 'AUTO' }, dropped: [] }
  if (toolChoice.type === 'tools') return writeNamedTools(toolChoice, target)
  return mayForce(target)
    ? { config: { mode: 'ANY' }, dropped: [] }
    : { config: { mode: 'AUTO' }, dropped: ['tool_choice'] }
}

function writeNamedTools(choice: Extract<ToolChoice, { type: 'tools' }>, target: GeminiTarget): CallingConfig {
  const allowedFunctionNames = choice.names.map((name) => target.toolNames.encode(name))
  // VALIDATED is AUTO that heeds allowedFunctionNames.
  if (choice.mode === 'auto') return { config: { mode: 'VALIDATED', allowedFunctionNames }, dropped: [] }
  if (mayForce(target)) return { config: { mode: 'ANY', allowedFunctionNames }, dropped: [] }
  return { config: { mode: 'VALIDATED', allowedFunctionNames }, dropped: ['tool_choice'] }
}

function mayForce({ model }: GeminiTarget): boolean {
  return model.capabilities.forcedToolUse !== false
}
