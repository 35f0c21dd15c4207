import type { StrippedRequest } from '../format.ts'
import { changeObjects, withoutMembers } from '../ir/change-objects.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { jsonText } from '../ir/json-fields.ts'

/**
 * Without the reasoning items of earlier turns: also those without a sealed blob are checked. An item that has an id of its own is refused
 * without the reasoning that it came from ("was provided without its required 'reasoning' item"), so that ids go, too; calls keep their
 * `call_id`. Compaction items stay: they stand for content that nothing else holds.
 * @see https://platform.openai.com/docs/guides/reasoning
 */
export function withoutReasoning(body: JsonObject): StrippedRequest | undefined {
  let found = 0
  const input = changeObjects(body['input'], (item) => {
    if (!isReasoning(item)) return isOutput(item) ? withoutMembers(item, ['id']) : item
    found += 1
    return undefined
  })
  if (found === 0 || input === undefined) return undefined
  return { body: { ...body, input }, dropped: ['input.reasoning'] }
}

function isReasoning({ type, id }: JsonObject): boolean {
  return type === 'reasoning' || (type === 'item_reference' && jsonText(id).startsWith('rs_'))
}

/** Items that a model wrote and whose id may be left out. */
function isOutput({ type, role }: JsonObject): boolean {
  return type === 'function_call' || type === 'custom_tool_call' || (type === 'message' && role === 'assistant')
}
