/** Replaces the bytes from `start` to before `end`; equal offsets insert. */
export interface JsonEdit {
  readonly start: number
  readonly end: number
  readonly replacement: Uint8Array
}

/**
 * Copies `bytes` with the edits applied, whatever their order; every byte outside their spans stays as it is.
 * @param allocate gives the memory of the copy, which is filled whole
 * @throws RangeError when spans overlap or lie outside
 */
export function spliceJson(
  bytes: Uint8Array,
  edits: readonly JsonEdit[],
  allocate: (length: number) => Uint8Array = (length) => new Uint8Array(length),
): Uint8Array {
  const sorted = edits.length < 2 ? edits : edits.toSorted((a, b) => a.start - b.start)
  let length = bytes.length
  let last = 0
  for (const edit of sorted) {
    if (edit.start < last || edit.end < edit.start || edit.end > bytes.length) {
      throw new RangeError(`edit ${edit.start}-${edit.end} overlaps or lies outside ${bytes.length} bytes`)
    }
    last = edit.end
    length += edit.replacement.length - (edit.end - edit.start)
  }
  const spliced = allocate(length)
  let from = 0
  let to = 0
  for (const { start, end, replacement } of sorted) {
    spliced.set(bytes.subarray(from, start), to)
    to += start - from
    spliced.set(replacement, to)
    to += replacement.length
    from = end
  }
  spliced.set(bytes.subarray(from), to)
  return spliced
}
