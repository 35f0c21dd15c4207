import type { TargetModel } from '../format.ts'
import { appendAll } from '../ir/append-all.ts'
import type { AssistantPart, TextPart, Turn } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import { signatureFor } from '../ir/signature.ts'
import { TurnList } from '../ir/turn-list.ts'

/**
 * The turns without what Anthropic takes from nobody (blank text, thinking of another issuer), and neighbouring assistant
 * turns as one: clients that keep each call as an item of its own may put the results behind all of them.
 */
export function sendableTurns(turns: readonly Turn[], { issuer }: TargetModel, dropped: DroppedParameters): Turn[] {
  const sendable = new TurnList()
  for (const turn of turns) {
    const kept = keepParts(turn, issuer, dropped)
    if (kept?.role === 'assistant') appendAll(sendable.assistantParts(), kept.parts)
    else if (kept !== undefined) sendable.push(kept)
  }
  return sendable.turns
}

/** Whether a part is thinking that its own issuer will take back. */
export function isOwnThinking(part: AssistantPart, issuer: string): boolean {
  if (part.type === 'thinking') return signatureFor(issuer, part.signature) !== undefined
  return part.type === 'redacted-thinking' && signatureFor(issuer, part.data) !== undefined
}

function keepParts(turn: Turn, issuer: string, dropped: DroppedParameters): Turn | undefined {
  switch (turn.role) {
    case 'user':
      return turn
    case 'tool':
      return turn.results.length > 0 ? turn : undefined
    case 'system': {
      const parts = turn.parts.filter(hasText)
      return parts.length > 0 ? { role: 'system', parts } : undefined
    }
    case 'assistant': {
      const parts = turn.parts.filter((part) => isSent(part, issuer, dropped))
      return parts.length > 0 ? { role: 'assistant', parts } : undefined
    }
  }
}

function isSent(part: AssistantPart, issuer: string, dropped: DroppedParameters): boolean {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return hasText(part)
    case 'tool-call':
      return true
    case 'thinking':
    case 'redacted-thinking':
      if (isOwnThinking(part, issuer)) return true
      dropped.add(part.type === 'thinking' ? 'messages.thinking' : 'messages.redacted_thinking')
      return false
    case 'image':
      dropped.add('messages.assistant.image')
      return false
  }
}

function hasText({ text }: Pick<TextPart, 'text'>): boolean {
  return text.trim() !== ''
}
