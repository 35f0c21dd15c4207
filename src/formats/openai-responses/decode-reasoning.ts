import type { AssistantPart } from '../ir/chat-request.ts'
import { readSignature } from '../ir/signature.ts'
import type { InputItem } from './request-schema.ts'

/**
 * A reasoning item holds readable text, or a sealed blob, or both.
 * A blob that another issuer signed beside a summary is that thinking's signature: `encode-reply` wrote it so.
 */
export function decodeReasoning(item: Extract<InputItem, { type: 'reasoning' }>): AssistantPart[] {
  const pieces = item.content?.length ? item.content : (item.summary ?? [])
  const text = pieces.map((piece) => piece.text).join('\n\n')
  const sealed = item.encrypted_content ? readSignature(item.encrypted_content, 'openai') : undefined
  if (sealed !== undefined && sealed.issuer !== 'openai' && pieces.length > 0) {
    return [{ type: 'thinking', text, signature: sealed }]
  }
  const parts: AssistantPart[] = text === '' ? [] : [{ type: 'thinking', text }]
  if (sealed !== undefined) {
    parts.push(
      item.id ? { type: 'redacted-thinking', data: sealed, id: item.id } : { type: 'redacted-thinking', data: sealed },
    )
  }
  return parts
}
