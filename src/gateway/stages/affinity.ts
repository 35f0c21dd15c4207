import { createHash } from 'node:crypto'
import type { Affinity } from '#table/routing-table.ts'
import type { Exchange } from '../exchange.ts'

/** Headers by which coding agents name their conversation, and OpenAI's own cache key. */
const SESSION_HEADERS = ['x-claude-code-session-id', 'x-session-id', 'session-id', 'x-session-affinity']
/** Long enough to tell system prompts and first messages apart. */
const PREFIX_BYTES = 2_048

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
      return memberText(exchange, 'prompt_cache_key') ?? exchange.client?.name
    }
    case 'PromptPrefix': {
      const prefix = ['system', 'systemInstruction', 'instructions', 'messages', 'contents', 'input']
        .map((key) => memberText(exchange, key) ?? '')
        .join('\n')
      return createHash('sha256').update(prefix).digest('base64url')
    }
  }
}

function memberText({ scan, body }: Exchange, key: string): string | undefined {
  const member = scan?.members.get(key)
  if (member === undefined) return undefined
  const end = Math.min(member.valueEnd, member.valueStart + PREFIX_BYTES)
  return Buffer.from(body.buffer, body.byteOffset + member.valueStart, end - member.valueStart).toString('latin1')
}
