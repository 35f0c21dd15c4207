export const STREAM_CONTENT_TYPE = 'text/event-stream; charset=utf-8'

/** A comment, which the SDKs of OpenAI skip. */
export const HEARTBEAT = ': kp\n\n'

/** Writes one server-sent event. `data` is JSON or another text without line breaks; `event` undefined leaves the name out. */
export function writeSseEvent(event: string | undefined, data: string): string {
  return event === undefined ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`
}
