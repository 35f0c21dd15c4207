import type { AssistantTurn, ToolResult, Turn, UserTurn } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'

/**
 * Turns in which every call has one output and every output its call, as the Responses API demands: results are drawn up to
 * their calls, of two for one call the last counts, missing ones are filled in as errors, orphans become words of the user.
 * @see https://platform.openai.com/docs/guides/function-calling
 */
export function answerCalls(turns: readonly Turn[], dropped: DroppedParameters): Turn[] {
  return stretches(turns).flatMap((stretch) => answerStretch(stretch, dropped))
}

interface Stretch {
  readonly assistants: AssistantTurn[]
  /** What follows up to the next assistant turn. */
  readonly rest: Exclude<Turn, AssistantTurn>[]
}

function stretches(turns: readonly Turn[]): Stretch[] {
  let current: Stretch = { assistants: [], rest: [] }
  const all = [current]
  for (const turn of turns) {
    if (turn.role !== 'assistant') current.rest.push(turn)
    else if (current.rest.length === 0) current.assistants.push(turn)
    else {
      current = { assistants: [turn], rest: [] }
      all.push(current)
    }
  }
  return all
}

function answerStretch({ assistants, rest }: Stretch, dropped: DroppedParameters): Turn[] {
  const called = new Set(
    assistants.flatMap(({ parts }) => parts).flatMap((part) => (part.type === 'tool-call' ? [part.id] : [])),
  )
  const given = new Map<string, ToolResult>()
  for (const turn of rest) if (turn.role === 'tool') for (const result of turn.results) given.set(result.callId, result)
  const unanswered = [...called].filter((id) => !given.has(id))
  if (unanswered.length > 0) dropped.add('messages.tool_call.without_result')
  const answers = [...given.values()].filter(({ callId }) => called.has(callId))
  if (answers.length < given.size) dropped.add('messages.tool_result.without_call')
  const results = [...answers, ...unanswered.map(missingResult)]
  const following = rest.flatMap((turn): Turn[] => {
    if (turn.role !== 'tool') return [turn]
    return turn.results.filter(({ callId }) => !called.has(callId)).flatMap(wordsOf)
  })
  return [...assistants, ...(results.length > 0 ? [{ role: 'tool' as const, results }] : []), ...following]
}

function missingResult(callId: string): ToolResult {
  return { callId, parts: [{ type: 'text', text: 'no result' }], isError: true }
}

function wordsOf({ parts, isError }: ToolResult): UserTurn[] {
  const words: UserTurn['parts'] = isError ? [{ type: 'text', text: 'Error:' }, ...parts] : parts
  return words.length === 0 ? [] : [{ role: 'user', parts: words }]
}
