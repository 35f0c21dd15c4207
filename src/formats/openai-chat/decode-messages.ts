import { appendAll } from '../ir/append-all.ts'
import type { TextPart, Turn, UserPart } from '../ir/chat-request.ts'
import { TurnList } from '../ir/turn-list.ts'
import { decodeAssistantMessage } from './decode-assistant-message.ts'
import { decodeTextContent, decodeToolContent, decodeUserPart, withCache } from './decode-content.ts'
import type { Message } from './request-schema.ts'

export interface Conversation {
  readonly system: readonly TextPart[]
  readonly turns: readonly Turn[]
}

/** Instructions before the first turn become `system`; neighbouring tool messages become one turn. */
export function decodeMessages(messages: readonly Message[], dropped: Set<string>): Conversation {
  const system: TextPart[] = []
  const list = new TurnList()
  const legacy = new LegacyCallIds()
  for (const [at, message] of messages.entries()) {
    countLosses(message, dropped)
    switch (message.role) {
      case 'system':
      case 'developer': {
        const parts = withCache(decodeTextContent(message.content), message.cache_control)
        if (list.isEmpty) appendAll(system, parts)
        else list.push({ role: 'system', parts })
        break
      }
      case 'user':
        list.push({ role: 'user', parts: decodeUserContent(message, `messages[${at}]`) })
        break
      case 'assistant':
        list.push({ role: 'assistant', parts: decodeAssistantMessage(message, () => legacy.next()) })
        break
      case 'tool':
        list.addResult({
          callId: message.tool_call_id,
          ...(message.name != null && { name: message.name }),
          ...decodeToolContent(message),
        })
        break
      case 'function': {
        const parts: TextPart[] = [{ type: 'text', text: message.content ?? '' }]
        list.addResult({ callId: legacy.current, name: message.name, parts, isError: false })
        break
      }
    }
  }
  return { system, turns: list.turns }
}

/** Who of several people speaks, and spoken answers kept at OpenAI, have no form elsewhere; the name of a tool does. */
function countLosses(message: Message, dropped: Set<string>): void {
  if (message.role === 'tool' || message.role === 'function') return
  if (message.name != null) dropped.add('messages.name')
  if (message.role === 'assistant' && message.audio != null) dropped.add('messages.audio')
}

function decodeUserContent(message: Extract<Message, { role: 'user' }>, path: string): readonly UserPart[] {
  const { content, cache_control } = message
  if (typeof content === 'string') return withCache([{ type: 'text', text: content }], cache_control)
  return withCache(
    content.map((part, at) => decodeUserPart(part, `${path}.content[${at}]`)),
    cache_control,
  )
}

/** The legacy `function_call` has no id; there is one call at a time, so its result belongs to the last one. */
class LegacyCallIds {
  #count = 0

  get current(): string {
    return `call_legacy_${this.#count}`
  }

  next(): string {
    this.#count += 1
    return this.current
  }
}
