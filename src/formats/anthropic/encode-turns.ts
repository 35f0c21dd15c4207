import type { TargetModel } from '../format.ts'
import { appendAll } from '../ir/append-all.ts'
import type { AssistantPart, JsonObject, TextPart, ToolCallPart, ToolResult, Turn } from '../ir/chat-request.ts'
import type { DroppedParameters } from '../ir/dropped-parameters.ts'
import type { ToolNameMap } from '../ir/tool-names.ts'
import { type AnsweredCall, answerCalls, type PairedTurn } from './answer-calls.ts'
import { cacheControl, textBlocks, toolResultBlock, userBlocks } from './encode-content.ts'
import { readToolInput } from './encode-reply.ts'

/** A message being put together; neighbours of one role are merged into one. */
export interface DraftMessage {
  readonly role: 'user' | 'assistant' | 'system'
  readonly blocks: JsonObject[]
}
interface Encoding {
  readonly target: TargetModel
  readonly names: ToolNameMap
  readonly dropped: DroppedParameters
}

/** Anthropic refuses empty messages and a conversation that does not begin with the user; a sentence would be echoed. */
const FILLER = '.'

/** The turns, which must be `sendableTurns`, as Anthropic's messages. `canPrefill`: the last message may be the assistant's. */
export function encodeTurns(
  turns: readonly Turn[],
  encoding: Encoding & { readonly canPrefill: boolean },
): JsonObject[] {
  const drafts: DraftMessage[] = []
  for (const turn of answerCalls(turns)) addTurn(drafts, turn, encoding)
  const messages = mergeNeighbours(placeSystem(drafts, encoding.target.capabilities.midSystem === true))
  if (messages[0]?.role !== 'user') messages.unshift({ role: 'user', blocks: [] })
  closeConversation(messages, encoding.canPrefill)
  return messages.map(({ role, blocks }) => ({
    role,
    content: blocks.length > 0 ? blocks : [{ type: 'text', text: FILLER }],
  }))
}

function addTurn(drafts: DraftMessage[], turn: PairedTurn, encoding: Encoding): void {
  switch (turn.role) {
    case 'system':
      drafts.push({ role: 'system', blocks: systemBlocks(turn.parts) })
      return
    case 'user':
      drafts.push({ role: 'user', blocks: turn.parts.flatMap(userBlocks) })
      return
    case 'orphans':
      encoding.dropped.add('messages.tool_result.without_call')
      drafts.push({ role: 'user', blocks: turn.results.flatMap(orphanBlocks) })
      return
    case 'assistant': {
      drafts.push({ role: 'assistant', blocks: assistantBlocks(turn.turn.parts, turn.calls, encoding) })
      if (turn.calls.some(({ result }) => result === undefined))
        encoding.dropped.add('messages.tool_call.without_result')
      if (turn.calls.length > 0) drafts.push({ role: 'user', blocks: turn.calls.map(answerBlock) })
      return
    }
  }
}

function answerBlock({ id, result }: AnsweredCall): JsonObject {
  if (result !== undefined) return toolResultBlock(id, result)
  return { type: 'tool_result', tool_use_id: id, content: 'no result', is_error: true }
}

/** A result without its call cannot be a `tool_result`; its content is kept as text. */
function orphanBlocks(result: ToolResult): JsonObject[] {
  const name = result.name ?? result.callId
  return [{ type: 'text', text: `Result of tool call ${name}:` }, ...result.parts.flatMap((part) => userBlocks(part))]
}

/** Thinking first and calls last, each group in its own order. */
function assistantBlocks(
  parts: readonly AssistantPart[],
  calls: readonly AnsweredCall[],
  encoding: Encoding,
): JsonObject[] {
  const blocks = parts.flatMap((part) => (part.type === 'tool-call' ? [] : assistantBlock(part)))
  const isThinking = (block: JsonObject) => block['type'] === 'thinking' || block['type'] === 'redacted_thinking'
  const leading = blocks[0] === undefined || isThinking(blocks[0])
  return [
    ...(leading ? blocks : [...blocks.filter(isThinking), ...blocks.filter((block) => !isThinking(block))]),
    ...calls.map(({ call, id }) => toolUseBlock(call, id, encoding)),
  ]
}

/** Arguments that a model broke off cannot be sent: `input` is an object. */
function toolUseBlock(call: ToolCallPart, id: string, { names, dropped }: Encoding): JsonObject {
  const input = readToolInput(call.arguments)
  if (input === undefined) dropped.add('messages.tool_call.arguments')
  return { type: 'tool_use', id, name: names.encode(call.name), input: input ?? {}, ...cacheControl(call.cache) }
}

function assistantBlock(part: Exclude<AssistantPart, ToolCallPart>): JsonObject[] {
  switch (part.type) {
    case 'text':
      return textBlocks(part)
    case 'refusal':
      return textBlocks({ type: 'text', text: part.text })
    case 'thinking':
      return [{ type: 'thinking', thinking: part.text, signature: part.signature?.value ?? '' }]
    case 'redacted-thinking':
      return [{ type: 'redacted_thinking', data: part.data.value }]
    case 'image':
      return []
  }
}

/**
 * Where the model takes `role: system`, it must stand right behind a user message, and an assistant message or nothing
 * may follow; anywhere else, and for other models, it becomes user text at the same place.
 * @see https://platform.claude.com/docs/en/api/messages
 */
function placeSystem(drafts: readonly DraftMessage[], isTaken: boolean): DraftMessage[] {
  return mergeNeighbours(drafts).map((draft, at, all): DraftMessage => {
    if (draft.role !== 'system') return draft
    const next = all[at + 1]?.role ?? 'assistant'
    if (isTaken && all[at - 1]?.role === 'user' && next === 'assistant') return draft
    return { role: 'user', blocks: draft.blocks.map(wrapSystem) }
  })
}

function wrapSystem(block: JsonObject): JsonObject {
  return { ...block, text: `<system>\n${String(block['text'])}\n</system>` }
}

function mergeNeighbours(drafts: readonly DraftMessage[]): DraftMessage[] {
  const merged: DraftMessage[] = []
  for (const { role, blocks } of drafts) {
    const last = merged.at(-1)
    if (last?.role === role) appendAll(last.blocks, blocks)
    else merged.push({ role, blocks: [...blocks] })
  }
  return merged
}

/** Text that the assistant shall continue may not end in white space; models without prefill want the user last. */
function closeConversation(messages: DraftMessage[], canPrefill: boolean): void {
  const last = messages.at(-1)
  if (last?.role !== 'assistant') return
  if (!canPrefill) {
    messages.push({ role: 'user', blocks: [{ type: 'text', text: 'Continue.' }] })
    return
  }
  const block = last.blocks.at(-1)
  if (block?.['type'] !== 'text') return
  last.blocks.splice(-1, 1, { ...block, text: String(block['text']).trimEnd() })
}

export function systemBlocks(system: readonly TextPart[]): JsonObject[] {
  return system.flatMap(textBlocks)
}
