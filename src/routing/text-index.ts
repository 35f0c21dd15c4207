import { type BitSet, emptyBits, setBit } from './bit-set.ts'
import { FloatingGlobs } from './floating-globs.ts'
import { compileGlob, type GlobMatcher } from './glob.ts'

interface GlobEntry {
  readonly matches: GlobMatcher
  readonly rule: number
}

/** Answers for this many texts are kept; the next one empties the store. */
const REMEMBERED_TEXTS = 512
/** Longer texts are looked up each time, so that nobody fills the memory with them. */
const REMEMBERED_LENGTH = 256

/**
 * Which of many rules accept a text: plain patterns are found by hash, prefixes and globs by their literal beginning, and only the globs
 * whose beginning fits are matched in full.
 */
export class TextIndex {
  readonly #unconditional: BitSet
  readonly #plain = new Map<string, number[]>()
  readonly #floating = new FloatingGlobs()
  #globCount = 0
  readonly #globs = new Map<string, GlobEntry[]>()
  readonly #prefixLengths: number[] = []
  readonly #remembered = new Map<string, BitSet>()

  /** @param size how many rules there are */
  constructor(size: number) {
    this.#unconditional = emptyBits(size)
  }

  /** This rule accepts every text, and the absence of one. */
  acceptAll(rule: number): void {
    setBit(this.#unconditional, rule)
  }

  acceptText(rule: number, text: string): void {
    const rules = this.#plain.get(text)
    if (rules === undefined) this.#plain.set(text, [rule])
    else rules.push(rule)
  }

  acceptGlob(rule: number, pattern: string): void {
    const literalEnd = pattern.search(/[*?]/)
    if (literalEnd === -1) {
      this.acceptText(rule, pattern)
      return
    }
    if (literalEnd > 0) {
      this.#addEntry(pattern.slice(0, literalEnd), { matches: compileGlob(pattern), rule })
      return
    }
    this.#globCount += 1
    this.#floating.add(rule, pattern)
  }

  /** No character of a prefix stands for others. */
  acceptPrefix(rule: number, prefix: string): void {
    this.#addEntry(prefix, { matches: () => true, rule })
  }

  /** The rules that accept `text`; undefined = there is no text. Not to be changed by the caller. */
  lookUp(text: string | undefined): BitSet {
    if (text === undefined) return this.#unconditional
    const known = this.#remembered.get(text)
    if (known !== undefined) return known
    const plain = this.#plain.get(text)
    if (plain === undefined && this.#globCount === 0) return this.#unconditional
    const bits = this.#unconditional.slice()
    for (const rule of plain ?? []) setBit(bits, rule)
    this.#addGlobs(bits, text)
    if (text.length <= REMEMBERED_LENGTH) this.#remember(text, bits)
    return bits
  }

  #addEntry(prefix: string, entry: GlobEntry): void {
    this.#globCount += 1
    const entries = this.#globs.get(prefix)
    if (entries === undefined) this.#globs.set(prefix, [entry])
    else entries.push(entry)
    if (this.#prefixLengths.includes(prefix.length)) return
    this.#prefixLengths.push(prefix.length)
    this.#prefixLengths.sort((left, right) => left - right)
  }

  #addGlobs(bits: BitSet, text: string): void {
    this.#floating.forEachMatch(text, (rule) => setBit(bits, rule))
    for (const length of this.#prefixLengths) {
      if (length > text.length) return
      for (const entry of this.#globs.get(text.slice(0, length)) ?? []) {
        if (entry.matches(text)) setBit(bits, entry.rule)
      }
    }
  }

  #remember(text: string, bits: BitSet): void {
    if (this.#remembered.size >= REMEMBERED_TEXTS) this.#remembered.clear()
    this.#remembered.set(text, bits)
  }
}
