import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Tool, ToolChoice } from '../ir/chat-request.ts'
import { decodeCache } from './decode-messages.ts'
import type { Losses } from './losses.ts'
import type { RequestBody, ToolDefinition } from './request-schema.ts'

/** `defer_loading` is known: a deferred tool is sent expanded, since only Anthropic can load it later. */
const TOOL_KEYS = new Set([
  'type',
  'name',
  'description',
  'input_schema',
  'strict',
  'cache_control',
  'defer_loading',
  'eager_input_streaming',
])

/** Tools of Anthropic's own (`web_search_20260318` …) run or are defined there; elsewhere they do not exist. */
export function decodeToolDefinitions(tools: readonly ToolDefinition[], losses: Losses): Tool[] {
  return tools.flatMap((tool, at): Tool[] => {
    const type = tool.type ?? 'custom'
    if (type !== 'custom') {
      losses.add(`tools.${type.replace(/_\d{8}$/, '')}`)
      return []
    }
    if (typeof tool.name !== 'string') {
      throw new KorProxyError('KP-SYS-516', { message: `tools[${at}].name: Invalid input: expected string` })
    }
    losses.addUnknownKeys(tool, TOOL_KEYS, 'tools.')
    return [
      {
        name: tool.name,
        description: tool.description ?? undefined,
        parameters: tool.input_schema ?? undefined,
        strict: tool.strict ?? undefined,
        origin: { kind: 'function' },
        ...decodeCache(tool.cache_control),
      },
    ]
  })
}

/** @throws KorProxyError KP-PROV-112 when the choice forces a tool that only Anthropic has */
export function decodeForcing(
  choice: RequestBody['tool_choice'],
  tools: readonly Tool[],
  losses: Losses,
): ToolChoice | undefined {
  if (choice === null || choice === undefined) return undefined
  switch (choice.type) {
    case 'auto':
    case 'none':
      return { type: choice.type }
    case 'any':
      if (tools.length > 0) return { type: 'required' }
      losses.add('tool_choice')
      return undefined
    case 'tool':
      return { type: 'tools', names: [forcedName(choice.name, tools)], mode: 'required' }
  }
}

function forcedName(name: string | null | undefined, tools: readonly Tool[]): string {
  if (typeof name !== 'string') {
    throw new KorProxyError('KP-SYS-516', { message: 'tool_choice.name: Invalid input: expected string' })
  }
  if (tools.some((tool) => tool.name === name)) return name
  throw new KorProxyError('KP-PROV-112', {
    parameter: 'tool_choice',
    target: 'another format',
    reason: `tool ${name} is not a custom tool of this request`,
  })
}
