import type { ReplyStep } from './script.ts'
import { frameEvent, framingEnd, type Reply, varySse, type WireEvent } from './wire-event.ts'

export interface Frame {
  readonly content: boolean
  readonly bytes: Uint8Array
}

const encoder = new TextEncoder()
/** Which content event `broken` cuts, counted from 0. */
const BROKEN_PLACE = 2
const KEPT_SHARE = 0.6

/** The events of a stream as bytes, with the departures that the script orders. */
export function framesOfStream(reply: Reply & { readonly kind: 'stream' }, orders: ReplyStep): readonly Frame[] {
  const events = reply.events.filter((event) => !isOmitted(event, orders.omit))
  const texts = events.map((event, position) => frameEvent(event, reply.framing, position))
  const contents = events.flatMap((event, place) => (event.kind === 'content' ? [place] : []))
  const last = texts.length - 1
  if (orders.broken === true) {
    const place = contents[Math.min(BROKEN_PLACE, contents.length - 1)] ?? last
    texts[place] = breakJson(texts[place] ?? '')
  }
  const closes = orders.omit !== 'terminator'
  if (reply.framing === 'array' && closes) texts.push(framingEnd(reply.framing))
  if (reply.framing === 'ndjson' && !closes) texts[last] = (texts[last] ?? '').trimEnd()
  const varied = orders.sse !== undefined && reply.framing.startsWith('sse') ? varySse(texts, orders.sse) : texts
  return varied.map((text, place) => ({ content: contents.includes(place), bytes: encoder.encode(text) }))
}

/** The body of a reply that is not streamed. */
export function bytesOfBody(body: unknown, orders: ReplyStep): Uint8Array {
  const text = JSON.stringify(body)
  return encoder.encode(orders.broken === true ? breakJson(text) : text)
}

function isOmitted(event: WireEvent, omit: ReplyStep['omit']): boolean {
  if (omit === undefined || event.kind === 'start' || event.kind === 'content') return false
  return event.kind === 'end' || (omit === 'finish' && (event.kind === 'finish' || event.kind === 'usage'))
}

/** Cuts the JSON, keeps the framing. */
function breakJson(text: string): string {
  const kept = text.trimEnd()
  return kept.slice(0, Math.floor(kept.length * KEPT_SHARE)) + text.slice(kept.length)
}
