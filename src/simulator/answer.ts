import type { CallContext } from './call-context.ts'
import { sampleOfSchema } from './sample-schema.ts'

interface OfferedTool {
  readonly name: string
  readonly schema: unknown
}

/** What the answer depends on, read from a request of any format. The turn is what follows the last message of the assistant. */
export interface Prompt {
  readonly userTexts: readonly string[]
  readonly toolResults: readonly string[]
  readonly image: boolean
  readonly tools: readonly OfferedTool[]
  /** `none` forbids a call, `required` or a tool's name demands one. */
  readonly toolChoice: 'auto' | 'none' | 'required' | { readonly name: string }
  readonly parallelCalls: boolean
  readonly json: boolean
  readonly schema?: unknown
  readonly maxTokens?: number | undefined
}

export interface ToolCall {
  readonly name: string
  readonly input: unknown
}

export interface Answer {
  readonly thinking: string | undefined
  /** The text, cut where a stream cuts it. */
  readonly pieces: readonly string[]
  readonly calls: readonly ToolCall[]
  readonly finish: 'stop' | 'tools' | 'length' | 'filter' | 'blocked'
}

/** Tools of coding agents that run a command: preferred to the first one, since many of the others cannot be called blindly. */
const SHELL_TOOL = /^(bash|shell|exec_command|run_shell_command|local_shell|execute_command)$/i
const SHORTEST_LIMIT = 7

const THOUGHT = 'The user asked me to think, so I think.'

/**
 * The deterministic answer. `USETOOL` calls a tool, `USETOOLS2` two in parallel, `THINK` shows reasoning, `JSONOUT` or a schema
 * gives JSON; after tool results the text quotes them.
 */
export function composeAnswer(prompt: Prompt, context: CallContext): Answer {
  const { tuning } = context
  const turn = prompt.userTexts.join('\n')
  const thinking = /\bTHINK\b/.test(turn) ? THOUGHT : undefined
  if (tuning.finish === 'blocked') return { thinking: undefined, pieces: [], calls: [], finish: 'blocked' }
  if (tuning.content === 'empty') return { thinking: undefined, pieces: [], calls: [], finish: 'stop' }
  const calls = tuning.text === undefined ? composeCalls(prompt, turn) : []
  if (calls.length > 0) return { thinking, pieces: [], calls, finish: 'tools' }
  const text = tuning.text ?? composeText(prompt, turn, context)
  const pieces = fillUp(text.match(/\S+\s*|\s+/g) ?? [], tuning.chunks)
  const short = prompt.maxTokens !== undefined && prompt.maxTokens < SHORTEST_LIMIT
  if (short) return { thinking, pieces: pieces.slice(0, prompt.maxTokens), calls, finish: 'length' }
  return { thinking, pieces, calls, finish: tuning.finish ?? 'stop' }
}

function composeCalls(prompt: Prompt, turn: string): readonly ToolCall[] {
  const { toolChoice, tools, toolResults } = prompt
  const demanded = toolChoice === 'required' || typeof toolChoice === 'object'
  const asked = /\bUSETOOL(S2)?\b/.test(turn)
  if (tools.length === 0 || toolResults.length > 0 || toolChoice === 'none' || !(demanded || asked)) return []
  const named = typeof toolChoice === 'object' ? tools.find((tool) => tool.name === toolChoice.name) : undefined
  const first = named ?? tools.find((tool) => SHELL_TOOL.test(tool.name)) ?? tools[0]
  if (first === undefined) return []
  const second = named ?? tools.find((tool) => tool !== first) ?? first
  const chosen = /\bUSETOOLS2\b/.test(turn) && prompt.parallelCalls ? [first, second] : [first]
  return chosen.map(({ name, schema }, variant) => ({ name, input: sampleOfSchema(schema, { variant, root: schema }) }))
}

function composeText(prompt: Prompt, turn: string, context: CallContext): string {
  if (prompt.schema !== undefined) {
    return JSON.stringify(sampleOfSchema(prompt.schema, { variant: 0, root: prompt.schema }))
  }
  if (prompt.json || /\bJSONOUT\b/.test(turn)) return JSON.stringify({ ok: true, from: context.provider })
  if (prompt.toolResults.length > 0) return `Tool results: ${prompt.toolResults.join(' | ')}`
  const greeting = `Hello from ${context.provider} ${context.modelName}.`
  return prompt.image ? `${greeting} image seen` : greeting
}

function fillUp(pieces: readonly string[], chunks: number | undefined): readonly string[] {
  if (chunks === undefined) return pieces
  const greeting = pieces.join('')
  return Array.from({ length: Math.max(1, chunks) }, (_, index) => (index === 0 ? greeting : ` w${index}`))
}

/** A JSON text in the three fragments in which streams carry it. */
export function fragmentsOf(json: string): readonly string[] {
  const third = Math.max(1, Math.ceil(json.length / 3))
  return [json.slice(0, third), json.slice(third, 2 * third), json.slice(2 * third)].filter((part) => part !== '')
}
