import type { StrippedRequest, TargetModel } from '../format.ts'
import { changeObjects, objectsOf, withoutMembers } from '../ir/change-objects.ts'
import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject, jsonText } from '../ir/json-fields.ts'

const THINKING: ReadonlySet<JsonValue | undefined> = new Set(['thinking', 'redacted_thinking'])

/**
 * Without the thinking blocks of earlier turns. Thinking by budget wants those of a running tool loop back, so that it is switched off
 * there; adaptive thinking does without them.
 * @see https://platform.claude.com/docs/en/build-with-claude/extended-thinking
 * @see https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
 */
export function withoutThinking(body: JsonObject, target: TargetModel): StrippedRequest | undefined {
  const dropped = new Set<string>()
  const messages = changeObjects(body['messages'], (message) => withoutBlocks(message, dropped))
  const stripped = messages === undefined ? body : { ...body, messages }
  if (!thinksByBudget(body) || !endsInCalls(messages)) {
    return dropped.size === 0 ? undefined : { body: stripped, dropped: [...dropped] }
  }
  return { body: switchedOff(stripped, target), dropped: [...dropped, 'thinking'] }
}

/** Undefined: nothing is left, and an empty message is refused. */
function withoutBlocks(message: JsonObject, dropped: Set<string>): JsonObject | undefined {
  const blocks = objectsOf(message['content']).filter(({ type }) => THINKING.has(type))
  if (blocks.length === 0) return message
  for (const { type } of blocks) dropped.add(`messages.${jsonText(type)}`)
  const content = changeObjects(message['content'], (block) => (THINKING.has(block['type']) ? undefined : block)) ?? []
  return Array.isArray(content) && content.length === 0 ? undefined : { ...message, content }
}

function thinksByBudget({ thinking }: JsonObject): boolean {
  return isJsonObject(thinking) && thinking['type'] === 'enabled'
}

/** "a final `assistant` message must start with a thinking block (preceding the lastmost set of `tool_use` and `tool_result` blocks)" */
function endsInCalls(messages: JsonValue | undefined): boolean {
  const last = objectsOf(messages).findLast(({ role }) => role === 'assistant')
  return objectsOf(last?.['content']).some(({ type }) => typeof type === 'string' && type.endsWith('tool_use'))
}

function switchedOff(body: JsonObject, { capabilities }: TargetModel): JsonObject {
  const rest = withoutMembers(body, ['thinking', 'context_management'])
  return {
    ...rest,
    ...(capabilities.thinkingAlwaysOn === true ? {} : { thinking: { type: 'disabled' } }),
    ...contextEdits(body['context_management']),
  }
}

/** The edit that clears thinking is refused where nothing thinks. @see https://platform.claude.com/docs/en/build-with-claude/context-editing */
function contextEdits(management: JsonValue | undefined): JsonObject {
  if (management === undefined) return {}
  if (!isJsonObject(management)) return { context_management: management }
  const edits = changeObjects(management['edits'], (edit) =>
    jsonText(edit['type']).startsWith('clear_thinking') ? undefined : edit,
  )
  if (Array.isArray(edits) && edits.length === 0) return {}
  return { context_management: edits === undefined ? management : { ...management, edits } }
}
