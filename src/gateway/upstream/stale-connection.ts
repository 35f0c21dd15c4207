import type { Socket } from 'node:net'

const BYTES_READ = Symbol('bytes read on the connection')
const RESET = new Set(['ECONNRESET', 'EPIPE'])
/** undici's words for a FIN; its other socket errors are about what was read. */
const CLOSED = new Set(['other side closed', 'closed'])

/** Lets the error that ends this connection tell what came over it before; a listener a connection, none a request. */
export function watchConnection(socket: Socket): void {
  socket.prependOnceListener('error', (error) => Object.assign(error, { [BYTES_READ]: socket.bytesRead }))
}

/** A connection that ends this long after a request was written had taken it, and may have worked on it. */
const CROSSING_MS = 1_000

/**
 * True for the end of a kept-alive connection that had carried answers before: the provider closed it at the moment the request
 * was written. Clients send such a request again on another connection.
 * @param sinceMs time since then
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1
 */
export function isStaleConnection(error: Error, sinceMs: number): boolean {
  if (sinceMs > CROSSING_MS || !('code' in error) || typeof error.code !== 'string') return false
  const isClosed = error.code === 'UND_ERR_SOCKET' && CLOSED.has(error.message)
  return (isClosed || RESET.has(error.code)) && bytesRead(error) > 0
}

function bytesRead(error: Error): number {
  if (BYTES_READ in error && typeof error[BYTES_READ] === 'number') return error[BYTES_READ]
  if (!('socket' in error) || typeof error.socket !== 'object' || error.socket === null) return 0
  return 'bytesRead' in error.socket && typeof error.socket.bytesRead === 'number' ? error.socket.bytesRead : 0
}
