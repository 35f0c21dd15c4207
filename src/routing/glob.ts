/** What a glob is matched against. A string is one; tests count the reads with another. */
interface GlobText {
  readonly length: number
  charCodeAt(index: number): number
}

export type GlobMatcher = (text: GlobText) => boolean

const STAR = 42
const QUESTION_MARK = 63

/**
 * `*` stands for any run of characters, `/` included, `?` for exactly one; case counts. No regular expression is made, and only the
 * last star is ever reconsidered, so the work is at most the length of the text times the longest run between two stars.
 */
export function compileGlob(pattern: string): GlobMatcher {
  const literalEnd = pattern.search(/[*?]/)
  if (literalEnd === -1) return (text) => text.length === pattern.length && startsWith(text, pattern)
  if (literalEnd === pattern.length - 1 && pattern.endsWith('*')) {
    const prefix = pattern.slice(0, -1)
    return (text) => startsWith(text, prefix)
  }
  return (text) => matchStars(pattern, text)
}

/** Matches when one of the patterns does; nothing matches an empty list. */
export function anyGlob(patterns: readonly string[]): GlobMatcher {
  const matchers = patterns.map(compileGlob)
  return (text) => matchers.some((matches) => matches(text))
}

function startsWith(text: GlobText, prefix: string): boolean {
  if (text.length < prefix.length) return false
  for (let index = 0; index < prefix.length; index += 1) {
    if (text.charCodeAt(index) !== prefix.charCodeAt(index)) return false
  }
  return true
}

function matchStars(pattern: string, text: GlobText): boolean {
  let at = 0
  let index = 0
  let star = -1
  let resumeAt = 0
  while (index < text.length) {
    const wanted = at < pattern.length ? pattern.charCodeAt(at) : -1
    if (wanted === STAR) {
      star = at
      resumeAt = index
      at += 1
    } else if (wanted === QUESTION_MARK || wanted === text.charCodeAt(index)) {
      at += 1
      index += 1
    } else if (star >= 0) {
      resumeAt += 1
      index = resumeAt
      at = star + 1
    } else {
      return false
    }
  }
  while (at < pattern.length && pattern.charCodeAt(at) === STAR) at += 1
  return at === pattern.length
}
