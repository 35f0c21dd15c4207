import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { FAMILY_SHAPES } from '#formats/registry.ts'

/** Errors of Node's parser that have a status of their own. */
const STATUSES: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** Answers what could not be read as HTTP, in OpenAI's shape, which every tool can print; then the connection ends. */
export function answerParseError(
  { code = '' }: NodeJS.ErrnoException,
  socket: Socket,
  correlationId: string,
  docsUrl: string,
): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const error = new KorProxyError('KP-NET-310', { reason: code })
  const url = `${docsUrl}/errors/${error.code}`
  const body = JSON.stringify(FAMILY_SHAPES.openai.encodeError({ error, correlationId, docsUrl: url }).body)
  const status = STATUSES[code] ?? 400
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-korproxy-error: ${error.code}`,
      `x-correlation-id: ${correlationId}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}
