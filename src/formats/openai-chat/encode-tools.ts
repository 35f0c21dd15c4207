import type { JsonObject, JsonValue, Tool, ToolChoice } from '../ir/chat-request.ts'
import { jsonFields } from '../ir/json-fields.ts'
import type { ToolNameMap } from '../ir/tool-names.ts'
import type { EncodingContext } from './encoding-context.ts'

export function encodeTools(tools: readonly Tool[], names: ToolNameMap): readonly JsonObject[] {
  return tools.map(({ name, description, parameters, strict }) => ({
    type: 'function',
    function: jsonFields({
      name: names.encode(name),
      description,
      parameters: withoutDialect(parameters ?? { type: 'object', properties: {} }),
      strict,
    }),
  }))
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
