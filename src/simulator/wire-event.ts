/** One event of a streamed reply, before framing. */
export interface WireEvent {
  /** `content` is what a client shows; `finish` carries the finish reason; `usage` only counts; `end` is the terminator, where a format has one. */
  readonly kind: 'start' | 'content' | 'finish' | 'usage' | 'end' | 'comment'
  /** The event's name, for formats that name events. */
  readonly name?: string
  readonly data: unknown
}

/** `sse`: LF; `sse-crlf`: Gemini; `ndjson`: Ollama; `array`: Gemini without `alt=sse`. */
export type Framing = 'sse' | 'sse-crlf' | 'ndjson' | 'array'

/** Legal but rare ways to write the same events: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
export type SseVariant =
  | 'cr'
  | 'crlf'
  | 'bom'
  | 'comments'
  | 'multi-line'
  | 'long-line'
  | 'no-last-blank'
  | 'after-end'
  | 'unknown-event'
  | 'no-space'

export type Reply =
  | { readonly kind: 'json'; readonly status: number; readonly headers: Record<string, string>; readonly body: unknown }
  | {
      readonly kind: 'stream'
      readonly status: number
      readonly headers: Record<string, string>
      readonly framing: Framing
      readonly events: readonly WireEvent[]
    }

const LONG_LINE_BYTES = 8 * 1024 * 1024
const CONTENT_TYPES: Record<Framing, string> = {
  sse: 'text/event-stream; charset=utf-8',
  'sse-crlf': 'text/event-stream',
  ndjson: 'application/x-ndjson',
  array: 'application/json; charset=UTF-8',
}

export function streamReply(framing: Framing, events: readonly WireEvent[]): Reply {
  return { kind: 'stream', status: 200, headers: { 'content-type': CONTENT_TYPES[framing] }, framing, events }
}

export function jsonReply(body: unknown, status = 200): Reply {
  return { kind: 'json', status, headers: { 'content-type': 'application/json; charset=utf-8' }, body }
}

/** The event as text of its framing; `position` is its place in the stream. */
export function frameEvent(event: WireEvent, framing: Framing, position: number): string {
  if (event.kind === 'comment') return `: ${String(event.data)}\n\n`
  const data = typeof event.data === 'string' ? event.data : JSON.stringify(event.data)
  switch (framing) {
    case 'sse':
      return `${event.name === undefined ? '' : `event: ${event.name}\n`}data: ${data}\n\n`
    case 'sse-crlf':
      return `data: ${data}\r\n\r\n`
    case 'ndjson':
      return `${data}\n`
    case 'array':
      return `${position === 0 ? '[' : ',\r\n'}${data}`
  }
}

/** What closes the framing itself after the last event. */
export function framingEnd(framing: Framing): string {
  return framing === 'array' ? '\n]\n' : ''
}

/** Rewrites framed SSE events as `variant` says. Other framings stay as they are. */
export function varySse(frames: readonly string[], variant: SseVariant): readonly string[] {
  switch (variant) {
    case 'cr':
      return frames.map((frame) => frame.replaceAll('\r\n', '\n').replaceAll('\n', '\r'))
    case 'crlf':
      return frames.map((frame) => frame.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n'))
    case 'bom':
      return frames.map((frame, index) => (index === 0 ? `\uFEFF${frame}` : frame))
    case 'comments':
      return frames.map((frame) => `: a comment\n\n${frame}`)
    case 'multi-line':
      return frames.map(splitDataLine)
    case 'long-line':
      return frames.map((frame, index) => (index === 1 ? `: ${'x'.repeat(LONG_LINE_BYTES)}\n\n${frame}` : frame))
    case 'no-last-blank':
      return frames.map((frame, index) => (index === frames.length - 1 ? frame.trimEnd() : frame))
    case 'after-end':
      return [...frames, 'data: {"after":"the end"}\n\n']
    case 'unknown-event':
      return frames.map((frame, index) =>
        index === 1 ? `event: mock_future\ndata: {"type":"mock_future"}\n\n${frame}` : frame,
      )
    case 'no-space':
      return frames.map((frame) => frame.replace(/^(event|data): /gm, '$1:'))
  }
}

/** Splits after the first comma of the JSON: a line break there is white space to JSON. */
function splitDataLine(frame: string): string {
  return frame.replace(/^(data: \{[^,\n]*,)(.*)$/m, '$1\ndata: $2')
}
