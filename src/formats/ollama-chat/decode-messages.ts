import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { AssistantPart, TextPart, ToolCallPart, ToolResult, Turn } from '../ir/chat-request.ts'
import { jsonObject } from '../ir/json-fields.ts'
import { readImage } from './image-bytes.ts'

const toolCall = z.object({
  id: z.string().nullish(),
  function: z.object({ name: z.string(), arguments: z.union([jsonObject, z.string()]).nullish() }),
})
export const message = z.object({
  role: z.string(),
  content: z.string().nullish(),
  thinking: z.string().nullish(),
  images: z.array(z.string()).nullish(),
  tool_calls: z.array(toolCall).nullish(),
  tool_name: z.string().nullish(),
  name: z.string().nullish(),
  tool_call_id: z.string().nullish(),
})
type Message = z.output<typeof message>

interface Conversation {
  readonly system: TextPart[]
  readonly turns: Turn[]
  /** Calls whose results have not come yet, oldest first. */
  open: ToolCallPart[]
}

/** @throws KorProxyError KP-SYS-516 for a role that is not known */
export function decodeConversation(messages: readonly Message[]): { system: TextPart[]; turns: Turn[] } {
  const conversation: Conversation = { system: [], turns: [], open: [] }
  for (const [at, entry] of messages.entries()) addMessage(conversation, entry, at)
  return { system: conversation.system, turns: conversation.turns }
}

function addMessage(conversation: Conversation, entry: Message, at: number): void {
  const { system, turns } = conversation
  switch (entry.role) {
    case 'system':
      if (turns.length === 0) system.push(...textParts(entry))
      else turns.push({ role: 'system', parts: textParts(entry) })
      return
    case 'user':
      turns.push({ role: 'user', parts: [...textParts(entry), ...(entry.images ?? []).map(readImage)] })
      return
    case 'assistant':
      addAssistant(conversation, entry, at)
      return
    case 'tool':
      addToolResult(conversation, entry, at)
      return
    default:
      throw new KorProxyError('KP-SYS-516', {
        message: `messages[${at}].role: Invalid option: expected one of "system"|"user"|"assistant"|"tool"`,
      })
  }
}

function textParts(entry: Message): TextPart[] {
  return entry.content ? [{ type: 'text', text: entry.content }] : []
}

/** Ids are made from the place in the conversation, so that the same history always gives the same ids. */
function addAssistant(conversation: Conversation, entry: Message, at: number): void {
  const calls = (entry.tool_calls ?? []).map((call, index): ToolCallPart => {
    const given = call.function.arguments ?? {}
    return {
      type: 'tool-call',
      id: call.id || `call_${at}_${index}`,
      name: call.function.name,
      arguments: typeof given === 'string' ? given : JSON.stringify(given),
    }
  })
  const thinking: AssistantPart[] = entry.thinking ? [{ type: 'thinking', text: entry.thinking }] : []
  const parts = [...thinking, ...textParts(entry), ...(entry.images ?? []).map(readImage), ...calls]
  conversation.turns.push({ role: 'assistant', parts })
  conversation.open = [...conversation.open, ...calls]
}

/** A result without an id belongs to the oldest open call of its tool, else to the oldest open call. */
function addToolResult(conversation: Conversation, entry: Message, at: number): void {
  const name = entry.tool_name ?? entry.name ?? undefined
  const { open, turns } = conversation
  const call =
    open.find((part) => part.id === entry.tool_call_id) ?? open.find((part) => part.name === name) ?? open.at(0)
  const callId = entry.tool_call_id || call?.id || `call_${at}`
  conversation.open = open.filter((part) => part !== call)
  const toolName = name ?? call?.name
  const result: ToolResult = {
    callId,
    ...(toolName === undefined ? {} : { name: toolName }),
    parts: [...textParts(entry), ...(entry.images ?? []).map(readImage)],
    isError: false,
  }
  const last = turns.at(-1)
  if (last?.role === 'tool') turns[turns.length - 1] = { role: 'tool', results: [...last.results, result] }
  else turns.push({ role: 'tool', results: [result] })
}
