/** At most this share of a word may differ for it to be a likely slip. */
const TOLERANCE = 0.4

/** The known word that was probably meant, or undefined. */
function suggest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((left, right) => left.distance - right.distance)
  const [best] = ranked
  return best !== undefined && best.distance <= word.length * TOLERANCE ? best.candidate : undefined
}

/** ` (did you mean x?)`, or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const likely = suggest(word, known)
  return likely === undefined ? '' : ` (did you mean ${likely}?)`
}

/** Insertions, deletions and replacements that turn one word into the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [line, char] of [...from].entries()) {
    const next = [line + 1]
    for (let column = 0; column < to.length; column += 1) {
      const replaced = (row[column] ?? 0) + (to[column] === char ? 0 : 1)
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
