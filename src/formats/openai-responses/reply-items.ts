import { writeCallSignature } from '../ir/call-signature.ts'
import type { Citation } from '../ir/chat-event.ts'
import type { JsonObject, JsonValue, Signature } from '../ir/chat-request.ts'
import { hasWholeArguments } from '../ir/has-whole-arguments.ts'
import { isJsonObject, jsonFields } from '../ir/json-fields.ts'
import { tagSignature } from '../ir/signature.ts'
import { unwrapCustomInput } from './custom-input.ts'
import type { WireToolName } from './tool-naming.ts'

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete'

/** Output items as clients read them. @see https://platform.openai.com/docs/api-reference/responses/object */
export function messageItem(id: string, status: ItemStatus, content: readonly JsonObject[]): JsonObject {
  return { id, type: 'message', status, role: 'assistant', content }
}

export function outputTextPart(
  text: string,
  annotations: readonly JsonObject[],
  logprobs: JsonObject | undefined,
): JsonObject {
  return { type: 'output_text', text, annotations, logprobs: tokenLogprobs(logprobs) }
}

export function refusalPart(refusal: string): JsonObject {
  return { type: 'refusal', refusal }
}

/** OpenAI chat keeps them under `content`; AI SDKs insist on `top_logprobs`. */
function tokenLogprobs(logprobs: JsonObject | undefined): JsonValue[] {
  const tokens = logprobs?.['content']
  if (!Array.isArray(tokens)) return []
  return tokens.filter(isJsonObject).map((token) => ({ bytes: [], top_logprobs: [], ...token }))
}

/** Where the cited words stand in the text so far; providers of other formats do not count characters as OpenAI does. */
export function urlCitation(citation: Citation, text: string): JsonObject | undefined {
  if (citation.url === undefined) return undefined
  const found = citation.citedText ? text.lastIndexOf(citation.citedText) : -1
  const start = found < 0 ? text.length : found
  const end = found < 0 ? text.length : found + (citation.citedText?.length ?? 0)
  const title = citation.title ?? citation.url
  return { type: 'url_citation', start_index: start, end_index: end, url: citation.url, title }
}

/** OpenAI's own blobs stay bare, so that they are still good when the next turn goes straight to OpenAI. */
function sealedText(signature: Signature | undefined): string | null {
  if (signature === undefined) return null
  return signature.issuer === 'openai' ? signature.value : tagSignature(signature)
}

/** For a reasoning item right before the call. */
export function sealedCallSignature(signature: Signature): Signature {
  return { issuer: undefined, value: writeCallSignature(signature) }
}

/** `summary` undefined: nothing readable. A signature comes with a summary, if an empty one: that tells it from a sealed block on the way back. */
export function reasoningItem(
  id: string,
  status: ItemStatus,
  summary: string | undefined,
  sealed: Signature | undefined,
): JsonObject {
  return {
    id,
    type: 'reasoning',
    status,
    summary: summary === undefined ? [] : [{ type: 'summary_text', text: summary }],
    encrypted_content: sealedText(sealed),
  }
}

/** Of a text that was cut off nothing is given: clients that do not look at the status would run the half as if it were the whole. */
export function customCallInput(text: string, status: ItemStatus): string {
  const isCut = status === 'incomplete' && !hasWholeArguments(text)
  return text === '' || isCut ? '' : unwrapCustomInput(text)
}

/** A completed call carries its arguments; `''` stands for no arguments. */
export function functionCallArguments(text: string, status: ItemStatus): string {
  return text === '' && status === 'completed' ? '{}' : text
}

export function callItem(
  id: string,
  status: ItemStatus,
  callId: string,
  call: { readonly wireName: WireToolName; readonly arguments: string },
): JsonObject {
  const { name, namespace, custom } = call.wireName
  if (custom) {
    const input = customCallInput(call.arguments, status)
    return jsonFields({ id, type: 'custom_tool_call', status, call_id: callId, name, namespace, input })
  }
  const text = functionCallArguments(call.arguments, status)
  return jsonFields({ id, type: 'function_call', status, call_id: callId, name, namespace, arguments: text })
}

export function imageItem(id: string, status: ItemStatus, data: string | null): JsonObject {
  return { id, type: 'image_generation_call', status, result: data }
}
