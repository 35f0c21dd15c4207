import type { FinishReason } from '../ir/chat-event.ts'
import type { ChatOptions, JsonObject, Signature } from '../ir/chat-request.ts'
import { tagSignature } from '../ir/signature.ts'
import { customCallInput, type ItemStatus } from '../openai-responses/reply-items.ts'
import { finishState } from '../openai-responses/response-object.ts'

export interface WholeCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
  readonly signature: Signature | undefined
}

/** A client that offered `functions` reads `function_call`, which holds one call; parallel ones were switched off in its request. */
export function isLegacy({ tools }: ChatOptions): boolean {
  return tools.some(({ origin }) => origin.kind === 'function' && origin.legacy === true)
}

export function isCustom({ tools }: ChatOptions, name: string): boolean {
  return tools.some((tool) => tool.name === name && tool.origin.kind === 'custom')
}

/** A call in the terms of the client's tool, in a reply that ended so. */
export function writeCall(call: WholeCall, request: ChatOptions, finish: FinishReason | undefined): JsonObject {
  const { id, name } = call
  if (isCustom(request, name)) {
    return { id, type: 'custom', custom: { name, input: customCallInput(call.arguments, itemStatus(finish)) } }
  }
  const text = call.arguments === '' ? '{}' : call.arguments
  return { id, type: 'function', function: { name, arguments: text }, ...writeThoughtSignature(call.signature) }
}

function itemStatus(finish: FinishReason | undefined): ItemStatus {
  return finish === undefined || finishState(finish).status === 'completed' ? 'completed' : 'incomplete'
}

/** Where Gemini's compatible endpoint puts it, so that its clients send it back. */
export function writeThoughtSignature(signature: Signature | undefined): JsonObject {
  if (signature === undefined) return {}
  return { extra_content: { google: { thought_signature: tagSignature(signature) } } }
}

export function callFields(calls: readonly JsonObject[], legacy: boolean): JsonObject {
  const [first] = calls
  if (first === undefined) return {}
  return legacy ? { function_call: first['function'] ?? null } : { tool_calls: calls }
}
