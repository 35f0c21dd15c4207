/** One bit per rule, 32 to a word: combining the conditions of 1,000 rules takes 32 steps. */
export type BitSet = Uint32Array

export function emptyBits(size: number): BitSet {
  return new Uint32Array(Math.ceil(size / 32))
}

export function setBit(bits: BitSet, index: number): void {
  const word = index >>> 5
  bits[word] = (bits[word] ?? 0) | (1 << (index & 31))
}

/** The lowest index that is in all sets and passes `accepts`. @param sets at least one, all of one length */
export function firstCommonBit(sets: readonly BitSet[], accepts: (index: number) => boolean): number | undefined {
  const words = sets[0]?.length ?? 0
  for (let word = 0; word < words; word += 1) {
    let common = 0xffffffff
    for (const bits of sets) common &= bits[word] ?? 0
    while (common !== 0) {
      const lowest = common & -common
      const index = word * 32 + 31 - Math.clz32(lowest)
      if (accepts(index)) return index
      common ^= lowest
    }
  }
  return undefined
}
