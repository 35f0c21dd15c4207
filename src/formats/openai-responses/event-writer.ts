import type { JsonObject } from '../ir/chat-request.ts'
import { writeSseEvent } from '../sse/write-event.ts'

/** Writes the events of one stream, numbered from 0. */
export class EventWriter {
  #sequence = 0

  /** Whether anything was written. */
  get started(): boolean {
    return this.#sequence > 0
  }

  write(type: string, fields: JsonObject): string {
    return writeSseEvent(type, JSON.stringify({ type, sequence_number: this.#next(), ...fields }))
  }

  /** The hot path: `before` and `after` are JSON around the one field that changes from delta to delta. */
  writeDelta(type: string, before: string, delta: string, after: string): string {
    return `event: ${type}\ndata: {"type":"${type}","sequence_number":${this.#next()},${before}"delta":${JSON.stringify(delta)}${after}}\n\n`
  }

  #next(): number {
    const sequence = this.#sequence
    this.#sequence += 1
    return sequence
  }
}

/** JSON of `item_id`, `output_index` and such, ready to stand before a delta. */
export function deltaPrefix(fields: JsonObject): string {
  return `${JSON.stringify(fields).slice(1, -1)},`
}
