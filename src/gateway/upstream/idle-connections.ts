import type { Client, Dispatcher } from 'undici'
import { CountedClient } from './counted-client.ts'

/** Under load many connections are idle for a moment: only what carried nothing since the last sweep counts. */
const SWEEP_MS = 1_000

/** What accounts ask for: how many idle connections are kept to all hosts together, and to one. */
export interface IdleLimits {
  readonly maxIdle: number
  readonly maxIdlePerHost: number
}

/** The clients of all pools to one origin. */
interface Host {
  /** In the order they were made, in which undici uses them, too. */
  clients: CountedClient[]
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

  /** Makes a client of a pool to this origin, perhaps through a proxy at another address. */
  createClient(origin: string, address: string | URL, options: Client.Options): Dispatcher {
    const counted = new CountedClient(address, options)
    this.#host(origin).clients.push(counted)
    return counted.client
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

  /** Forgets origins that have no pool any more. */
  keepOnly(origins: ReadonlySet<string>): void {
    for (const origin of this.#hosts.keys()) if (!origins.has(origin)) this.#hosts.delete(origin)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#hosts.clear()
  }

  #host(origin: string): Host {
    const known = this.#hosts.get(origin)
    if (known !== undefined) return known
    const host: Host = { clients: [], maxIdle: undefined, round: this.#round }
    this.#hosts.set(origin, host)
    return host
  }

  #sweep(): void {
    const kept = [...this.#hosts.values()].flatMap((host) => closeSurplus(sweepHost(host), host.maxIdle))
    closeSurplus(kept, this.#maxIdle)
  }
}

/** @returns the clients whose connection is idle */
function sweepHost(host: Host): CountedClient[] {
  // Its pool has given it up, or is given up itself.
  if (host.clients.some(({ isGone }) => isGone)) host.clients = host.clients.filter(({ isGone }) => !isGone)
  for (const client of host.clients) client.sweep()
  return host.clients.filter(({ idleSweeps }) => idleSweeps > 0)
}

/** @returns the clients that keep their connection, in their order */
function closeSurplus(idle: CountedClient[], limit: number | undefined): CountedClient[] {
  if (limit === undefined || idle.length <= limit) return idle
  // Of those idle for the same time the first is kept: undici would use it next.
  const byIdleTime = idle.toReversed().toSorted((one, other) => other.idleSweeps - one.idleSweeps)
  const surplus = new Set(byIdleTime.slice(0, idle.length - limit))
  for (const client of surplus) client.disconnect()
  return idle.filter((client) => !surplus.has(client))
}
