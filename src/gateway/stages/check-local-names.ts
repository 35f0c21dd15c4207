import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { KorProxyError } from '#errors/korproxy-error.ts'

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  if (isIP(bare) === 0) return bare === 'localhost' || bare.endsWith('.localhost')
  return bare === '::1' || bare.startsWith('127.')
}

/**
 * On a loopback listener a web page could reach the gateway through a name of its own that resolves to 127.0.0.1 (DNS rebinding).
 * @throws KorProxyError KP-SYS-520
 */
export function checkLocalNames(request: IncomingMessage): void {
  const { host, origin } = request.headers
  if (host !== undefined && !COMMON_NAME.test(host) && !isLoopback(hostName(host)))
    throw new KorProxyError('KP-SYS-520', { host })
  // `null` is what any page says from a sandboxed frame.
  if (origin !== undefined && !isLoopback(originHost(origin))) {
    throw new KorProxyError('KP-SYS-520', { host: origin.slice(0, 200) })
  }
}

/** What nearly every local client says; `checkLocalNames` lets it through. */
export function isCommonLocal({ host = '', origin }: IncomingHttpHeaders): boolean {
  return origin === undefined && COMMON_NAME.test(host)
}

const COMMON_NAME = /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/

function hostName(host: string): string {
  return host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : (host.split(':')[0] ?? '')
}

function originHost(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : origin
}
