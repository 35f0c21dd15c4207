import type { HttpRequest } from './http-exchange.ts'

const REFUSED_BODY_MS = 30_000

/** For a client that still sends what was refused: it must find the time to read why, but no more. */
export function endUnfinished(request: HttpRequest): void {
  if (request.complete) return
  const timer = setTimeout(() => {
    if (!request.complete) request.socket.destroy()
  }, REFUSED_BODY_MS)
  timer.unref()
}
