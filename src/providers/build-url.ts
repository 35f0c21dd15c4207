import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Account } from '#table/routing-table.ts'

/** The account's base URL without trailing slash. @throws KorProxyError KP-CONF-203 when there is none to fall back on */
export function baseUrl(account: Account, standard: string | undefined): string {
  const url = account.baseUrl ?? standard
  if (url === undefined)
    throw new KorProxyError('KP-CONF-203', { message: `ProviderAccount ${account.name}: baseURL is required` })
  return url.replace(/\/+$/, '')
}

export function withQuery(url: string, query: string): string {
  return query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`
}

/**
 * A pass-through path below a base URL. Where the base already ends with the version that the path begins with
 * (`…/v1` and `/v1/files`), it stands once.
 */
export function joinPath(base: string, path: string): string {
  const version = /\/v\d+(?:beta)?$/.exec(base)?.[0]
  const rest = version !== undefined && path.startsWith(`${version}/`) ? path.slice(version.length) : path
  return base + rest
}
