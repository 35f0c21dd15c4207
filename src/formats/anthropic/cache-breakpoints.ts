import type { JsonObject, JsonValue } from '../ir/chat-request.ts'
import { isJsonObject } from '../ir/json-fields.ts'

/** @see https://platform.claude.com/docs/en/build-with-claude/prompt-caching */
const MAX_BREAKPOINTS = 4

/** Anthropic refuses more than four breakpoints; the last ones cover the longest prefixes and stay. */
export function limitBreakpoints(body: JsonObject): JsonObject {
  const { tools = [], system = [], messages = [] } = body
  let surplus = countBreakpoints([tools, system, messages]) - MAX_BREAKPOINTS
  if (surplus <= 0) return body
  const strip = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return value.map(strip)
    if (!isJsonObject(value)) return value
    const { cache_control: control, content, ...rest } = value
    const inner = content === undefined ? {} : { content: strip(content) }
    if (control === undefined) return { ...rest, ...inner }
    surplus -= 1
    return surplus >= 0 ? { ...rest, ...inner } : { ...rest, ...inner, cache_control: control }
  }
  const [keptTools, keptSystem, keptMessages] = [strip(tools), strip(system), strip(messages)]
  return {
    ...body,
    ...(body['tools'] !== undefined && { tools: keptTools }),
    ...(body['system'] !== undefined && { system: keptSystem }),
    messages: keptMessages,
  }
}

/** Breakpoints stand on tools, system blocks, content blocks and the blocks of tool results. */
function countBreakpoints(value: JsonValue): number {
  if (Array.isArray(value)) return value.reduce((sum: number, entry) => sum + countBreakpoints(entry), 0)
  if (!isJsonObject(value)) return 0
  return (value['cache_control'] === undefined ? 0 : 1) + countBreakpoints(value['content'] ?? [])
}
