const BACKSLASH = 0x5c
/** Above this length a decoder is faster than adding letters. */
const SHORT = 64

/**
 * The text of a JSON string that has been scanned; `start` and `end` include its quotes. Names are short and nearly always plain ASCII:
 * gathering those is faster than a TextDecoder.
 */
export function readPlainString(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT) return decodeString(bytes, start, end)
  let text = ''
  for (let at = start + 1; at < end - 1; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === BACKSLASH || byte > 0x7e) return decodeString(bytes, start, end)
    text += String.fromCharCode(byte)
  }
  return text
}

function decodeString(bytes: Uint8Array, start: number, end: number): string {
  return String(JSON.parse(new TextDecoder().decode(bytes.subarray(start, end))))
}
