import { createHash } from 'node:crypto'
import { readMember } from '#formats/json-scan/edit-member.ts'
import type { Affinity } from '#table/routing-table.ts'
import type { Exchange } from '../exchange.ts'

/** Headers by which coding agents name their conversation, and OpenAI's own cache key. */
const SESSION_HEADERS = ['x-claude-code-session-id', 'x-session-id', 'session-id', 'x-session-affinity']
/** Long enough to tell system prompts and first messages apart. */
const PREFIX_BYTES = 2_048
/** Where the formats have what a conversation begins with. */
const BEGINNINGS = [
  'system',
  'systemInstruction',
  'system_instruction',
  'instructions',
  'messages',
  'contents',
  'input',
  'prompt',
]

/** What keeps a conversation at one account, so that the provider's prompt cache stays warm; undefined = nothing does. */
export function affinityKey(exchange: Exchange, affinity: Affinity): string | undefined {
  const { headers } = exchange.request
  switch (affinity.by) {
    case 'None':
      return undefined
    case 'Client':
      return exchange.client?.name
    case 'Header': {
      const value = headers[affinity.header ?? '']
      return typeof value === 'string' ? value : undefined
    }
    case 'Session': {
      const name = SESSION_HEADERS.find((header) => typeof headers[header] === 'string')
      if (name !== undefined) return String(headers[name])
      return textMember(exchange, 'prompt_cache_key') ?? userOf(exchange) ?? exchange.client?.name
    }
    case 'PromptPrefix': {
      const prefix = BEGINNINGS.map((key) => beginning(memberText(exchange, key) ?? '')).join('\n')
      return createHash('sha256').update(prefix).digest('base64url')
    }
  }
}

/** Coding agents put the session into Anthropic's `metadata.user_id`. */
function userOf({ scan, body }: Exchange): string | undefined {
  if (scan?.members.get('metadata') === undefined) return undefined
  const metadata = readMember(body, scan, 'metadata')
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return undefined
  const user = Object.getOwnPropertyDescriptor(metadata, 'user_id')?.value
  return typeof user === 'string' && user !== '' ? user : undefined
}

function textMember({ scan, body }: Exchange, key: string): string | undefined {
  if (scan?.members.get(key) === undefined) return undefined
  const value = readMember(body, scan, key)
  return typeof value === 'string' && value !== '' ? value : undefined
}

const SETTING = /"role"\s*:\s*"(?:system|developer)"/

/** Of a list of messages those up to the first that is no instruction: they stay the same when the conversation grows. */
function beginning(text: string): string {
  if (!text.startsWith('[')) return text
  let start = 1
  for (const end of elementEnds(text)) {
    if (!SETTING.test(text.slice(start, end))) return text.slice(0, end)
    start = end + 1
  }
  return text
}

/** Where the elements of a JSON array end, as far as the text goes. */
function* elementEnds(text: string): Generator<number> {
  const marks = /"(?:[^"\\]|\\.)*"|[[\]{},]/gs
  let depth = 0
  for (const { 0: mark, index } of text.matchAll(marks)) {
    if (mark === '[' || mark === '{') depth += 1
    else if (mark === ']' || mark === '}') depth -= 1
    if ((mark === ',' && depth === 1) || depth === 0) yield index
  }
}

function memberText({ scan, body }: Exchange, key: string): string | undefined {
  const member = scan?.members.get(key)
  if (member === undefined) return undefined
  const end = Math.min(member.valueEnd, member.valueStart + PREFIX_BYTES)
  return Buffer.from(body.buffer, body.byteOffset + member.valueStart, end - member.valueStart).toString('latin1')
}
