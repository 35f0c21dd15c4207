import type { Signature } from '../ir/chat-request.ts'
import { readSignature, tagSignature } from '../ir/signature.ts'

const NATIVE = 'anthropic'

/** Anthropic's own signatures stay bare, so that they are also valid when a later request passes through unchanged. */
export function writeBlockSignature(signature: Signature): string {
  return signature.issuer === NATIVE ? signature.value : tagSignature(signature)
}

export function readBlockSignature(text: string): Signature {
  return readSignature(text, NATIVE)
}
