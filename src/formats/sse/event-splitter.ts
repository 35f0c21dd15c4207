import type { Frame } from '../format.ts'
import { checkEventSize, decodeText } from './event-bytes.ts'
import { LineEnds } from './line-ends.ts'
import { PendingBytes } from './pending-bytes.ts'

const CR = 0x0d
/** One event of a stream as it came: the bytes to pass on and what they say. */
export interface RawEvent {
  /** Exactly the upstream's bytes, line ends included; the bytes of all events together are the stream. */
  readonly bytes: Uint8Array
  /** Undefined where the bytes carry no event: comments, blank lines, an event without data. */
  readonly frame: Frame | undefined
}

/** Cuts a body into events, however its chunks are cut. @throws KorProxyError KP-PROV-109 on an event that is too large or not UTF-8 */
export interface EventSplitter {
  push(chunk: Uint8Array): RawEvent[]
  /** At the end of the body: an event that lacks its end. */
  end(): RawEvent[]
}

const COLON = 0x3a
const SPACE = 0x20
const BOM = [0xef, 0xbb, 0xbf]
const DATA = [0x64, 0x61, 0x74, 0x61]
const EVENT = [0x65, 0x76, 0x65, 0x6e, 0x74]

/**
 * Cuts a server-sent event stream into events without changing a byte of it.
 * Hot: lines are found by `indexOf`, content is never walked byte by byte. Departs from the standard in two points: an event that lacks
 * its blank line is given by `end` (some providers forget it after the last), and invalid UTF-8 is an error.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class SseSplitter implements EventSplitter {
  readonly #pending = new PendingBytes()
  /** Offsets in the pending bytes: of the line being read, and up to where no line end was found. */
  #line = 0
  #searched = 0
  #atStart = true
  /** A CR at the end of a chunk may be half of a CRLF. Once a LF was seen it is waited for; else CR alone ends lines here. */
  #sawLineFeed = false
  #data: string | undefined
  #event: string | undefined

  push(chunk: Uint8Array): RawEvent[] {
    const events: RawEvent[] = []
    if (chunk.length === 0) return events
    this.#pending.append(chunk)
    const bytes = this.#pending.bytes
    if (this.#atStart && !this.#skipByteOrderMark(bytes)) return events
    const ends = new LineEnds(bytes, this.#searched)
    let start = 0
    for (let lineEnd = ends.next; lineEnd !== -1; lineEnd = ends.next) {
      const isBlank = lineEnd === this.#line
      if (ends.isUncertain && (!isBlank || this.#sawLineFeed)) break
      const { length, hasLineFeed } = ends.take()
      if (hasLineFeed) this.#sawLineFeed = true
      if (!isBlank) this.#readLine(bytes, lineEnd)
      this.#line = lineEnd + length
      if (isBlank) {
        events.push(this.#takeEvent(bytes.subarray(start, this.#line)))
        start = this.#line
      }
    }
    this.#keepFrom(start, bytes.length)
    return events
  }

  end(): RawEvent[] {
    const bytes = this.#pending.bytes
    if (bytes.length === 0) return []
    // Only a CR that might have been half of a CRLF can still stand there.
    const last = bytes.length - 1
    const lineEnd = bytes[last] === CR ? last : bytes.length
    if (lineEnd > this.#line) this.#readLine(bytes, lineEnd)
    this.#pending.drop(bytes.length)
    return [this.#takeEvent(bytes)]
  }

  #keepFrom(start: number, length: number): void {
    this.#pending.drop(start)
    this.#line -= start
    // A trailing CR is looked at again together with what follows it.
    this.#searched = Math.max(this.#line, length - start - 1)
    checkEventSize(length - start)
  }

  /** False while the first bytes may still become a byte order mark. */
  #skipByteOrderMark(bytes: Uint8Array): boolean {
    for (const [at, byte] of BOM.entries()) {
      if (at >= bytes.length) return false
      if (bytes[at] !== byte) {
        this.#atStart = false
        return true
      }
    }
    this.#atStart = false
    this.#line = BOM.length
    return true
  }

  #takeEvent(bytes: Uint8Array): RawEvent {
    checkEventSize(bytes.length)
    let frame: Frame | undefined
    if (this.#data !== undefined) {
      frame = this.#event === undefined ? { data: this.#data } : { event: this.#event, data: this.#data }
    }
    this.#data = undefined
    this.#event = undefined
    return { bytes, frame }
  }

  #readLine(bytes: Uint8Array, lineEnd: number): void {
    const line = this.#line
    if (isField(bytes, line, lineEnd, DATA)) {
      const value = fieldValue(bytes, line + DATA.length, lineEnd)
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
    } else if (isField(bytes, line, lineEnd, EVENT)) {
      this.#event = fieldValue(bytes, line + EVENT.length, lineEnd)
    }
  }
}

/** Whether the line is `name` alone or `name:…`. */
function isField(bytes: Uint8Array, start: number, lineEnd: number, name: readonly number[]): boolean {
  const end = start + name.length
  if (end > lineEnd) return false
  for (let at = 0; at < name.length; at += 1) if (bytes[start + at] !== name[at]) return false
  return end === lineEnd || bytes[end] === COLON
}

/** `colon` is where the colon stands, or the line's end. One space after it belongs to the syntax. */
function fieldValue(bytes: Uint8Array, colon: number, lineEnd: number): string {
  const start = bytes[colon + 1] === SPACE ? colon + 2 : colon + 1
  return start < lineEnd ? decodeText(bytes.subarray(start, lineEnd)) : ''
}
