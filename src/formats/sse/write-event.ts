/** Writes one server-sent event. `data` is JSON or another text without line breaks; `event` undefined leaves the name out. */
export function writeSseEvent(event: string | undefined, data: string): string {
  return event === undefined ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`
}
