const BYTES = 4

/** Little-endian float32 in base64, as the official SDKs ask for by default. */
export function encodeVector(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * BYTES))
  for (const [at, value] of vector.entries()) view.setFloat32(at * BYTES, value, true)
  let binary = ''
  for (let at = 0; at < view.byteLength; at += 1) binary += String.fromCharCode(view.getUint8(at))
  return btoa(binary)
}

/** @throws RangeError or DOMException when the text is not base64 of whole float32 values */
export function decodeVector(base64: string): readonly number[] {
  const binary = atob(base64)
  if (binary.length % BYTES !== 0) throw new RangeError(`${binary.length} bytes are no list of float32 values`)
  const view = new DataView(Uint8Array.from(binary, (char) => char.charCodeAt(0)).buffer)
  return Array.from({ length: binary.length / BYTES }, (_, at) => view.getFloat32(at * BYTES, true))
}
