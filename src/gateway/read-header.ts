import type { IncomingHttpHeaders } from 'node:http'

/** Node joins repeated headers, but for a few that it gives as a list: of those the first. @param name lower case */
export function readHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value[0] : value
}
