import { isIP } from 'node:net'
import { getCACertificates } from 'node:tls'
import { NoConnection } from '../provider-http/call-error.ts'
import { ConnectionPool } from '../provider-http/connection-pool.ts'
import { type Dial, dialHost, encryption, hostOf, within } from '../provider-http/dial.ts'
import { dialThrough, proxyCredential } from '../provider-http/proxy.ts'
import type { ServingAccount } from '../serving-account.ts'
import { checkAddress, type DialPolicy, guardedLookup } from './dial-guard.ts'
import { IdleConnections } from './idle-connections.ts'
import { type NameLookup, systemLookup } from './name-memory.ts'

export interface PoolKey {
  readonly origin: string
  readonly connectMs: number
  /** An idle connection is closed after this time. */
  readonly idleTimeoutMs: number
  readonly proxyUrl: string | undefined
  readonly caPem: string | undefined
}

interface KnownPool {
  readonly pool: ConnectionPool
  readonly origin: string
  /** How many tables had been applied when it was last asked for. */
  askedAfter: number
}

/** A pool, and for what it was asked. */
interface LastPool {
  readonly account: ServingAccount['account']
  readonly credential: ServingAccount['credential']
  readonly origin: string
  readonly connectMs: number
  readonly pool: ConnectionPool
}

/**
 * Connection pools by origin and by what makes connections differ (CA, proxy, connect time-out). Accounts at one origin share
 * connections; credentials travel in headers, never in the connection.
 */
export class UpstreamPools {
  readonly #pools = new Map<string, KnownPool>()
  /** Dropped, with requests under way. */
  readonly #closing = new Set<ConnectionPool>()
  readonly #idle = new IdleConnections()
  readonly #policy: DialPolicy
  readonly #lookup: NameLookup
  #last = new WeakMap<ServingAccount, LastPool>()
  #tablesApplied = 0

  constructor(policy: DialPolicy, lookup: NameLookup = systemLookup) {
    this.#policy = policy
    this.#lookup = lookup
  }

  get(key: PoolKey): ConnectionPool {
    const name = [key.origin, key.connectMs, key.idleTimeoutMs, key.proxyUrl ?? '', key.caPem ?? ''].join('\n')
    const known = this.#pools.get(name)
    if (known !== undefined) {
      known.askedAfter = this.#tablesApplied
      return known.pool
    }
    const pool = this.#create(key)
    this.#pools.set(name, { pool, origin: key.origin, askedAfter: this.#tablesApplied })
    return pool
  }

  /** The connections to an account's provider. Asked for with every request: the same answer as last time is found without a key. */
  ofAccount(serving: ServingAccount, origin: string, connectMs: number): ConnectionPool {
    const { account, credential } = serving
    const last = this.#last.get(serving)
    const isSame = last?.account === account && last.credential === credential
    if (isSame && last.origin === origin && last.connectMs === connectMs) return last.pool
    const pool = this.get({
      origin,
      connectMs,
      idleTimeoutMs: account.connections.idleTimeoutMs,
      proxyUrl: account.proxyUrl,
      caPem: credential.caPem,
    })
    this.#idle.limit(origin, account.connections)
    this.#last.set(serving, { account, credential, origin, connectMs, pool })
    return pool
  }

  /** Token endpoints go through the same dial guard as providers. */
  ofTokenEndpoint(url: string, caPem: string | undefined): ConnectionPool {
    return this.get({
      origin: new URL(url).origin,
      connectMs: 5_000,
      idleTimeoutMs: 10_000,
      proxyUrl: undefined,
      caPem,
    })
  }

  /**
   * A table with these accounts was applied. Pools that they used last stay, as do those asked for since the apply before; others
   * are closed once their requests under way are over.
   */
  renew(accounts: Iterable<ServingAccount>): void {
    const serving = [...accounts]
    this.#tablesApplied += 1
    this.#idle.startRound(serving.map(({ account }) => account.connections))
    // Nobody may find a closed pool here.
    const before = this.#last
    this.#last = new WeakMap()
    for (const account of serving) {
      const last = before.get(account)
      if (last !== undefined && isSameProvider(last.account, account.account)) {
        this.ofAccount(account, last.origin, last.connectMs)
      }
    }
    for (const [name, { pool, origin, askedAfter }] of this.#pools) {
      if (askedAfter >= this.#tablesApplied - 1) continue
      this.#pools.delete(name)
      this.#drop(origin, pool)
    }
  }

  #drop(origin: string, pool: ConnectionPool): void {
    this.#idle.leave(origin, pool)
    this.#closing.add(pool)
    pool.close(() => this.#closing.delete(pool))
  }

  #create(key: PoolKey): ConnectionPool {
    const { idleTimeoutMs } = key
    const url = new URL(key.origin)
    const proxy = key.proxyUrl === undefined ? undefined : new URL(key.proxyUrl)
    const isForwarded = proxy !== undefined && url.protocol === 'http:'
    const dial = within(key.connectMs, this.#dial(key, url, proxy))
    const forwarding = isForwarded ? { origin: key.origin, headers: proxyCredential(proxy) } : undefined
    const pool = new ConnectionPool({ dial, host: url.host, idleTimeoutMs, forwarding })
    this.#idle.watch(key.origin, pool)
    return pool
  }

  #dial({ caPem }: PoolKey, url: URL, proxy: URL | undefined): Dial {
    const refusal = this.#refusal(proxy) ?? this.#refusal(url)
    if (refusal !== undefined) return refuse(refusal)
    const lookup = guardedLookup(this.#policy, this.#lookup)
    // Node takes a list of authorities instead of its own, not besides.
    const ca = caPem === undefined ? undefined : [...getCACertificates('default'), caPem]
    if (proxy === undefined) return dialHost(url, { lookup, ca })
    const dialProxy = dialHost(proxy, { lookup, ca: undefined })
    return url.protocol === 'http:' ? dialProxy : dialThrough(proxy, url, dialProxy, encryption(url, ca))
  }

  /** Names are checked when they are resolved, on each connection; an address that stands in the URL can be judged at once. */
  #refusal(url: URL | undefined): Error | undefined {
    if (url === undefined) return undefined
    const host = hostOf(url)
    if (isIP(host) === 0) return undefined
    try {
      checkAddress(host, this.#policy)
      return undefined
    } catch (refused) {
      // checkAddress throws DialRefused only.
      return refused as Error
    }
  }

  /** Ends idle connections; requests under way are cut. */
  close(): void {
    this.#idle.close()
    const pools = [...this.#pools.values()].map(({ pool }) => pool)
    for (const pool of [...pools, ...this.#closing]) pool.destroy()
    this.#pools.clear()
  }
}

function isSameProvider(before: ServingAccount['account'], after: ServingAccount['account']): boolean {
  return before.provider === after.provider && before.preset === after.preset && before.baseUrl === after.baseUrl
}

function refuse(cause: Error): Dial {
  return (dialed) => {
    const refusal = setImmediate(dialed, new NoConnection(cause.message, { cause }))
    return () => clearImmediate(refusal)
  }
}
