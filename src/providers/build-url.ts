import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Account } from '#table/routing-table.ts'

/** The account's base URL without trailing slash. @throws KorProxyError KP-CONF-203 when there is none to fall back on */
export function baseUrl(account: Pick<Account, 'name' | 'baseUrl'>, standard: string | undefined): string {
  const url = account.baseUrl ?? standard
  if (url === undefined)
    throw new KorProxyError('KP-CONF-203', { message: `ProviderAccount ${account.name}: baseURL is required` })
  return url.replace(/\/+$/, '')
}

/** A base URL that names a host only is given the path of the API; any path that it has is meant. */
export function withApiPath(base: string, path: string): string {
  return /^https?:\/\/[^/]+$/.test(base) ? base + path : base
}

export function withQuery(url: string, query: string): string {
  return query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`
}

/** Before the path of an operation: `/v1`, `/openai/v1`, `/v1beta/openai`. */
const CLIENT_VERSION = /^(?:\/v1beta\/openai|(?:\/openai)?\/v\d+(?:beta|alpha)?)(?=\/)/

/** A pass-through path below a base URL. A base that ends with a version (`…/v1`, `…/v4`) decides it: the one of the path goes. */
export function joinPath(base: string, path: string): string {
  const isVersioned = /\/v\d+(?:beta|alpha)?$/.test(base)
  return base + (isVersioned ? path.replace(CLIENT_VERSION, '') : path)
}
