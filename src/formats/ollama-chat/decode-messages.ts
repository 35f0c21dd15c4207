import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { appendAll } from '../ir/append-all.ts'
import type { AssistantPart, TextPart, ToolCallPart, ToolResult, Turn } from '../ir/chat-request.ts'
import { jsonObject } from '../ir/json-fields.ts'
import { OpenCalls } from '../ir/open-calls.ts'
import { TurnList } from '../ir/turn-list.ts'
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

interface Draft {
  readonly system: TextPart[]
  readonly list: TurnList
  /** Calls whose results have not come yet. */
  readonly open: OpenCalls<ToolCallPart>
}

/** @throws KorProxyError KP-SYS-516 for a role that is not known */
export function decodeConversation(messages: readonly Message[]): { system: TextPart[]; turns: Turn[] } {
  const draft: Draft = { system: [], list: new TurnList(), open: new OpenCalls() }
  for (const [at, entry] of messages.entries()) addMessage(draft, entry, at)
  return { system: draft.system, turns: draft.list.turns }
}

function addMessage(draft: Draft, entry: Message, at: number): void {
  const { system, list } = draft
  switch (entry.role) {
    case 'system':
      if (list.isEmpty) appendAll(system, textParts(entry))
      else list.push({ role: 'system', parts: textParts(entry) })
      return
    case 'user':
      list.push({ role: 'user', parts: [...textParts(entry), ...(entry.images ?? []).map(readImage)] })
      return
    case 'assistant':
      addAssistant(draft, entry, at)
      return
    case 'tool':
      addToolResult(draft, entry, at)
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
function addAssistant({ list, open }: Draft, entry: Message, at: number): void {
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
  list.push({ role: 'assistant', parts })
  for (const call of calls) open.add(call, [`id ${call.id}`, `name ${call.name}`, 'any'])
}

/** A result without an id belongs to the oldest open call of its tool, else to the oldest open call. */
function addToolResult({ list, open }: Draft, entry: Message, at: number): void {
  const name = entry.tool_name ?? entry.name ?? undefined
  const byId = entry.tool_call_id ? [`id ${entry.tool_call_id}`] : []
  const byName = name === undefined ? [] : [`name ${name}`]
  const call = open.take([...byId, ...byName, 'any'])
  const callId = entry.tool_call_id || call?.id || `call_${at}`
  const toolName = name ?? call?.name
  const result: ToolResult = {
    callId,
    ...(toolName === undefined ? {} : { name: toolName }),
    parts: [...textParts(entry), ...(entry.images ?? []).map(readImage)],
    isError: false,
  }
  list.addResult(result)
}
