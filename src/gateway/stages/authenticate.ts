import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Client } from '#table/routing-table.ts'
import { readHeader } from '../read-header.ts'
import type { ServingTable, ServingTenant } from '../serving-table.ts'

export interface Identity {
  readonly tenant: ServingTenant
  readonly client: Client | undefined
}

/** Keys that were checked once; bounded, emptied with every new table. */
const CACHE_LIMIT = 10_000

/**
 * Who calls. Keys are found by the SHA-256 of the whole key: 256 random bits need no slow hash, and a look-up by digest
 * compares nothing secret.
 */
export class Authenticator {
  readonly #table: ServingTable
  readonly #openAccess: boolean
  readonly #known = new Map<string, Identity & { readonly expiresAtMs: number | undefined }>()

  /** `openAccess`: a standalone gateway on loopback without any client needs no key. */
  constructor(table: ServingTable, access: { readonly open: boolean }) {
    this.#table = table
    this.#openAccess = access.open
  }

  /** @throws KorProxyError KP-AUTH-001 … 004, 008 */
  authenticate(headers: IncomingHttpHeaders, query: URLSearchParams, nowMs: number): Identity {
    const key = readClientKey(headers, query)
    if (this.#openAccess) return { tenant: this.#table.defaultTenant, client: undefined }
    const mode = this.#table.defaultTenant.tenant.clientAuth
    if (mode === 'Disabled') return { tenant: this.#table.defaultTenant, client: undefined }
    if (key === undefined) {
      if (mode === 'Optional') return { tenant: this.#table.defaultTenant, client: undefined }
      throw new KorProxyError('KP-AUTH-001')
    }
    return this.#identify(key, nowMs)
  }

  #identify(key: string, nowMs: number): Identity {
    const known = this.#known.get(key) ?? this.#lookUp(key)
    if (known.expiresAtMs !== undefined && known.expiresAtMs <= nowMs) {
      throw new KorProxyError('KP-AUTH-003', { client: known.client?.name ?? '' })
    }
    return known
  }

  #lookUp(key: string): Identity & { readonly expiresAtMs: number | undefined } {
    const digest = createHash('sha256').update(key).digest('hex')
    const credential = this.#table.digests.get(digest)
    const client = credential === undefined ? undefined : this.#table.clients.get(credential.client)
    const tenant = client === undefined ? undefined : this.#table.tenants.get(client.tenant)
    if (credential === undefined || client === undefined || tenant === undefined) throw new KorProxyError('KP-AUTH-002')
    if (client.state !== 'Active') {
      throw new KorProxyError('KP-AUTH-004', { client: client.name, state: client.state.toLowerCase() })
    }
    const identity = { tenant, client, expiresAtMs: credential.expiresAtMs }
    if (this.#known.size >= CACHE_LIMIT) this.#known.clear()
    this.#known.set(key, identity)
    return identity
  }
}

/** SDKs of four vendors, four places. Two different keys in one request are refused: which one counts would be a guess. */
function readClientKey(headers: IncomingHttpHeaders, query: URLSearchParams): string | undefined {
  const { authorization } = headers
  const bearer =
    authorization !== undefined && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : undefined
  const apiKey = readHeader(headers, 'x-api-key')
  const googKey = readHeader(headers, 'x-goog-api-key')
  const queryKeys = query.size === 0 ? [] : query.getAll('key')
  const queryKey = queryKeys[0]
  const key = bearer || apiKey || googKey || queryKey || undefined
  const differs = (other: string | undefined): boolean => other !== undefined && other !== '' && other !== key
  if (differs(apiKey) || differs(googKey) || queryKeys.some(differs)) {
    throw new KorProxyError('KP-AUTH-008', { places: keyPlaces({ bearer, apiKey, googKey, queryKey }).join(', ') })
  }
  return key
}

function keyPlaces(keys: Readonly<Record<'bearer' | 'apiKey' | 'googKey' | 'queryKey', string | undefined>>): string[] {
  const places = {
    Authorization: keys.bearer,
    'x-api-key': keys.apiKey,
    'x-goog-api-key': keys.googKey,
    '?key=': keys.queryKey,
  }
  return Object.entries(places).flatMap(([place, key]) => (key === undefined || key === '' ? [] : [place]))
}
