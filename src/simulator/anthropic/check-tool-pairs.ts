import type { Refusal } from '../call-context.ts'
import { memberOf, textOf } from '../json-value.ts'
import { hasType, partsOf } from '../prompt-turn.ts'

interface Turn {
  readonly role: string
  /** Index of its first message. */
  readonly index: number
  readonly blocks: readonly unknown[]
}

/** Each `tool_use` is answered at the start of the next user turn, and each `tool_result` has its call in the turn before. */
export function checkToolPairs(messages: readonly unknown[]): Refusal | undefined {
  const turns = joinTurns(messages)
  const ids = turns.flatMap((turn) => callIds(turn))
  if (new Set(ids).size !== ids.length) return { message: 'messages: `tool_use` ids must be unique' }
  for (const [position, turn] of turns.entries()) {
    const refusal = checkAnswered(turn, turns[position + 1]) ?? checkExpected(turn, turns[position - 1])
    if (refusal !== undefined) return refusal
  }
  return undefined
}

/** Messages of one role in a row count as one; system messages in between do not separate. */
function joinTurns(messages: readonly unknown[]): readonly Turn[] {
  const turns: Turn[] = []
  for (const [index, message] of messages.entries()) {
    const role = textOf(message, 'role') ?? ''
    const blocks = partsOf(memberOf(message, 'content'))
    const previous = turns.at(-1)
    if (role === 'system') continue
    if (previous?.role === role) turns[turns.length - 1] = { ...previous, blocks: [...previous.blocks, ...blocks] }
    else turns.push({ role, index, blocks })
  }
  return turns
}

function callIds(turn: Turn): readonly string[] {
  return turn.blocks.filter((block) => hasType(block, 'tool_use')).map((block) => textOf(block, 'id') ?? '')
}

function checkAnswered(turn: Turn, next: Turn | undefined): Refusal | undefined {
  const leading = next?.blocks.slice(0, leadingResults(next)) ?? []
  const answered = leading.map((block) => textOf(block, 'tool_use_id'))
  const open = callIds(turn).filter((id) => !answered.includes(id))
  if (open.length === 0) return undefined
  return {
    message: `messages.${turn.index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
  }
}

/** Results come first in a turn; text before them separates them from their calls. */
function leadingResults(turn: Turn): number {
  const end = turn.blocks.findIndex((block) => !hasType(block, 'tool_result'))
  return end === -1 ? turn.blocks.length : end
}

function checkExpected(turn: Turn, previous: Turn | undefined): Refusal | undefined {
  const known = previous === undefined ? [] : callIds(previous)
  const place = turn.blocks.findIndex(
    (block) => hasType(block, 'tool_result') && !known.includes(textOf(block, 'tool_use_id') ?? ''),
  )
  if (place === -1) return undefined
  const id = textOf(turn.blocks[place], 'tool_use_id')
  return {
    message: `messages.${turn.index}.content.${place}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
  }
}
