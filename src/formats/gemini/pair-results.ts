import { appendAll } from '../ir/append-all.ts'
import type {
  AssistantPart,
  AssistantTurn,
  SystemTurn,
  ToolCallPart,
  ToolResult,
  Turn,
  UserTurn,
} from '../ir/chat-request.ts'
import { distinctCalls } from '../ir/distinct-calls.ts'

/** The results of a model turn's calls, in the order of the calls. */
interface ResultsTurn {
  readonly role: 'results'
  readonly pairs: readonly { readonly call: ToolCallPart; readonly result: ToolResult | undefined }[]
}
/** A result without a call before it. */
interface OrphanTurn {
  readonly role: 'orphan'
  readonly result: ToolResult
}
export type PairedTurn = SystemTurn | UserTurn | AssistantTurn | ResultsTurn | OrphanTurn

/**
 * Puts the results of each model turn right behind it. Of two results for one call the last counts; a call without a result keeps
 * its place, a result without a call becomes an orphan.
 */
export function pairResults(turns: readonly Turn[]): PairedTurn[] {
  return stretches(distinctCalls(turns)).flatMap(pairStretch)
}

interface Stretch {
  readonly assistant: AssistantTurn | undefined
  /** What follows up to the next model turn. */
  readonly rest: readonly Exclude<Turn, AssistantTurn>[]
}

function stretches(turns: readonly Turn[]): Stretch[] {
  const found: { parts: AssistantPart[] | undefined; rest: Exclude<Turn, AssistantTurn>[] }[] = []
  for (const turn of turns) {
    const last = found.at(-1)
    if (turn.role !== 'assistant') {
      if (last === undefined) found.push({ parts: undefined, rest: [turn] })
      else last.rest.push(turn)
    } else if (last?.parts !== undefined && last.rest.length === 0) appendAll(last.parts, turn.parts)
    else found.push({ parts: [...turn.parts], rest: [] })
  }
  return found.map(({ parts, rest }) => ({ assistant: parts && { role: 'assistant', parts }, rest }))
}

function pairStretch({ assistant, rest }: Stretch): PairedTurn[] {
  const calls = (assistant?.parts ?? []).filter((part) => part.type === 'tool-call')
  const results = new Map<string, ToolResult>()
  for (const turn of rest) {
    if (turn.role === 'tool') for (const result of turn.results) results.set(result.callId, result)
  }
  const called = new Set(calls.map((call) => call.id))
  const following = rest.flatMap((turn): PairedTurn[] => {
    if (turn.role !== 'tool') return [turn]
    return turn.results
      .filter((result) => !called.has(result.callId))
      .map((result) => ({ role: 'orphan' as const, result }))
  })
  const pairs = calls.map((call) => ({ call, result: results.get(call.id) }))
  return [
    ...(assistant === undefined ? [] : [assistant]),
    ...(pairs.length > 0 ? [{ role: 'results' as const, pairs }] : []),
    ...following,
  ]
}
