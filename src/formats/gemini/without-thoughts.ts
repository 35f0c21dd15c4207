import type { StrippedRequest, TargetModel } from '../format.ts'
import { changeObjects, objectsOf, withoutMembers } from '../ir/change-objects.ts'
import type { JsonObject } from '../ir/chat-request.ts'
import { isThirdGeneration } from './gemini-target.ts'
import { CLIENT_MARKER, SKIP_VALIDATOR } from './thought-signature.ts'

/** Google reads both spellings of every field. */
const SIGNATURE = ['thoughtSignature', 'thought_signature']

interface Findings {
  readonly dropped: Set<string>
  /** Calls that lacked the marker. */
  marked: number
}

/**
 * Without the thoughts and signatures of earlier turns. Gemini 3 wants a signature at the first call of a turn: there stands the marker
 * that Google documents for calls of another model.
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export function withoutThoughts(body: JsonObject, target: TargetModel): StrippedRequest | undefined {
  const findings: Findings = { dropped: new Set(), marked: 0 }
  const contents = changeObjects(body['contents'], (content) => strippedContent(content, target, findings))
  if (contents === undefined || (findings.dropped.size === 0 && findings.marked === 0)) return undefined
  return { body: { ...body, contents }, dropped: [...findings.dropped] }
}

/** Undefined: nothing is left, and empty contents are refused. */
function strippedContent(content: JsonObject, target: TargetModel, findings: Findings): JsonObject | undefined {
  const before = content['parts']
  const firstCall = isThirdGeneration(target) ? objectsOf(before).find(isCall) : undefined
  const parts = changeObjects(before, (part) => stripped(part, part === firstCall ? 'marked' : 'bare', findings))
  if (parts === undefined) return content
  return Array.isArray(parts) && parts.length === 0 && parts !== before ? undefined : { ...content, parts }
}

function stripped(part: JsonObject, wanted: 'marked' | 'bare', findings: Findings): JsonObject | undefined {
  if (part['thought'] === true) {
    findings.dropped.add('contents.thought')
    return undefined
  }
  const signature = SIGNATURE.map((name) => part[name]).find((value) => value !== undefined)
  const isMarked = signature === SKIP_VALIDATOR || signature === CLIENT_MARKER
  if (isMarked || (signature === undefined && wanted === 'bare')) return part
  const bare = withoutMembers(part, SIGNATURE)
  if (signature !== undefined) findings.dropped.add('contents.thoughtSignature')
  if (wanted === 'bare') return isBlank(bare) ? undefined : bare
  findings.marked += 1
  return { ...bare, thoughtSignature: SKIP_VALIDATOR }
}

function isCall(part: JsonObject): boolean {
  return part['functionCall'] !== undefined || part['function_call'] !== undefined
}

/** What a stream's last signature stood at. */
function isBlank(part: JsonObject): boolean {
  return part['text'] === '' && Object.keys(part).length === 1
}
