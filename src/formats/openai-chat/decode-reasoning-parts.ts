import type { RedactedThinkingPart, ThinkingPart } from '../ir/chat-request.ts'
import { readSignature } from '../ir/signature.ts'
import type { AssistantMessage, ReasoningDetail } from './request-schema.ts'

/** OpenRouter's `format` of a detail → who can read its signature. */
const ISSUERS: ReadonlyMap<string, string> = new Map<string, string>([
  ['anthropic-claude-v1', 'anthropic'],
  ['google-gemini-v1', 'gemini'],
  ['openai-responses-v1', 'openai'],
])

/** Thinking of an earlier turn. `reasoning_details` has the signatures; where it has text, the plain fields repeat that text. */
export function decodeReasoningParts(message: AssistantMessage): readonly (ThinkingPart | RedactedThinkingPart)[] {
  const parts = mergeFragments(message.reasoning_details ?? []).flatMap(decodeDetail)
  const plain = message.reasoning_content ?? message.reasoning ?? ''
  if (plain === '' || parts.some((part) => part.type === 'thinking' && part.text !== '')) return parts
  return [{ type: 'thinking', text: plain }, ...parts]
}

/** A client that keeps a stream's details unmerged sends one block back as many entries of the same index. */
function mergeFragments(details: readonly ReasoningDetail[]): readonly ReasoningDetail[] {
  const merged: ReasoningDetail[] = []
  for (const detail of details) {
    const last = merged.at(-1)
    if (last !== undefined && isContinuedBy(last, detail)) {
      merged[merged.length - 1] = {
        ...last,
        text: `${last.text ?? ''}${detail.text ?? ''}`,
        signature: detail.signature ?? null,
      }
    } else merged.push(detail)
  }
  return merged
}

function isContinuedBy(last: ReasoningDetail, next: ReasoningDetail): boolean {
  const isText = last.type === 'reasoning.text' && next.type === 'reasoning.text'
  return isText && last.index != null && last.index === next.index && last.signature == null
}

function decodeDetail(detail: ReasoningDetail): (ThinkingPart | RedactedThinkingPart)[] {
  const native = ISSUERS.get(detail.format ?? '')
  if (detail.data != null) return [{ type: 'redacted-thinking', data: readSignature(detail.data, native) }]
  const text = detail.text ?? detail.summary ?? ''
  if (text === '' && detail.signature == null) return []
  const signature = detail.signature == null ? undefined : readSignature(detail.signature, native)
  return [{ type: 'thinking', text, ...(signature !== undefined && { signature }) }]
}
