import type { Signature } from './chat-request.ts'

const TAG = /^kp1\.([a-z0-9-]+)\.(.*)$/s

/** Marks a signature with its issuer before it goes to a client of another format, so that it finds its way back. */
export function tagSignature(signature: Signature): string {
  return signature.issuer === undefined ? signature.value : `kp1.${signature.issuer}.${signature.value}`
}

/** Reads a signature that a client sent back; `native` is the issuer whose own format the client speaks, if it is bound to one. */
export function readSignature(text: string, native: string | undefined): Signature {
  const [, issuer, value] = TAG.exec(text) ?? []
  return issuer === undefined || value === undefined ? { issuer: native, value: text } : { issuer, value }
}

/** The signature to send to `issuer`, or undefined when it was made by somebody else: a foreign one is refused by every provider. */
export function signatureFor(issuer: string, signature: Signature | undefined): string | undefined {
  return signature?.issuer === issuer ? signature.value : undefined
}
