import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Tool, ToolChoice } from '../ir/chat-request.ts'
import { CUSTOM_PARAMETERS } from '../openai-responses/custom-input.ts'
import { cacheHint } from './decode-content.ts'
import type { ChatBody, ChatTool, FunctionDefinition } from './request-schema.ts'

/** `tools` and the legacy `functions`; tools that run at the provider exist nowhere else and are dropped. @throws KorProxyError KP-SYS-516 */
export function decodeTools(chat: ChatBody, dropped: Set<string>): readonly Tool[] {
  const tools = (chat.tools ?? []).flatMap((tool, at) => decodeTool(tool, `tools[${at}]`, dropped) ?? [])
  const legacy = (chat.functions ?? []).map(
    (definition): Tool => ({ ...decodeFunction(definition), origin: { kind: 'function', legacy: true } }),
  )
  return [...tools, ...legacy]
}

function decodeTool(tool: ChatTool, path: string, dropped: Set<string>): Tool | undefined {
  const { type, function: definition, custom } = tool
  const cache = cacheHint(tool.cache_control)
  if (type === 'function' && definition != null) {
    return { ...decodeFunction(definition), origin: { kind: 'function' }, ...cache }
  }
  if (type === 'custom' && custom != null) {
    if (custom.format != null) dropped.add('tools.custom.format')
    const { name, description } = custom
    return {
      name,
      description: description ?? undefined,
      parameters: CUSTOM_PARAMETERS,
      strict: undefined,
      origin: { kind: 'custom' },
      ...cache,
    }
  }
  if (type === 'function' || type === 'custom') {
    // The flat form of the Responses API, most likely.
    throw new KorProxyError('KP-SYS-516', { message: `${path}.${type}: Invalid input: expected object` })
  }
  dropped.add(`tools.${type}`)
  return undefined
}

function decodeFunction(definition: FunctionDefinition): Omit<Tool, 'origin'> {
  return {
    name: definition.name,
    description: definition.description ?? undefined,
    parameters: definition.parameters ?? undefined,
    strict: definition.strict ?? undefined,
  }
}

export function decodeToolChoice(chat: ChatBody): ToolChoice | undefined {
  const choice = chat.tool_choice
  if (choice == null) return decodeFunctionChoice(chat.function_call)
  if (typeof choice === 'string') return { type: choice }
  if (choice.type === 'allowed_tools') {
    const { mode, tools } = choice.allowed_tools
    return { type: 'tools', names: tools.map(chosenName), mode }
  }
  return { type: 'tools', names: [chosenName(choice)], mode: 'required' }
}

function decodeFunctionChoice(choice: ChatBody['function_call']): ToolChoice | undefined {
  if (choice == null) return undefined
  return typeof choice === 'string' ? { type: choice } : { type: 'tools', names: [choice.name], mode: 'required' }
}

function chosenName(tool: { function: { name: string } } | { custom: { name: string } }): string {
  return 'function' in tool ? tool.function.name : tool.custom.name
}
