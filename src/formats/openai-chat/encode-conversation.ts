import { appendAll } from '../ir/append-all.ts'
import type { AssistantTurn, JsonObject, TextPart, Turn } from '../ir/chat-request.ts'
import { distinctCalls } from '../ir/distinct-calls.ts'
import { TurnList } from '../ir/turn-list.ts'
import { encodeAssistant } from './encode-assistant.ts'
import { encodeUserContent } from './encode-content.ts'
import { encodeToolResults } from './encode-tool-results.ts'
import type { EncodingContext } from './encoding-context.ts'
import { MAX_IDENTIFIER_LENGTH } from './short-identifier.ts'

/** A request without messages is a 400; a dot adds no meaning. */
const FILLER: JsonObject = { role: 'user', content: '.' }

/**
 * Writes the messages. OpenAI wants the results of a turn's calls directly after it, one for each call and none without a call:
 * results that come later are moved up, missing ones are filled in as errors, orphans become user text.
 * @see https://platform.openai.com/docs/guides/function-calling
 */
export function encodeConversation(
  system: readonly TextPart[],
  turns: readonly Turn[],
  context: EncodingContext,
): readonly JsonObject[] {
  const messages: JsonObject[] = []
  if (system.length > 0) messages.push({ role: 'system', content: joinText(system, '\n\n') })
  // Imitators take longer ids, and may have made them.
  const maxLength = context.target.issuer === 'openai' ? MAX_IDENTIFIER_LENGTH : undefined
  for (const { assistant, others } of exchanges(joinSplitTurns(distinctCalls(turns, maxLength)))) {
    if (assistant !== undefined) messages.push(...encodeAssistant(assistant, context))
    const results = others.flatMap((turn) => (turn.role === 'tool' ? turn.results : []))
    appendAll(messages, encodeToolResults(results, callsOf(assistant), context))
    for (const turn of others) messages.push(...encodeOther(turn, context))
  }
  return messages.length > 0 ? messages : [FILLER]
}

function joinText(parts: readonly TextPart[], separator: string): string {
  return parts.map((part) => part.text).join(separator)
}

interface Exchange {
  readonly assistant: AssistantTurn | undefined
  /** What follows up to the next assistant turn. */
  readonly others: Exclude<Turn, AssistantTurn>[]
}

/** Calls and the words after them may come as two turns; the results follow the second. */
function joinSplitTurns(turns: readonly Turn[]): readonly Turn[] {
  const list = new TurnList()
  let isCalling = false
  for (const turn of turns) {
    if (turn.role !== 'assistant') list.push(turn)
    else appendAll(isCalling ? list.assistantParts() : list.beginAssistant(), turn.parts)
    isCalling = turn.role === 'assistant' && (isCalling || callsOf(turn).length > 0)
  }
  return list.turns
}

function exchanges(turns: readonly Turn[]): readonly Exchange[] {
  let current: Exchange = { assistant: undefined, others: [] }
  const all = [current]
  for (const turn of turns) {
    if (turn.role !== 'assistant') current.others.push(turn)
    else {
      current = { assistant: turn, others: [] }
      all.push(current)
    }
  }
  return all
}

function callsOf(assistant: AssistantTurn | undefined): readonly string[] {
  return assistant?.parts.flatMap((part) => (part.type === 'tool-call' ? [part.id] : [])) ?? []
}

function encodeOther(turn: Exchange['others'][number], context: EncodingContext): readonly JsonObject[] {
  switch (turn.role) {
    case 'tool':
      return []
    case 'user':
      return [{ role: 'user', content: encodeUserContent(turn.parts, context) }]
    case 'system': {
      const text = joinText(turn.parts, '\n\n')
      if (context.target.quirks.midSystemAs !== 'user') return [{ role: 'system', content: text }]
      return [{ role: 'user', content: `<system-reminder>\n${text}\n</system-reminder>` }]
    }
  }
}
