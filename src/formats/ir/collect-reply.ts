import type { ChatEvent, ChatReply, Citation, FinishEvent, ReplyChoice, ReplyPart, Usage } from './chat-event.ts'
import type { JsonObject, Signature } from './chat-request.ts'

type DraftPart =
  | { type: 'text'; text: string; citations: Citation[] }
  | { type: 'thinking'; text: string; signature: Signature | undefined }
  | Extract<ReplyPart, { type: 'redacted-thinking' | 'image' }>
  | { type: 'refusal'; text: string }
  | {
      type: 'tool-call'
      index: number
      id: string
      name: string
      arguments: string
      signature: Signature | undefined
    }

interface DraftChoice {
  parts: DraftPart[]
  finish: FinishEvent | undefined
  logprobs: JsonObject | undefined
}

/** Folds the events of a reply into the reply. Error events are the caller's business and must not get here. */
export function collectReply(events: Iterable<ChatEvent>): ChatReply {
  let start: Extract<ChatEvent, { type: 'start' }> | undefined
  let usage: Usage | undefined
  const choices: DraftChoice[] = []
  for (const event of events) {
    if (event.type === 'start') start = event
    else if (event.type === 'usage') usage = { ...usage, ...event.usage }
    else if (event.type !== 'error') addToChoice(choiceAt(choices, event.choice), event)
  }
  return {
    id: start?.id,
    model: start?.model,
    createdAt: start?.createdAt,
    choices: [...choices.entries()].map(([index, draft]) => finishChoice(index, draft)),
    usage,
  }
}

function choiceAt(choices: DraftChoice[], index: number): DraftChoice {
  while (choices.length <= index) choices.push({ parts: [], finish: undefined, logprobs: undefined })
  const choice = choices[index]
  if (choice === undefined) throw new RangeError(`choice ${index}`)
  return choice
}

function addToChoice(choice: DraftChoice, event: Exclude<ChatEvent, { type: 'start' | 'usage' | 'error' }>): void {
  switch (event.type) {
    case 'text-delta':
      lastPart(choice, 'text', { type: 'text', text: '', citations: [] }).text += event.text
      return
    case 'citation':
      lastPart(choice, 'text', { type: 'text', text: '', citations: [] }).citations.push(event)
      return
    case 'thinking-delta':
      openThinking(choice).text += event.text
      return
    case 'thinking-signature':
      openThinking(choice).signature = event.signature
      return
    case 'redacted-thinking':
      choice.parts.push({ type: 'redacted-thinking', data: event.data })
      return
    case 'refusal-delta':
      lastPart(choice, 'refusal', { type: 'refusal', text: '' }).text += event.text
      return
    case 'tool-call-start':
      choice.parts.push({
        type: 'tool-call',
        index: event.index,
        id: event.id,
        name: event.name,
        arguments: '',
        signature: event.signature,
      })
      return
    case 'tool-call-delta': {
      const call = choice.parts.find((part) => part.type === 'tool-call' && part.index === event.index)
      if (call?.type === 'tool-call') call.arguments += event.arguments
      return
    }
    case 'tool-call-end':
      return
    case 'image':
      choice.parts.push({ type: 'image', mediaType: event.mediaType, data: event.data })
      return
    case 'logprobs':
      choice.logprobs = mergeLogprobs(choice.logprobs, event.logprobs)
      return
    case 'finish':
      choice.finish = event
      return
  }
}

/** A signature closes its block: thinking after it is a new one. */
function openThinking(choice: DraftChoice): Extract<DraftPart, { type: 'thinking' }> {
  const last = choice.parts.at(-1)
  if (last?.type === 'thinking' && last.signature === undefined) return last
  const part = { type: 'thinking' as const, text: '', signature: undefined }
  choice.parts.push(part)
  return part
}

function lastPart<T extends 'text' | 'refusal'>(
  choice: DraftChoice,
  type: T,
  fresh: Extract<DraftPart, { type: T }>,
): Extract<DraftPart, { type: T }> {
  const last = choice.parts.at(-1)
  // The type field was just compared.
  if (last?.type === type) return last as Extract<DraftPart, { type: T }>
  choice.parts.push(fresh)
  return fresh
}

/** OpenAI streams `{content: [...], refusal: [...]}` piece by piece; a whole reply has the lists joined. */
function mergeLogprobs(before: JsonObject | undefined, next: JsonObject): JsonObject {
  if (before === undefined) return next
  const merged: Record<string, JsonObject[string]> = { ...before }
  for (const [key, value] of Object.entries(next)) {
    const old = merged[key]
    merged[key] = Array.isArray(old) && Array.isArray(value) ? [...old, ...value] : value
  }
  return merged
}

function finishChoice(index: number, draft: DraftChoice): ReplyChoice {
  const parts = draft.parts.map((part): ReplyPart => {
    if (part.type !== 'tool-call') return part
    return { type: 'tool-call', id: part.id, name: part.name, arguments: part.arguments, signature: part.signature }
  })
  return { index, parts, finish: draft.finish, logprobs: draft.logprobs }
}
