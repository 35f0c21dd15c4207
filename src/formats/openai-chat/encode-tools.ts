import type { JsonObject, JsonValue, Tool, ToolChoice } from '../ir/chat-request.ts'
import { jsonFields } from '../ir/json-fields.ts'
import type { EncodingContext } from './encoding-context.ts'
import { toolParameters } from './tool-parameters.ts'

/** @throws KorProxyError KP-PROV-112 */
export function encodeTools(
  tools: readonly Tool[],
  { target, names, dropped }: EncodingContext,
): readonly JsonObject[] {
  return tools.map((tool) => {
    const { parameters, strict } = toolParameters(tool, target, dropped)
    const { name, description } = tool
    return {
      type: 'function',
      function: jsonFields({ name: names.encode(name), description, parameters: withoutDialect(parameters), strict }),
    }
  })
}

/** `$schema` names the dialect of JSON Schema; picky servers refuse it and none needs it. */
function withoutDialect(schema: JsonObject): JsonObject {
  const { $schema, ...rest } = schema
  return $schema === undefined ? schema : rest
}

export function encodeToolChoice(
  choice: ToolChoice | undefined,
  { target, names, dropped }: EncodingContext,
): JsonValue | undefined {
  if (choice === undefined) return undefined
  const isForced = choice.type === 'required' || (choice.type === 'tools' && choice.mode === 'required')
  if (isForced && target.capabilities.forcedToolUse === false) {
    dropped.add('tool_choice')
    return 'auto'
  }
  if (choice.type !== 'tools') return choice.type
  const [only, ...others] = choice.names
  if (only === undefined || others.length > 0 || choice.mode === 'auto') return choice.mode
  return { type: 'function', function: { name: names.encode(only) } }
}
