import type { IncomingHttpHeaders } from 'node:http'
import type { CountedIds } from './counted-ids.ts'
import { readHeader } from './read-header.ts'

/** Safe in headers, log lines and URLs; anything else is replaced. */
const CORRELATION_ID = /^[A-Za-z0-9._-]{1,128}$/

/** The client's own id (R7.4), or a new one. */
export function correlationIdOf(headers: IncomingHttpHeaders, ids: CountedIds): string {
  const given = readHeader(headers, 'x-correlation-id') ?? readHeader(headers, 'x-request-id')
  return given !== undefined && CORRELATION_ID.test(given) ? given : ids.next()
}
