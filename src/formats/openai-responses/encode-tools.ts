import type { JsonObject, Tool, ToolChoice } from '../ir/chat-request.ts'
import { jsonFields } from '../ir/json-fields.ts'
import type { ToolParameters } from '../openai-chat/tool-parameters.ts'
import type { WireToolNames } from './tool-naming.ts'

/** The tools of a namespace stand together at the place of the first of them. */
export function encodeTools(
  tools: readonly Tool[],
  names: WireToolNames,
  parametersOf: (tool: Tool) => ToolParameters,
): JsonObject[] {
  const encoded: JsonObject[] = []
  const namespaces = new Map<string, JsonObject[]>()
  for (const tool of tools) {
    const { namespace } = names.of(tool.name)
    if (namespace === undefined) {
      encoded.push(encodeTool(tool, names, parametersOf))
      continue
    }
    const inner = namespaces.get(namespace) ?? []
    if (inner.length === 0) {
      namespaces.set(namespace, inner)
      encoded.push({ type: 'namespace', name: namespace, description: namespace, tools: inner })
    }
    inner.push(encodeTool(tool, names, parametersOf))
  }
  return encoded
}

/** Without `strict` this API tries strict mode, the others do not: what the client did not ask for is switched off. */
function encodeTool(tool: Tool, names: WireToolNames, parametersOf: (tool: Tool) => ToolParameters): JsonObject {
  const { name, custom } = names.of(tool.name)
  const { description } = tool
  if (custom) return jsonFields({ type: 'custom', name, description })
  const { parameters, strict } = parametersOf(tool)
  return jsonFields({ type: 'function', name, description, parameters, strict: strict ?? false })
}

export function encodeToolChoice(choice: ToolChoice, names: WireToolNames): string | JsonObject {
  if (choice.type !== 'tools') return choice.type
  const tools = choice.names.map((tool) => {
    const { name, namespace, custom } = names.of(tool)
    return jsonFields({ type: custom ? 'custom' : 'function', name, namespace })
  })
  const [only] = tools
  if (only !== undefined && tools.length === 1 && choice.mode === 'required') return only
  return { type: 'allowed_tools', mode: choice.mode, tools }
}
