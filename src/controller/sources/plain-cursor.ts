import { coreScalar, kubectlScalar, type Scalar } from './kubectl-scalar.ts'

const MAX_DEPTH = 50
/** Longer keys need an explicit `?` in YAML. */
const MAX_KEY_LENGTH = 1000
/** An escape sequence that JSON knows too. */
const ESCAPE = /\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})/y
const UNESCAPED = /[^"\\\n]*/y
/** An unquoted value within brackets, up to what may end it; a colon ends it only when no text follows. */
const FLOW_WORD = /[-A-Za-z0-9_./+~$\u00a1-\uffff][^,[\]{}#:\n]*/y
const COLON_WITHIN = /:[^ ,[\]{}#:\n][^,[\]{}#:\n]*/y
const NUMBER_LIKE = /^[-+.0-9]/

/**
 * Reads the plain forms of values: quoted text on one line, unquoted words, and collections in brackets, which is all of JSON.
 * Every method answers undefined where the text is anything else; whoever asked gives the whole text to the full parser then.
 */
export class PlainCursor {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  /** The character here; empty at the end of the text. */
  peek(): string {
    return this.text.charAt(this.at)
  }

  skipSpaces(): void {
    while (this.text.charCodeAt(this.at) === SPACE) this.at++
  }

  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const [found] = pattern.exec(this.text) ?? []
    if (found !== undefined) this.at += found.length
    return found
  }

  quoted(): string | undefined {
    return this.peek() === '"' ? this.#doubleQuoted() : this.#singleQuoted()
  }

  #doubleQuoted(): string | undefined {
    const end = this.text.indexOf('"', this.at + 1)
    const inside = this.text.slice(this.at + 1, Math.max(end, this.at + 1))
    if (end > 0 && !inside.includes('\\') && !inside.includes('\n')) {
      this.at = end + 1
      return inside
    }
    const start = this.at
    this.at++
    do this.match(UNESCAPED)
    while (this.match(ESCAPE) !== undefined)
    // A quoted text with no escapes but those of JSON.
    return this.#takes('"') ? (JSON.parse(this.text.slice(start, this.at)) as string) : undefined
  }

  #singleQuoted(): string | undefined {
    const start = this.at + 1
    let end = this.text.indexOf("'", start)
    while (end !== -1 && this.text.startsWith("''", end)) end = this.text.indexOf("'", end + 2)
    if (end === -1) return undefined
    this.at = end + 1
    const inside = this.text.slice(start, end)
    return inside.includes('\n') ? undefined : inside.replaceAll("''", "'")
  }

  /** A collection in brackets; its further lines must begin right of `column`. */
  collection(column: number, depth: number): unknown {
    if (depth > MAX_DEPTH) return undefined
    const opening = this.peek()
    this.at++
    return opening === '{' ? this.#map(column, depth) : this.#list(column, depth)
  }

  #map(column: number, depth: number): Record<string, unknown> | undefined {
    const map: Record<string, unknown> = {}
    if (!this.#skipLines(column)) return undefined
    if (this.#takes('}')) return map
    for (;;) {
      const key = this.#key()
      if (key === undefined || isTaken(map, key) || !this.#skipLines(column)) return undefined
      const value = this.#value(column, depth)
      if (value === undefined || !this.#skipLines(column)) return undefined
      map[key] = value
      if (this.#takes('}')) return map
      if (!this.#takes(',') || !this.#skipLines(column)) return undefined
    }
  }

  #list(column: number, depth: number): unknown[] | undefined {
    const list: unknown[] = []
    if (!this.#skipLines(column)) return undefined
    if (this.#takes(']')) return list
    for (;;) {
      const value = this.#value(column, depth)
      if (value === undefined || !this.#skipLines(column)) return undefined
      list.push(value)
      if (this.#takes(']')) return list
      if (!this.#takes(',') || !this.#skipLines(column)) return undefined
    }
  }

  #key(): string | undefined {
    const character = this.peek()
    const isQuoted = character === '"' || character === "'"
    const key = isQuoted ? this.quoted() : this.#word()
    if (key === undefined || key.length > MAX_KEY_LENGTH || (!isQuoted && plainScalar(key) !== key)) return undefined
    this.skipSpaces()
    if (!this.#takes(':')) return undefined
    const next = this.peek()
    return isQuoted || next === ' ' || next === '\n' ? key : undefined
  }

  #value(column: number, depth: number): unknown {
    const character = this.peek()
    if (character === '"' || character === "'") return this.quoted()
    if (character === '{' || character === '[') return this.collection(column, depth + 1)
    const word = this.#word()
    return word === undefined ? undefined : plainScalar(word)
  }

  #word(): string | undefined {
    const start = this.at
    if (this.match(FLOW_WORD) === undefined) return undefined
    while (this.match(COLON_WITHIN) !== undefined);
    return withoutTrailing(this.text.slice(start, this.at), ' ')
  }

  #takes(character: string): boolean {
    if (this.peek() !== character) return false
    this.at++
    return true
  }

  /** To the next character within brackets. False where a line begins too far left, or may be a comment or a new document. */
  #skipLines(column: number): boolean {
    this.skipSpaces()
    while (this.text.charCodeAt(this.at) === LINE_FEED) {
      const lineStart = this.at + 1
      this.at = lineStart
      this.skipSpaces()
      const next = this.peek()
      if (next === '\n') continue
      const here = this.at - lineStart
      if (here <= column || (here === 0 && (next === '-' || next === '.'))) return false
    }
    return this.peek() !== '#'
  }
}

const SPACE = 32
const LINE_FEED = 10

/** A loop, as a pattern for this would take quadratic time. */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length
  while (end > 0 && text.charAt(end - 1) === character) end--
  return text.slice(0, end)
}

/** What an unquoted word is; undefined where kubectl and most tools differ about it. */
export function plainScalar(word: string): Scalar | undefined {
  const value = kubectlScalar(word)
  if (typeof value === 'string' && !NUMBER_LIKE.test(word)) return isReserved(word) ? undefined : value
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined
  return word.startsWith('- ') || word === '-' || !Object.is(value, coreScalar(word)) ? undefined : value
}

/** A merge key is written like a word. */
function isReserved(word: string): boolean {
  return word === '<<'
}

/** A key given twice is an error; `__proto__` is not to be set by assignment. */
export function isTaken(map: Readonly<Record<string, unknown>>, key: string): boolean {
  return key === '__proto__' || Object.hasOwn(map, key)
}
