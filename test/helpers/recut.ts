/** The same bytes in other chunks: every cut into two, and one byte a chunk. */
export function* recut(bytes: Uint8Array): Iterable<readonly Uint8Array[]> {
  for (let at = 0; at <= bytes.length; at += 1) yield [bytes.subarray(0, at), bytes.subarray(at)]
  yield [...bytes].map((byte) => Uint8Array.of(byte))
}
