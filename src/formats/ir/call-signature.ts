import type { Signature } from './chat-request.ts'
import { readSignature, tagSignature } from './signature.ts'

/**
 * Calls of Anthropic and Responses have no field for the signature that Gemini binds to a call, and clients send back only fields they
 * know. It therefore travels as the signature of an empty thought right before the call, under this mark.
 */
const CALL_MARK = 'kp1call:'

export function writeCallSignature(signature: Signature): string {
  return `${CALL_MARK}${tagSignature(signature)}`
}

/** The call's signature, or undefined when the text is an ordinary signature of a thought. */
export function readCallSignature(text: string): Signature | undefined {
  return text.startsWith(CALL_MARK) ? readSignature(text.slice(CALL_MARK.length), undefined) : undefined
}
