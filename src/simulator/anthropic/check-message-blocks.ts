import { firstRefusal, type Refusal, refusalOfEach } from '../call-context.ts'
import { isMap, type JsonMap, memberOf, textOf } from '../json-value.ts'
import { ANTHROPIC_SIGNATURE } from './messages-reply.ts'

/** Members of the blocks a converter writes; other block types are not looked into. */
const MEMBERS: Record<string, readonly string[]> = {
  text: ['type', 'text', 'cache_control', 'citations'],
  image: ['type', 'source', 'cache_control', 'transformations'],
  tool_use: ['type', 'id', 'name', 'input', 'cache_control', 'caller'],
  tool_result: ['type', 'tool_use_id', 'content', 'is_error', 'cache_control'],
  thinking: ['type', 'thinking', 'signature'],
  redacted_thinking: ['type', 'data'],
}
const ONLY_ASSISTANT = ['tool_use', 'thinking', 'redacted_thinking', 'server_tool_use']
const ONLY_USER = ['tool_result', 'image']
const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']

/** One message: its members, then each block. */
export function checkMessageBlocks(message: unknown, index: number, count: number): Refusal | undefined {
  if (!isMap(message)) return { message: `messages.${index}: Input should be a valid dictionary` }
  const extra = Object.keys(message).find((name) => name !== 'role' && name !== 'content')
  if (extra !== undefined) return { message: `messages.${index}.${extra}: Extra inputs are not permitted` }
  const { role, content } = message
  const last = index === count - 1 && role === 'assistant'
  if (content === '' || (Array.isArray(content) && content.length === 0)) {
    return last
      ? undefined
      : {
          message: `messages.${index}: all messages must have non-empty content except for the optional final assistant message`,
        }
  }
  if (typeof content === 'string') return checkPlainText(content, last)
  if (!Array.isArray(content)) return { message: `messages.${index}.content: Input should be a valid list` }
  return refusalOfEach(content, (block, place) => checkBlock(block, String(role), `messages.${index}.content.${place}`))
}

function checkPlainText(text: string, last: boolean): Refusal | undefined {
  if (text.trim() === '') return { message: 'messages: text content blocks must contain non-whitespace text' }
  return last && text.trimEnd() !== text
    ? { message: 'messages: final assistant content cannot end with trailing whitespace' }
    : undefined
}

function checkBlock(block: unknown, role: string, at: string): Refusal | undefined {
  const type = textOf(block, 'type')
  if (!isMap(block) || type === undefined) return { message: `${at}.type: Field required` }
  const members = MEMBERS[type]
  const extra = members === undefined ? undefined : Object.keys(block).find((name) => !members.includes(name))
  if (extra !== undefined) return { message: `${at}.${type}.${extra}: Extra inputs are not permitted` }
  if (role !== 'assistant' && ONLY_ASSISTANT.includes(type)) {
    return { message: `messages: \`${type}\` blocks can only be in \`assistant\` messages` }
  }
  if (role !== 'user' && ONLY_USER.includes(type))
    return { message: `messages: \`${type}\` blocks can only be in \`user\` messages` }
  switch (type) {
    case 'text':
      return checkText(block, at)
    case 'tool_use':
      return checkToolUse(block, at)
    case 'tool_result':
      return checkToolResult(block, at)
    case 'thinking':
      return String(block['signature']).startsWith(ANTHROPIC_SIGNATURE)
        ? undefined
        : { message: `${at}: Invalid \`signature\` in \`thinking\` block` }
    case 'image':
      return checkImage(memberOf(block, 'source'), at)
    default:
      return undefined
  }
}

function checkText(block: JsonMap, at: string): Refusal | undefined {
  const { text } = block
  if (typeof text !== 'string') return { message: `${at}.text.text: Input should be a valid string` }
  if (text === '') return { message: 'messages: text content blocks must be non-empty' }
  return text.trim() === '' ? { message: 'messages: text content blocks must contain non-whitespace text' } : undefined
}

function checkToolUse(block: JsonMap, at: string): Refusal | undefined {
  return firstRefusal(
    () =>
      /^[a-zA-Z0-9_-]+$/.test(String(block['id'] ?? ''))
        ? undefined
        : { message: `${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'` },
    () => (typeof block['name'] === 'string' ? undefined : { message: `${at}.tool_use.name: Field required` }),
    () => (isMap(block['input']) ? undefined : { message: `${at}.tool_use.input: Input should be a valid dictionary` }),
  )
}

function checkToolResult(block: JsonMap, at: string): Refusal | undefined {
  const { content } = block
  if (textOf(block, 'tool_use_id') === undefined) return { message: `${at}.tool_result.tool_use_id: Field required` }
  if (content === undefined || typeof content === 'string') return undefined
  if (!Array.isArray(content)) return { message: `${at}.tool_result.content: Input should be a valid list` }
  return refusalOfEach(content, (part, place) => {
    const inner = `${at}.tool_result.content.${place}`
    const type = textOf(part, 'type')
    if (type === 'text' && isMap(part)) return checkText(part, inner)
    if (type === 'image') return checkImage(memberOf(part, 'source'), inner)
    const known = type !== undefined && ['document', 'search_result', 'tool_reference'].includes(type)
    return known
      ? undefined
      : { message: `${inner}: Input tag '${type}' found using 'type' does not match any of the expected tags` }
  })
}

function checkImage(source: unknown, at: string): Refusal | undefined {
  const type = textOf(source, 'type')
  if (type === 'url') {
    return /^https:\/\//.test(textOf(source, 'url') ?? '')
      ? undefined
      : { message: `${at}.image.source.url: Only HTTPS URLs are supported.` }
  }
  if (type === 'file') return undefined
  if (type !== 'base64')
    return {
      message: `${at}.image.source: Input tag '${type}' found using 'type' does not match any of the expected tags`,
    }
  if (!IMAGE_TYPES.includes(textOf(source, 'media_type') ?? '')) {
    return {
      message: `${at}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'`,
    }
  }
  return /^[A-Za-z0-9+/]+={0,2}$/.test(textOf(source, 'data') ?? '')
    ? undefined
    : { message: `${at}.image.source.base64.data: Invalid base64 data` }
}
