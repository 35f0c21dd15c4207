import { appendAll } from '../ir/append-all.ts'
import type { Tool, ToolChoice } from '../ir/chat-request.ts'
import { FreeNames } from '../ir/free-names.ts'
import { CUSTOM_PARAMETERS } from './custom-input.ts'
import type { CustomTool, FunctionTool, ResponsesTool, ResponsesToolChoice } from './request-schema.ts'
import { ToolFinder } from './tool-finder.ts'
import { flatToolName } from './tool-naming.ts'

/** Tools that OpenAI runs itself; no other provider can stand in for them. */
const HOSTED = new Set([
  'apply_patch',
  'code_interpreter',
  'computer',
  'computer_use_preview',
  'file_search',
  'image_generation',
  'local_shell',
  'mcp',
  'shell',
  'tool_search',
  'web_search',
  'web_search_preview',
])

/** Hosted tools are left out, not refused: Codex sends `web_search` with every request. */
export function decodeTools(tools: readonly ResponsesTool[], dropped: Set<string>): Tool[] {
  const decoded: Tool[] = []
  const taken = new FreeNames()
  for (const name of new Set(tools.flatMap((tool) => (tool.type === 'hosted' ? [] : [tool.name])))) taken.take(name)
  for (const tool of tools) {
    switch (tool.type) {
      case 'function':
        decoded.push(decodeFunction(tool))
        break
      case 'custom':
        decoded.push(decodeCustom(tool))
        break
      case 'namespace':
        appendAll(decoded, decodeNamespace(tool, taken, dropped))
        break
      case 'hosted':
        dropped.add(hostedName(tool.name))
        break
    }
  }
  return decoded
}

function decodeFunction(tool: FunctionTool): Tool {
  return {
    name: tool.name,
    description: tool.description ?? undefined,
    parameters: tool.parameters ?? undefined,
    strict: tool.strict ?? undefined,
    origin: { kind: 'function' },
  }
}

function decodeCustom(tool: CustomTool): Tool {
  return {
    name: tool.name,
    description: customDescription(tool),
    parameters: CUSTOM_PARAMETERS,
    strict: undefined,
    origin: { kind: 'custom' },
  }
}

/** A grammar cannot be enforced elsewhere, but the model can be told of it. */
function customDescription(tool: CustomTool): string | undefined {
  const definition = tool.format?.definition
  if (typeof definition !== 'string') return tool.description ?? undefined
  const grammar = `The input must match this ${tool.format?.syntax ?? ''} grammar:\n${definition}`
  return tool.description ? `${tool.description}\n\n${grammar}` : grammar
}

function decodeNamespace(
  tool: Extract<ResponsesTool, { type: 'namespace' }>,
  taken: FreeNames,
  dropped: Set<string>,
): Tool[] {
  const decoded: Tool[] = []
  for (const inner of tool.tools) {
    if (inner.type === 'hosted') {
      dropped.add(hostedName(inner.name))
      continue
    }
    const name = taken.take(flatToolName(tool.name, inner.name))
    const origin = { kind: 'namespace' as const, namespace: tool.name, name: inner.name }
    decoded.push(
      inner.type === 'function'
        ? { ...decodeFunction(inner), name, origin }
        : { ...decodeCustom(inner), name, origin: { ...origin, custom: true } },
    )
  }
  return decoded
}

function hostedName(type: string): string {
  const plain = type.replace(/_\d{4}_\d{2}_\d{2}$/, '')
  return HOSTED.has(plain) ? `tools.${plain}` : 'tools.unknown'
}

/** A choice of a tool that was left out is left out too. */
export function decodeToolChoice(
  choice: ResponsesToolChoice,
  tools: readonly Tool[],
  dropped: Set<string>,
): ToolChoice | undefined {
  if (typeof choice === 'string') return { type: choice }
  const allowed = choice.type === 'allowed_tools' ? (choice.tools ?? []) : [choice]
  const finder = new ToolFinder(tools)
  const found = allowed.map((entry) => chosenNames(entry, finder))
  if (found.some((entry) => entry.length === 0)) dropped.add('tool_choice')
  const names = found.flat()
  if (names.length === 0) return undefined
  const mode = choice.type === 'allowed_tools' && choice.mode !== 'required' ? 'auto' : 'required'
  return { type: 'tools', names, mode }
}

function chosenNames(entry: { readonly [key: string]: unknown }, finder: ToolFinder): string[] {
  const { type, name, namespace } = entry
  if (typeof name !== 'string') return []
  if (type === 'namespace') return finder.namesWithin(name)
  const known = finder.nameOf(typeof namespace === 'string' ? namespace : undefined, name)
  return (type === 'function' || type === 'custom') && finder.has(known) ? [known] : []
}
