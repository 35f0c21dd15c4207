import type { Signature } from '../ir/chat-request.ts'
import { readSignature, tagSignature } from '../ir/signature.ts'

/**
 * `tool_use` has no field for the signature that Gemini binds to a call, and clients send back only fields they know.
 * It therefore travels as the signature of an empty thinking block right before the call, under this mark.
 */
const CALL_MARK = 'kp1call:'
const NATIVE = 'anthropic'

export function writeCallSignature(signature: Signature): string {
  return `${CALL_MARK}${tagSignature(signature)}`
}

/** The call's signature, or undefined when the text is an ordinary signature of a thinking block. */
export function readCallSignature(text: string): Signature | undefined {
  return text.startsWith(CALL_MARK) ? readSignature(text.slice(CALL_MARK.length), NATIVE) : undefined
}

/** Anthropic's own signatures stay bare, so that they are also valid when a later request passes through unchanged. */
export function writeBlockSignature(signature: Signature): string {
  return signature.issuer === NATIVE ? signature.value : tagSignature(signature)
}

export function readBlockSignature(text: string): Signature {
  return readSignature(text, NATIVE)
}
