import { isTaken, PlainCursor, plainScalar, withoutTrailing } from './plain-cursor.ts'

/** Tabs, carriage returns and other control characters, byte order marks: all that YAML has special rules for. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters looked for
const UNUSUAL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/
const MAX_DEPTH = 50
const KEY = /[A-Za-z0-9_./-]{1,1000}:(?=[ \n]|$)/y
const DASH = /- +(?=[^ #\n])/y
const WORD = /[-A-Za-z0-9_./+~$^=(<;\\\u00a1-\uffff][^\n]*/y
const REST_OF_LINE = / *(?: #[^\n]*)?(?:\n|$)/y
const MARKER = /---(?= |\n|$)/y
const TEXT_BLOCK = /\|-? *\n/y
const BLANK_LINE = / *(?:#[^\n]*)?\n/y
const MARGIN = / +(?=[^ \n])/y
const LINE = /[^\n]*\n/y

/**
 * The objects of a text in the plain part of YAML, in which nearly all manifests are written; a tenth of the time and memory of a
 * full parser. Undefined where anything is beyond it, is doubtful, or is wrong: anchors, tags, folded text, a key given twice, …
 */
export function readPlainYaml(text: string): readonly unknown[] | undefined {
  return UNUSUAL.test(text) ? undefined : new PlainReader(text).documents()
}

class PlainReader {
  readonly #cursor: PlainCursor
  /** Column of the first character of this line; -1 = no more lines in this document. */
  #indent = -1

  constructor(text: string) {
    this.#cursor = new PlainCursor(text)
  }

  documents(): readonly unknown[] | undefined {
    const documents: unknown[] = []
    this.#nextLine()
    while (this.#cursor.at < this.#cursor.text.length) {
      if (this.#indent === -1) {
        this.#cursor.match(MARKER)
        if (this.#cursor.match(REST_OF_LINE) === undefined) return undefined
        this.#nextLine()
        continue
      }
      const document = this.#indent === 0 ? this.#block(0, 0) : undefined
      if (document === undefined || this.#indent !== -1) return undefined
      documents.push(document)
    }
    return documents
  }

  /** Goes to the next line with content. */
  #nextLine(): void {
    const cursor = this.#cursor
    while (cursor.match(BLANK_LINE) !== undefined);
    const lineStart = cursor.at
    cursor.skipSpaces()
    if (cursor.peek() === '#') cursor.at = cursor.text.length
    this.#indent = cursor.at === cursor.text.length || this.#isMarker(lineStart) ? -1 : cursor.at - lineStart
  }

  #isMarker(lineStart: number): boolean {
    MARKER.lastIndex = lineStart
    return MARKER.test(this.#cursor.text)
  }

  #block(indent: number, depth: number): unknown {
    if (depth > MAX_DEPTH) return undefined
    const character = this.#cursor.peek()
    if (character === '{' || character === '[') return this.#inline(indent - 1, depth)
    return this.#isDash() ? this.#list(indent, depth) : this.#map(indent, depth)
  }

  #isDash(): boolean {
    DASH.lastIndex = this.#cursor.at
    return DASH.test(this.#cursor.text)
  }

  #map(indent: number, depth: number): Record<string, unknown> | undefined {
    const map: Record<string, unknown> = {}
    while (this.#indent === indent) {
      const key = this.#cursor.match(KEY)?.slice(0, -1)
      if (key === undefined || isTaken(map, key) || key.startsWith('-') || plainScalar(key) !== key) return undefined
      const value = this.#mapValue(indent, depth)
      if (value === undefined || this.#indent > indent) return undefined
      map[key] = value
    }
    return map
  }

  #mapValue(indent: number, depth: number): unknown {
    if (this.#cursor.match(REST_OF_LINE) === undefined) {
      this.#cursor.skipSpaces()
      return this.#cursor.peek() === '|' ? this.#textBlock(indent) : this.#inline(indent, depth)
    }
    this.#nextLine()
    if (this.#indent > indent) return this.#block(this.#indent, depth + 1)
    return this.#indent === indent && this.#isDash() ? this.#list(indent, depth + 1) : null
  }

  #list(indent: number, depth: number): unknown[] | undefined {
    const list: unknown[] = []
    while (this.#indent === indent) {
      const dash = this.#cursor.match(DASH)
      if (dash === undefined) return list.length > 0 ? list : undefined
      const value = this.#item(indent, indent + dash.length, depth)
      if (value === undefined || this.#indent > indent) return undefined
      list.push(value)
    }
    return list
  }

  /** A map may begin behind the dash; its further keys stand below the first one. */
  #item(indent: number, column: number, depth: number): unknown {
    KEY.lastIndex = this.#cursor.at
    if (!KEY.test(this.#cursor.text)) return this.#inline(indent, depth)
    if (depth > MAX_DEPTH) return undefined
    this.#indent = column
    return this.#map(column, depth + 1)
  }

  /** A value that begins on this line, and what may stand behind it; its further lines begin right of `column`. */
  #inline(column: number, depth: number): unknown {
    const cursor = this.#cursor
    const character = cursor.peek()
    if (character !== '"' && character !== "'" && character !== '{' && character !== '[') return this.#word()
    const value = character === '{' || character === '[' ? cursor.collection(column, depth + 1) : cursor.quoted()
    if (value === undefined || cursor.match(REST_OF_LINE) === undefined) return undefined
    this.#nextLine()
    return value
  }

  #word(): unknown {
    const line = this.#cursor.match(WORD)
    if (line === undefined) return undefined
    const comment = line.indexOf(' #')
    const word = withoutTrailing(comment === -1 ? line : line.slice(0, comment), ' ')
    if (word.includes(': ') || word.endsWith(':')) return undefined
    if (this.#cursor.at < this.#cursor.text.length) this.#cursor.at++
    this.#nextLine()
    return plainScalar(word)
  }

  /** The lines below `|`: in the column of the first one, right of it, or empty. */
  #textBlock(indent: number): string | undefined {
    const cursor = this.#cursor
    const header = cursor.match(TEXT_BLOCK)
    const margin = cursor.match(MARGIN)
    if (header === undefined || margin === undefined || margin.length <= indent) return undefined
    cursor.at -= margin.length
    const lines: string[] = []
    while (cursor.text.startsWith(margin, cursor.at) || cursor.peek() === '\n') {
      const line = cursor.match(LINE)
      if (line === undefined) return undefined
      lines.push(line === '\n' ? line : line.slice(margin.length))
    }
    if (lines.some((line) => /^ +\n$/.test(line))) return undefined
    this.#nextLine()
    if (this.#indent > indent) return undefined
    return withoutTrailing(lines.join(''), '\n') + (header.startsWith('|-') ? '' : '\n')
  }
}
