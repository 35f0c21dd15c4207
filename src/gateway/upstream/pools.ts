import { isIP } from 'node:net'
import { getCACertificates } from 'node:tls'
import { buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici'
import type { ServingAccount } from '../serving-account.ts'
import { checkAddress, type DialPolicy, guardedLookup } from './dial-guard.ts'
import { watchConnection } from './stale-connection.ts'

export interface PoolKey {
  readonly origin: string
  readonly connectMs: number
  /** An idle connection is closed after this time. */
  readonly idleTimeoutMs: number
  readonly proxyUrl: string | undefined
  readonly caPem: string | undefined
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
  readonly #pools = new Map<string, Dispatcher>()
  readonly #last = new WeakMap<ServingAccount, LastPool>()
  readonly #policy: DialPolicy

  constructor(policy: DialPolicy) {
    this.#policy = policy
  }

  get(key: PoolKey): Dispatcher {
    const name = [key.origin, key.connectMs, key.idleTimeoutMs, key.proxyUrl ?? '', key.caPem ?? ''].join('\n')
    const known = this.#pools.get(name)
    if (known !== undefined) return known
    const pool = this.#create(key)
    this.#pools.set(name, pool)
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
    this.#last.set(serving, { account, credential, origin, connectMs, pool })
    return pool
  }

  #create(key: PoolKey): Dispatcher {
    const options = {
      // HTTP/2 would be negotiated by default; one stream a connection keeps a stalled reader from stalling others.
      allowH2: false,
      pipelining: 1,
      connections: null,
      keepAliveTimeout: key.idleTimeoutMs,
      keepAliveMaxTimeout: key.idleTimeoutMs,
      // The exchange's own sweep measures first byte and idle time.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 65_536,
    }
    // Node takes a list of authorities instead of its own, not besides.
    const tls = key.caPem === undefined ? {} : { ca: [...getCACertificates('default'), key.caPem] }
    const lookup = guardedLookup(this.#policy)
    const refusal = this.#refusal(key.proxyUrl) ?? this.#refusal(key.origin)
    if (refusal !== undefined) {
      return new Pool(key.origin, { ...options, connect: (_target, callback) => callback(refusal, null) })
    }
    if (key.proxyUrl !== undefined) {
      const { connectMs: connectTimeout } = key
      return new ProxyAgent({ ...options, connectTimeout, uri: key.proxyUrl, proxyTls: { lookup }, requestTls: tls })
    }
    const connector = buildConnector({ timeout: key.connectMs, lookup, allowH2: false, ...tls })
    return new Pool(key.origin, {
      ...options,
      connect: (target, callback) =>
        connector(target, (...result) => {
          const [error, socket] = result
          if (error === null && socket !== null) watchConnection(socket)
          callback(...result)
        }),
    })
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
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()))
    this.#pools.clear()
  }
}
