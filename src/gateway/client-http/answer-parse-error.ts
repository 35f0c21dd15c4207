import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { type PlainErrorContext, plainError } from './plain-error.ts'

/** Errors of Node's parser that have a status of their own. */
const STATUSES: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** Answers what could not be read as HTTP, in OpenAI's shape, which every tool can print; then the connection ends. */
export function answerParseError(
  { code = '' }: NodeJS.ErrnoException,
  socket: Socket,
  context: PlainErrorContext,
): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { headers, body } = plainError(new KorProxyError('KP-NET-310', { reason: code }), context)
  const status = STATUSES[code] ?? 400
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`)
  socket.end(body)
}
