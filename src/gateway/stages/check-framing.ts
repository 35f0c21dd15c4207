import type { IncomingMessage } from 'node:http'
import { KorProxyError } from '#errors/korproxy-error.ts'

/**
 * What Node's parser lets through although two readers could understand it differently (request smuggling, path confusion).
 * @throws KorProxyError KP-NET-310
 */
export function checkFraming(request: IncomingMessage): void {
  const { rawHeaders, httpVersion, url = '' } = request
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  if (hosts > 1) throw new KorProxyError('KP-NET-310', { reason: 'more than one Host header' })
  const host = request.headers.host
  if (host !== undefined && !/^[A-Za-z0-9._:[\]-]*$/.test(host)) {
    throw new KorProxyError('KP-NET-310', { reason: 'the Host header is not a host name' })
  }
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    throw new KorProxyError('KP-NET-310', { reason: `HTTP/${httpVersion} on a connection of HTTP/1.1` })
  }
  if (httpVersion === '1.0' && request.headers['transfer-encoding'] !== undefined) {
    throw new KorProxyError('KP-NET-310', { reason: 'Transfer-Encoding with HTTP/1.0' })
  }
  if (!url.startsWith('/')) throw new KorProxyError('KP-NET-310', { reason: 'the target is not a path' })
  const end = url.indexOf('?')
  checkPath(end === -1 ? url : url.slice(0, end))
}

/** `//`, dot segments and escaped slashes, dots or backslashes: another reader may resolve them to another path. */
function checkPath(path: string): void {
  if (/\/\/|\\|\/\.{1,2}(?:\/|$)|%(?:2e|2f|5c|00)/i.test(path) && !isEscapedModelPath(path)) {
    throw new KorProxyError('KP-NET-310', { reason: 'the path is not in its plain form' })
  }
  if (path.includes('%') && !isDecodable(path)) {
    throw new KorProxyError('KP-NET-310', { reason: 'the path has an escape that cannot be read' })
  }
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

/** SDKs escape the slash of a model id: `/v1/models/vendor%2Fmodel`. */
function isEscapedModelPath(path: string): boolean {
  return /^\/(?:v1beta\/|v1\/)?models\/[A-Za-z0-9._:@-]+(?:%2[fF][A-Za-z0-9._:@-]+)*$/.test(path)
}
