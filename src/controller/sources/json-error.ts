type Wanted = 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'colon' | 'commaOrEnd' | 'nothing'

const SPACE = /[ \t\n\r]*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them in a string
const UNESCAPED = /[^"\\\u0000-\u001f]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y
const WORDS = ['true', 'false', 'null']

/**
 * Where a text stops being JSON; undefined when it is JSON. Lines and columns count from 1. (V8 tells a position for some errors only.)
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
export function locateJsonError(text: string): { readonly line: number; readonly column: number } | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    const before = text.slice(0, new JsonCheck(text).errorOffset()).split('\n')
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
  }
}

class JsonCheck {
  readonly #text: string
  readonly #open: string[] = []
  #at = 0
  #wanted: Wanted = 'value'

  constructor(text: string) {
    this.#text = text
  }

  /** Of the first character that may not stand where it stands. */
  errorOffset(): number {
    do this.#at += lengthOf(SPACE, this.#text, this.#at)
    while (this.#step())
    return this.#at
  }

  /** Over one token; false at one that is not allowed here. */
  #step(): boolean {
    const character = this.#text.charAt(this.#at)
    switch (this.#wanted) {
      case 'value':
      case 'valueOrEnd':
        return this.#value(character)
      case 'key':
      case 'keyOrEnd':
        return character === '"' ? this.#string('colon') : this.#close(character)
      case 'colon':
        return character === ':' && this.#take('value')
      case 'commaOrEnd':
        if (character !== ',') return this.#close(character)
        return this.#take(this.#open.at(-1) === '}' ? 'key' : 'value')
      case 'nothing':
        return false
    }
  }

  #value(character: string): boolean {
    if (character === '"') return this.#string(this.#after())
    if (character === '{') return this.#begin('}', 'keyOrEnd')
    if (character === '[') return this.#begin(']', 'valueOrEnd')
    const word = WORDS.find((candidate) => candidate.startsWith(character)) ?? ''
    if (character !== '' && word !== '') return this.#word(word)
    const length = lengthOf(NUMBER, this.#text, this.#at)
    if (length === 0) return this.#close(character)
    this.#at += length
    this.#wanted = this.#after()
    return true
  }

  #word(word: string): boolean {
    for (const letter of word) {
      if (this.#text.charAt(this.#at) !== letter) return false
      this.#at++
    }
    this.#wanted = this.#after()
    return true
  }

  /** What may come behind a value. */
  #after(): Wanted {
    return this.#open.length === 0 ? 'nothing' : 'commaOrEnd'
  }

  #take(wanted: Wanted): true {
    this.#at++
    this.#wanted = wanted
    return true
  }

  #begin(end: string, wanted: Wanted): true {
    this.#open.push(end)
    return this.#take(wanted)
  }

  #close(end: string): boolean {
    if (end === '') return false
    const mayEnd = this.#wanted === 'commaOrEnd' || this.#wanted === (end === '}' ? 'keyOrEnd' : 'valueOrEnd')
    if (!mayEnd || this.#open.at(-1) !== end) return false
    this.#open.pop()
    return this.#take(this.#after())
  }

  #string(wanted: Wanted): boolean {
    this.#at++
    let length = 1
    while (length > 0) {
      this.#at += lengthOf(UNESCAPED, this.#text, this.#at)
      length = lengthOf(ESCAPE, this.#text, this.#at)
      this.#at += length
    }
    return this.#text.charAt(this.#at) === '"' && this.#take(wanted)
  }
}

function lengthOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0].length ?? 0
}
