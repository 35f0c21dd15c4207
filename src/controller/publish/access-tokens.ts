import type { Resource, ResourceSet, SecretObject } from '#resources/resource.ts'
import type { Credential, RoutingTable } from '#table/routing-table.ts'
import { type Sha256, tableVersion } from '#table/table-version.ts'

/** Tokens of one authorisation as its Secret keeps them, beside the refresh token. */
export interface KeptTokens {
  readonly accessToken: string
  /** Unix time, milliseconds. */
  readonly expiresAtMs: number
  readonly refreshToken: string
}

/** Where the refresh token of an account is, and its tokens are kept. */
export interface TokenPlace {
  readonly namespace: string
  readonly secret: string
  readonly key: string
}

/** Undefined for accounts without OAuth 2. */
export function tokenPlaceOf(resource: Resource): TokenPlace | undefined {
  if (resource.kind !== 'ProviderAccount') return undefined
  const reference = resource.spec.auth?.oauth2?.refreshTokenRef
  if (reference === undefined) return undefined
  return { namespace: resource.metadata.namespace, secret: reference.name, key: reference.key }
}

/** The data of the Secret that keeps these tokens, not encoded. */
export function writeTokens(key: string, tokens: KeptTokens, sha256: Sha256): Record<string, string> {
  return {
    [key]: tokens.refreshToken,
    [`${key}.access-token`]: tokens.accessToken,
    [`${key}.expires-at`]: new Date(tokens.expiresAtMs).toISOString(),
    [`${key}.belongs-to`]: sha256(tokens.refreshToken),
  }
}

/** Undefined when there are none, or when somebody has put another refresh token there since. */
export function readTokens({ data }: SecretObject, key: string, sha256: Sha256): KeptTokens | undefined {
  const refreshToken = data[key]?.trim()
  const accessToken = data[`${key}.access-token`]
  const expiresAtMs = Date.parse(data[`${key}.expires-at`] ?? '')
  if (refreshToken === undefined || accessToken === undefined || Number.isNaN(expiresAtMs)) return undefined
  return data[`${key}.belongs-to`] === sha256(refreshToken) ? { accessToken, expiresAtMs, refreshToken } : undefined
}

/**
 * The table with access tokens in place of the means to get them: a server that rotates refresh tokens would end the authorisation
 * when two gateways use the same one.
 */
export function withAccessTokens(
  table: RoutingTable,
  { resources, secrets }: ResourceSet,
  sha256: Sha256,
): RoutingTable {
  if (!Object.values(table.credentials).some(({ type }) => type === 'OAuth2')) return table
  const found = new Map(secrets.map((secret) => [`${secret.namespace}/${secret.name}`, secret]))
  const places = new Map(
    resources.flatMap((resource): [string, TokenPlace][] => {
      const place = tokenPlaceOf(resource)
      return place === undefined ? [] : [[`${resource.metadata.namespace}/${resource.metadata.name}`, place]]
    }),
  )
  const credentials = Object.fromEntries(
    Object.entries(table.credentials).map(([account, credential]): [string, Credential] => {
      if (credential.type !== 'OAuth2') return [account, credential]
      const place = places.get(account)
      const secret = place === undefined ? undefined : found.get(`${place.namespace}/${place.secret}`)
      const tokens = place === undefined || secret === undefined ? undefined : readTokens(secret, place.key, sha256)
      const { version, caPem } = credential
      const { accessToken, expiresAtMs } = tokens ?? { accessToken: '', expiresAtMs: 0 }
      return [
        account,
        { type: 'AccessToken', version, accessToken, expiresAtMs, ...(caPem !== undefined && { caPem }) },
      ]
    }),
  )
  const content = { ...table, credentials }
  return { ...content, version: tableVersion(content, sha256) }
}
