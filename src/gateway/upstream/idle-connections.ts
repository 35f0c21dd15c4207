import type { ConnectionPool } from '../provider-http/connection-pool.ts'
import type { ProviderConnection } from '../provider-http/provider-connection.ts'

/** Under load many connections are idle for a moment: only what carried nothing since the last sweep counts. */
const SWEEP_MS = 1_000

/** What accounts ask for: how many idle connections are kept to all hosts together, and to one. */
export interface IdleLimits {
  readonly maxIdle: number
  readonly maxIdlePerHost: number
}

/** All pools to one origin. */
interface Host {
  readonly pools: Set<ConnectionPool>
  /** Undefined: no account has asked; a token endpoint, for example. */
  maxIdle: number | undefined
  /** When the limit was set; a later round of limits replaces it, others of the same round only raise it. */
  round: number
}

/**
 * Keeps idle connections within limits. Accounts share connections, so of different limits the largest counts. A surplus is
 * closed one or two sweeps after its last use, the connections that have been idle longest first.
 */
export class IdleConnections {
  readonly #hosts = new Map<string, Host>()
  #maxIdle: number | undefined
  #round = 0
  readonly #timer: NodeJS.Timeout

  constructor() {
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS)
    this.#timer.unref()
  }

  watch(origin: string, pool: ConnectionPool): void {
    this.#host(origin).pools.add(pool)
  }

  /** Its pool has been given up. */
  leave(origin: string, pool: ConnectionPool): void {
    const host = this.#hosts.get(origin)
    host?.pools.delete(pool)
    if (host?.pools.size === 0) this.#hosts.delete(origin)
  }

  /** From now on limits are of new accounts; one that is not given again is in force until another takes its place. */
  startRound(accounts: Iterable<IdleLimits>): void {
    this.#round += 1
    this.#maxIdle = undefined
    for (const { maxIdle } of accounts) this.#maxIdle = Math.max(this.#maxIdle ?? 0, maxIdle)
  }

  limit(origin: string, { maxIdle, maxIdlePerHost }: IdleLimits): void {
    const host = this.#host(origin)
    const others = host.round === this.#round ? (host.maxIdle ?? 0) : 0
    host.maxIdle = Math.max(others, maxIdlePerHost)
    host.round = this.#round
    this.#maxIdle = Math.max(this.#maxIdle ?? 0, maxIdle)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#hosts.clear()
  }

  #host(origin: string): Host {
    const known = this.#hosts.get(origin)
    if (known !== undefined) return known
    const host: Host = { pools: new Set(), maxIdle: undefined, round: this.#round }
    this.#hosts.set(origin, host)
    return host
  }

  #sweep(): void {
    const nowMs = performance.now()
    const kept = [...this.#hosts.values()].flatMap((host) => closeSurplus(idleOf(host, nowMs), host.maxIdle))
    closeSurplus(kept, this.#maxIdle)
  }
}

function idleOf({ pools }: Host, nowMs: number): ProviderConnection[] {
  const idle = [...pools].flatMap((pool) => pool.sweep(nowMs))
  return idle.filter(({ idleSince }) => nowMs - idleSince >= SWEEP_MS)
}

/** @returns the connections that are kept */
function closeSurplus(idle: ProviderConnection[], limit: number | undefined): ProviderConnection[] {
  if (limit === undefined || idle.length <= limit) return idle
  const byAge = idle.toSorted((one, other) => one.idleSince - other.idleSince)
  const surplus = byAge.length - limit
  for (const connection of byAge.slice(0, surplus)) connection.destroy()
  return byAge.slice(surplus)
}
