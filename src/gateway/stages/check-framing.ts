import type { IncomingMessage } from 'node:http'
import { KorProxyError } from '#errors/korproxy-error.ts'

/**
 * What Node's parser lets through although two readers could understand it differently (request smuggling, path confusion).
 * @throws KorProxyError KP-NET-310
 */
export function checkFraming(request: IncomingMessage): void {
  checkHost(request)
  const { httpVersion, url = '' } = request
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    throw new KorProxyError('KP-NET-310', { reason: `HTTP/${httpVersion} on a connection of HTTP/1.1` })
  }
  if (httpVersion === '1.0' && request.headers['transfer-encoding'] !== undefined) {
    throw new KorProxyError('KP-NET-310', { reason: 'Transfer-Encoding with HTTP/1.0' })
  }
  if (!url.startsWith('/') || url.includes('#')) {
    throw new KorProxyError('KP-NET-310', { reason: 'the target is not a path' })
  }
  const end = url.indexOf('?')
  checkPath(end === -1 ? url : url.slice(0, end))
}

function checkHost({ rawHeaders, headers, httpVersion }: IncomingMessage): void {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  if (hosts > 1) throw new KorProxyError('KP-NET-310', { reason: 'more than one Host header' })
  if (hosts === 0 && httpVersion === '1.1') throw new KorProxyError('KP-NET-310', { reason: 'no Host header' })
  const { host } = headers
  if (host !== undefined && !/^[A-Za-z0-9._:[\]-]*$/.test(host)) {
    throw new KorProxyError('KP-NET-310', { reason: 'the Host header is not a host name' })
  }
}

/** An escape of a letter, a digit, `-` or `_`, which no encoder writes. */
const NEEDLESS_ESCAPE = /%(?:2d|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a])/i

/** `//`, dot segments and escaped slashes, dots, backslashes or letters: another reader may resolve them to another path. */
function checkPath(path: string): void {
  const isOdd = /\/\/|\\|\/\.{1,2}(?:\/|$)|%(?:2e|2f|5c|00)/i.test(path) && !isEscapedModelPath(path)
  if (isOdd || NEEDLESS_ESCAPE.test(path)) {
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
