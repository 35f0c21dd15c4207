import type { ChatRequest, JsonObject, Tool, ToolChoice } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'
import { cleanSchema } from './clean-schema.ts'
import type { GeminiTarget } from './gemini-target.ts'

/** Fields `tools` and `toolConfig`. @see https://ai.google.dev/api/caching#FunctionDeclaration */
export function writeTools(request: ChatRequest, target: GeminiTarget): JsonObject {
  if (request.tools.length === 0) return {}
  const functionDeclarations = request.tools.map((tool) => writeDeclaration(tool, target))
  const config = writeCallingConfig(request, target)
  return {
    tools: [{ functionDeclarations }],
    ...(config === undefined ? {} : { toolConfig: { functionCallingConfig: config } }),
  }
}

function writeDeclaration(tool: Tool, target: GeminiTarget): JsonObject {
  if (tool.strict === true) target.dropped.add('tools.strict')
  const parameters = tool.parameters === undefined || hasNoProperties(tool.parameters) ? undefined : tool.parameters
  return {
    name: target.toolNames.encode(tool.name),
    ...(tool.description === undefined || tool.description === '' ? {} : { description: tool.description }),
    ...(parameters === undefined ? {} : writeParameters(parameters, target)),
  }
}

function writeParameters(schema: JsonObject, { model, dropped }: GeminiTarget): JsonObject {
  if (model.quirks.openApiSchemas !== true) return { parametersJsonSchema: withoutDialect(schema) }
  return { parameters: cleanSchema(schema, () => dropped.add('tools.parameters')) }
}

/** Google refuses an object schema without properties; a function without parameters has none. */
function hasNoProperties(schema: JsonObject): boolean {
  const properties = schema['properties']
  if (isJsonObject(properties) && Object.keys(properties).length > 0) return false
  return (
    !['$ref', 'anyOf', 'oneOf', 'allOf'].some((key) => key in schema) && !isJsonObject(schema['additionalProperties'])
  )
}

/** `$schema` names the dialect and says nothing about the value; some of Google's endpoints refuse the keyword. */
export function withoutDialect(schema: JsonObject): JsonObject {
  const { $schema: _, ...rest } = schema
  return rest
}

/** @see https://ai.google.dev/api/caching#FunctionCallingConfig */
function writeCallingConfig({ toolChoice }: ChatRequest, target: GeminiTarget): JsonObject | undefined {
  switch (toolChoice?.type) {
    case undefined:
      return undefined
    case 'none':
      return { mode: 'NONE' }
    case 'auto':
      return { mode: 'AUTO' }
    case 'required':
      return { mode: mayForce(target) ? 'ANY' : 'AUTO' }
    case 'tools':
      return writeNamedTools(toolChoice, target)
  }
}

function writeNamedTools(choice: Extract<ToolChoice, { type: 'tools' }>, target: GeminiTarget): JsonObject {
  const allowedFunctionNames = choice.names.map((name) => target.toolNames.encode(name))
  // VALIDATED is AUTO that heeds allowedFunctionNames.
  return { mode: choice.mode === 'required' && mayForce(target) ? 'ANY' : 'VALIDATED', allowedFunctionNames }
}

/** Reports the force that the model does not take. */
function mayForce({ model, dropped }: GeminiTarget): boolean {
  if (model.capabilities.forcedToolUse !== false) return true
  dropped.add('tool_choice')
  return false
}
