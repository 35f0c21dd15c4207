import type { Tool, ToolChoice } from '../ir/chat-request.ts'
import { CUSTOM_PARAMETERS } from '../openai-responses/custom-input.ts'
import { cacheHint } from './decode-content.ts'
import type { ChatBody, FunctionDefinition } from './request-schema.ts'

/** `tools` and the legacy `functions`; tools that run at the provider exist nowhere else and are dropped. */
export function decodeTools(chat: ChatBody, dropped: Set<string>): readonly Tool[] {
  const tools: Tool[] = []
  for (const tool of chat.tools ?? []) {
    if (tool.type === 'function' && tool.function != null) {
      tools.push({ ...decodeFunction(tool.function), origin: { kind: 'function' }, ...cacheHint(tool.cache_control) })
    } else if (tool.type === 'custom' && tool.custom != null) {
      if (tool.custom.format != null) dropped.add('tools.custom.format')
      tools.push({
        name: tool.custom.name,
        description: tool.custom.description ?? undefined,
        parameters: CUSTOM_PARAMETERS,
        strict: undefined,
        origin: { kind: 'custom' },
        ...cacheHint(tool.cache_control),
      })
    } else dropped.add(`tools.${tool.type}`)
  }
  for (const definition of chat.functions ?? []) {
    tools.push({ ...decodeFunction(definition), origin: { kind: 'function', legacy: true } })
  }
  return tools
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
