import type { AssistantPart } from '../ir/chat-request.ts'

/** Joins the chunks of one text or one thought; a signature closes its thought. */
export function appendAssistantPart(parts: AssistantPart[], next: AssistantPart): void {
  const joined = joinParts(parts.at(-1), next)
  if (joined === undefined) parts.push(next)
  else parts.splice(-1, 1, joined)
}

function joinParts(last: AssistantPart | undefined, next: AssistantPart): AssistantPart | undefined {
  if (last?.type === 'text' && next.type === 'text') return { type: 'text', text: last.text + next.text }
  if (last?.type === 'thinking' && last.signature === undefined && next.type === 'thinking') {
    return { ...next, text: last.text + next.text }
  }
  return undefined
}
