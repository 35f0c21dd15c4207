import { createHash } from 'node:crypto'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Client } from '#table/routing-table.ts'
import type { ServingTable, ServingTenant } from '../serving-table.ts'
import type { HeaderReader } from '../surface.ts'

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
  authenticate(header: HeaderReader, query: URLSearchParams, nowMs: number): Identity {
    const key = readClientKey(header, query)
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
function readClientKey(header: HeaderReader, query: URLSearchParams): string | undefined {
  const authorization = header('authorization')
  const bearer =
    authorization !== undefined && /^bearer /i.test(authorization) ? authorization.slice(7).trim() : undefined
  const found = [
    { place: 'Authorization', key: bearer },
    { place: 'x-api-key', key: header('x-api-key') },
    { place: 'x-goog-api-key', key: header('x-goog-api-key') },
    { place: '?key=', key: query.get('key') ?? undefined },
  ].filter(({ key }) => key !== undefined && key !== '')
  const keys = new Set(found.map(({ key }) => key))
  if (keys.size > 1) throw new KorProxyError('KP-AUTH-008', { places: found.map(({ place }) => place).join(', ') })
  return found[0]?.key
}
