import type { AssistantTurn, ToolCallPart, ToolResult, Turn } from '../ir/chat-request.ts'
import { distinctCalls } from '../ir/distinct-calls.ts'
import { FreeNames } from '../ir/free-names.ts'

/** A tool call with the id it gets, and its answer. */
export interface AnsweredCall {
  readonly call: ToolCallPart
  readonly id: string
  readonly result: ToolResult | undefined
}
/** A turn, with what Anthropic wants right behind an assistant turn drawn up to it. */
export type PairedTurn =
  | { readonly role: 'assistant'; readonly turn: AssistantTurn; readonly calls: readonly AnsweredCall[] }
  | { readonly role: 'orphans'; readonly results: readonly ToolResult[] }
  | Extract<Turn, { role: 'system' | 'user' }>

/**
 * Finds the results of each assistant turn's calls, wherever they stand before the next assistant turn. Of results given
 * twice the last counts. Ids are cleaned and made unique within the request, the same way for the call and its result.
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls
 */
export function answerCalls(turns: readonly Turn[]): PairedTurn[] {
  const ids = new FreeNames()
  return stretches(distinctCalls(turns)).flatMap(({ assistant, rest }): PairedTurn[] => {
    const results = rest.flatMap((turn) => (turn.role === 'tool' ? turn.results : []))
    const others = rest.filter((turn) => turn.role !== 'tool')
    if (assistant === undefined) return rest.map((turn) => (turn.role === 'tool' ? orphansOf(turn.results) : turn))
    const calls = pairResults(callsOf(assistant), results, ids)
    const called = new Set(calls.map(({ call }) => call.id))
    const orphans = results.filter(({ callId }) => !called.has(callId))
    return [
      { role: 'assistant', turn: assistant, calls },
      ...(orphans.length > 0 ? [orphansOf(orphans)] : []),
      ...others,
    ]
  })
}

interface Stretch {
  readonly assistant: AssistantTurn | undefined
  /** What follows up to the next assistant turn. */
  readonly rest: Exclude<Turn, AssistantTurn>[]
}

function stretches(turns: readonly Turn[]): Stretch[] {
  let current: Stretch = { assistant: undefined, rest: [] }
  const all = [current]
  for (const turn of turns) {
    if (turn.role !== 'assistant') current.rest.push(turn)
    else {
      current = { assistant: turn, rest: [] }
      all.push(current)
    }
  }
  return all
}

function orphansOf(results: readonly ToolResult[]): PairedTurn {
  return { role: 'orphans', results }
}

function callsOf(turn: AssistantTurn): ToolCallPart[] {
  return turn.parts.filter((part) => part.type === 'tool-call')
}

/** Anthropic takes ids of `^[a-zA-Z0-9_-]+$`, each once. */
function pairResults(calls: readonly ToolCallPart[], results: readonly ToolResult[], ids: FreeNames): AnsweredCall[] {
  const byCall = new Map(results.map((result) => [result.callId, result]))
  return calls.map((call) => ({
    call,
    id: ids.take(call.id.replaceAll(/[^a-zA-Z0-9_-]/g, '_') || 'call'),
    result: byCall.get(call.id),
  }))
}
