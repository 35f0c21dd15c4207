import { checkEventSize, decodeText } from './event-bytes.ts'
import type { EventSplitter, RawEvent } from './event-splitter.ts'
import { PendingBytes } from './pending-bytes.ts'

const LF = 0x0a
const CR = 0x0d

/** Cuts NDJSON into lines; the text of a line is the frame's `data`, blank lines carry no frame. @see https://github.com/ndjson/ndjson-spec */
export class LineSplitter implements EventSplitter {
  readonly #pending = new PendingBytes()
  #searched = 0

  push(chunk: Uint8Array): RawEvent[] {
    const events: RawEvent[] = []
    if (chunk.length === 0) return events
    this.#pending.append(chunk)
    const bytes = this.#pending.bytes
    let start = 0
    for (let lineEnd = bytes.indexOf(LF, this.#searched); lineEnd !== -1; lineEnd = bytes.indexOf(LF, start)) {
      events.push(takeLine(bytes.subarray(start, lineEnd + 1)))
      start = lineEnd + 1
    }
    this.#pending.drop(start)
    this.#searched = bytes.length - start
    checkEventSize(this.#searched)
    return events
  }

  end(): RawEvent[] {
    const bytes = this.#pending.bytes
    if (bytes.length === 0) return []
    this.#pending.drop(bytes.length)
    return [takeLine(bytes)]
  }
}

function takeLine(bytes: Uint8Array): RawEvent {
  checkEventSize(bytes.length)
  let end = bytes.length
  if (bytes[end - 1] === LF) end -= 1
  if (bytes[end - 1] === CR) end -= 1
  const data = decodeText(bytes.subarray(0, end))
  return { bytes, frame: data.trim() === '' ? undefined : { data } }
}
