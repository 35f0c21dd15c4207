import type { AssistantTurn, ToolCallPart, ToolResult, Turn } from '../ir/chat-request.ts'

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
  const ids = new CallIds()
  const paired: PairedTurn[] = []
  let hasCaller = false
  for (const [at, turn] of turns.entries()) {
    if (turn.role === 'system' || turn.role === 'user') paired.push(turn)
    else if (turn.role === 'assistant') {
      hasCaller = true
      const results = resultsUntilNextAssistant(turns, at + 1)
      const { calls, orphans } = pairResults(callsOf(turn), results, ids)
      paired.push({ role: 'assistant', turn, calls })
      if (orphans.length > 0) paired.push({ role: 'orphans', results: orphans })
    } else if (!hasCaller) paired.push({ role: 'orphans', results: turn.results })
  }
  return paired
}

function callsOf(turn: AssistantTurn): ToolCallPart[] {
  return turn.parts.filter((part) => part.type === 'tool-call')
}

function resultsUntilNextAssistant(turns: readonly Turn[], from: number): ToolResult[] {
  const results: ToolResult[] = []
  for (const turn of turns.slice(from)) {
    if (turn.role === 'assistant') break
    if (turn.role === 'tool') results.push(...turn.results)
  }
  return results
}

/** Servers that give every call the same id have their results told apart by order. */
function pairResults(
  calls: readonly ToolCallPart[],
  results: readonly ToolResult[],
  ids: CallIds,
): { calls: AnsweredCall[]; orphans: ToolResult[] } {
  const seen = new Map<string, number>()
  const answered = calls.map((call): AnsweredCall => {
    const same = results.filter(({ callId }) => callId === call.id)
    const nth = seen.get(call.id) ?? 0
    seen.set(call.id, nth + 1)
    const isOnly = calls.filter(({ id }) => id === call.id).length === 1
    return { call, id: ids.take(call.id), result: isOnly ? same.at(-1) : same[nth] }
  })
  return { calls: answered, orphans: results.filter(({ callId }) => !seen.has(callId)) }
}

/** Anthropic takes `^[a-zA-Z0-9_-]+$`, each once. */
class CallIds {
  readonly #taken = new Set<string>()

  take(id: string): string {
    const clean = id.replaceAll(/[^a-zA-Z0-9_-]/g, '_') || 'call'
    let free = clean
    for (let count = 2; this.#taken.has(free); count += 1) free = `${clean}_${count}`
    this.#taken.add(free)
    return free
  }
}
