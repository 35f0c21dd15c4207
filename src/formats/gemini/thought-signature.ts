import type { Signature } from '../ir/chat-request.ts'
import { readSignature, tagSignature } from '../ir/signature.ts'

/**
 * What Google documents for a function call that Gemini did not make itself: its validator skips the check.
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export const SKIP_VALIDATOR = 'skip_thought_signature_validator'

/**
 * The same bytes in the standard base64 alphabet: SDKs that decode bytes strictly (Go) refuse the underscore.
 * Sent to clients with calls that have no signature, so that their history is valid for Gemini 3 whoever answers next.
 */
export const CLIENT_MARKER = 'skip/thought/signature/validator'

/**
 * Writes a signature into the protobuf field of type bytes. What Gemini made goes as it is; another issuer's is tagged and
 * wrapped. The tagged text is kept to characters whose base64 has neither `+/` nor `-_`, so that readers of either alphabet take it.
 */
export function writeThoughtSignature(signature: Signature): string {
  if (signature.issuer === undefined || signature.issuer === 'gemini') return signature.value
  return btoa(escapeToPlainBase64(tagSignature(signature)))
}

/** Undoes `writeThoughtSignature`; undefined for the marker, which is nobody's signature. `native` issues what is not tagged. */
export function readThoughtSignature(text: string, native: string): Signature | undefined {
  if (text === SKIP_VALIDATOR || text === CLIENT_MARKER || text === '') return undefined
  return readSignature(unwrap(text) ?? text, native)
}

const WRAPPED = /^kp1\.[a-z0-9-]+\./

function unwrap(text: string): string | undefined {
  // `kp1.` in base64; anything else is a provider's own bytes and not worth decoding.
  if (!text.startsWith('a3Ax')) return undefined
  const standard = text.replaceAll('-', '+').replaceAll('_', '/')
  try {
    const decoded = atob(standard)
    return WRAPPED.test(decoded) ? decodeURIComponent(decoded) : undefined
  } catch {
    // Not what `writeThoughtSignature` writes, so it is passed on as a provider's own.
    return undefined
  }
}

function escapeToPlainBase64(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\x20-\x3d\x40-\x7d]|%/gu, (char) => (char === '~' ? '%7E' : encodeURIComponent(char)))
}
