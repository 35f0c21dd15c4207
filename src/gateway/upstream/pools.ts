import { isIP } from 'node:net'
import { getCACertificates } from 'node:tls'
import { buildConnector, type Client, type Dispatcher, Pool, ProxyAgent } from 'undici'
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
  readonly pool: Dispatcher
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
  readonly pool: Dispatcher
}

/**
 * Connection pools by origin and by what makes connections differ (CA, proxy, connect time-out). Accounts at one origin share
 * connections; credentials travel in headers, never in the connection.
 */
export class UpstreamPools {
  readonly #pools = new Map<string, KnownPool>()
  /** Dropped, with requests under way. */
  readonly #closing = new Set<Dispatcher>()
  readonly #idle = new IdleConnections()
  readonly #policy: DialPolicy
  readonly #lookup: NameLookup
  #last = new WeakMap<ServingAccount, LastPool>()
  #tablesApplied = 0

  constructor(policy: DialPolicy, lookup: NameLookup = systemLookup) {
    this.#policy = policy
    this.#lookup = lookup
  }

  get(key: PoolKey): Dispatcher {
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
  ofAccount(serving: ServingAccount, origin: string, connectMs: number): Dispatcher {
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
  ofTokenEndpoint(url: string, caPem: string | undefined): Dispatcher {
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
    for (const [name, { pool, askedAfter }] of this.#pools) {
      if (askedAfter >= this.#tablesApplied - 1) continue
      this.#pools.delete(name)
      this.#drop(pool)
    }
    this.#idle.keepOnly(new Set([...this.#pools.values()].map(({ origin }) => origin)))
  }

  #drop(pool: Dispatcher): void {
    this.#closing.add(pool)
    pool.close(() => this.#closing.delete(pool))
  }

  #create(key: PoolKey): Dispatcher {
    // undici takes no zero here.
    const keepAliveMs = Math.max(1, key.idleTimeoutMs)
    const options = {
      // HTTP/2 would be negotiated by default; one stream a connection keeps a stalled reader from stalling others.
      allowH2: false,
      pipelining: 1,
      connections: null,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      // The exchange's own sweep measures first byte and idle time.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 65_536,
    }
    // Node takes a list of authorities instead of its own, not besides.
    const tls = key.caPem === undefined ? {} : { ca: [...getCACertificates('default'), key.caPem] }
    const lookup = guardedLookup(this.#policy, this.#lookup)
    const refusal = this.#refusal(key.proxyUrl) ?? this.#refusal(key.origin)
    if (refusal !== undefined) {
      return new Pool(key.origin, { ...options, connect: (_target, callback) => callback(refusal, null) })
    }
    // A pool hands its factory its own options, with a connector; undici types them as any object.
    const factory = (address: string | URL, given: object): Dispatcher =>
      this.#idle.createClient(key.origin, address, given as Client.Options)
    if (key.proxyUrl !== undefined) {
      return new ProxyAgent({
        ...options,
        connectTimeout: key.connectMs,
        uri: key.proxyUrl,
        proxyTls: { lookup },
        requestTls: tls,
        // For a target without TLS the agent gives a connector only.
        factory: (address, given) => new Pool(address, { ...options, ...given, factory }),
      })
    }
    const connect = buildConnector({ timeout: key.connectMs, lookup, allowH2: false, ...tls })
    return new Pool(key.origin, { ...options, connect, factory })
  }

  /** Names are checked when they are resolved, on each connection; an address that stands in the URL can be judged at once. */
  #refusal(url: string | undefined): Error | undefined {
    if (url === undefined) return undefined
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
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
  async close(): Promise<void> {
    this.#idle.close()
    const pools = [...this.#pools.values()].map(({ pool }) => pool)
    await Promise.all([...pools, ...this.#closing].map((pool) => pool.destroy()))
    this.#pools.clear()
  }
}

function isSameProvider(before: ServingAccount['account'], after: ServingAccount['account']): boolean {
  return before.provider === after.provider && before.preset === after.preset && before.baseUrl === after.baseUrl
}
