import { KorProxyError } from '#errors/korproxy-error.ts'

/** No provider's event comes near it: the largest are images in base64. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024

/** A replacement character would be a silent change of the answer, so invalid UTF-8 is an error; U+FEFF within the text stays. */
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function decodeText(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes)
  } catch (error) {
    throw notUtf8(error)
  }
}

function notUtf8(cause: unknown): KorProxyError {
  return new KorProxyError('KP-PROV-109', { reason: 'an event is not valid UTF-8' }, { cause })
}

export function checkEventSize(size: number): void {
  if (size > MAX_EVENT_BYTES) {
    throw new KorProxyError('KP-PROV-109', { reason: `an event is larger than ${MAX_EVENT_BYTES} bytes` })
  }
}
