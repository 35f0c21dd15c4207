import { compileGlob, type GlobMatcher } from './glob.ts'

interface GlobEntry {
  readonly matches: GlobMatcher
  readonly rule: number
}

const GRAM = 3
/** Cutting a longer text into grams costs more than matching every glob. */
const LONGEST_CUT = 256

/**
 * Globs that begin with a wildcard, found by three letters that a match must contain. Of the letters of a pattern those are taken
 * that the fewest others use.
 */
export class FloatingGlobs {
  readonly #all: GlobEntry[] = []
  readonly #byGram = new Map<string, GlobEntry[]>()
  /** No three letters in a row. */
  readonly #short: GlobEntry[] = []

  add(rule: number, pattern: string): void {
    const entry = { matches: compileGlob(pattern), rule }
    this.#all.push(entry)
    const gram = this.#rarestGram(pattern)
    if (gram === undefined) {
      this.#short.push(entry)
      return
    }
    const entries = this.#byGram.get(gram)
    if (entries === undefined) this.#byGram.set(gram, [entry])
    else entries.push(entry)
  }

  forEachMatch(text: string, accept: (rule: number) => void): void {
    if (text.length > LONGEST_CUT) {
      acceptMatching(this.#all, text, accept)
      return
    }
    acceptMatching(this.#short, text, accept)
    if (this.#byGram.size === 0) return
    for (const gram of gramsOf(text)) acceptMatching(this.#byGram.get(gram) ?? [], text, accept)
  }

  #rarestGram(pattern: string): string | undefined {
    const grams = pattern.split(/[*?]/).flatMap((literal) => [...gramsOf(literal)])
    const uses = (gram: string) => this.#byGram.get(gram)?.length ?? 0
    return grams.reduce<string | undefined>(
      (rarest, gram) => (rarest === undefined || uses(gram) < uses(rarest) ? gram : rarest),
      undefined,
    )
  }
}

function acceptMatching(entries: readonly GlobEntry[], text: string, accept: (rule: number) => void): void {
  for (const { matches, rule } of entries) if (matches(text)) accept(rule)
}

/** Each once: a glob is matched against a text one time, however often its letters occur. */
function gramsOf(text: string): Set<string> {
  const grams = new Set<string>()
  for (let start = 0; start + GRAM <= text.length; start += 1) grams.add(text.slice(start, start + GRAM))
  return grams
}
