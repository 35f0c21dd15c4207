import { NoConnection } from './call-error.ts'
import type { Dial } from './dial.ts'
import type { ProviderCall, ReplyTaker } from './provider-call.ts'
import { type ConnectionOwner, ProviderConnection } from './provider-connection.ts'
import { ForwardedReply } from './proxy.ts'
import { requestHead } from './request-head.ts'

export interface PoolOptions {
  readonly dial: Dial
  /** For the header `host`. */
  readonly host: string
  /** An idle connection is closed after this time, or when its provider says so, if that is sooner. */
  readonly idleTimeoutMs: number
  /** Given where a proxy forwards the calls: what stands before the path, and headers for the proxy. */
  readonly forwarding: { readonly origin: string; readonly headers: readonly string[] } | undefined
}

/** Connections to one origin: one for each call under way, and those that wait for the next. */
export class ConnectionPool implements ConnectionOwner {
  readonly #options: PoolOptions
  readonly #all = new Set<ProviderConnection>()
  /** Idle for the longest time first; the last is used next, so that a surplus grows old. */
  readonly #idle: ProviderConnection[] = []
  #onEmpty: (() => void) | undefined
  #isDestroyed = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** Sends a call; on another connection it is never sent again. @throws UnsendableRequest, NoConnection after `destroy` */
  send(call: ProviderCall, taker: ReplyTaker): void {
    if (this.#isDestroyed) throw new NoConnection('the gateway is closing')
    const { host, forwarding } = this.#options
    const { method, body, path } = call
    if (forwarding === undefined) {
      // Before a connection is taken, as it throws.
      const head = requestHead(host, path, call)
      this.#free().begin({ method, head, body }, taker)
      return
    }
    const headers = [...call.headers, ...forwarding.headers]
    const head = requestHead(host, forwarding.origin + path, { ...call, headers })
    this.#free().begin({ method, head, body }, new ForwardedReply(taker))
  }

  #free(): ProviderConnection {
    const nowMs = performance.now()
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      if (!last.hasExpired(nowMs, this.#options.idleTimeoutMs)) return last
      last.destroy()
    }
    const connection = new ProviderConnection(this.#options.dial, this)
    this.#all.add(connection)
    return connection
  }

  freed(connection: ProviderConnection): void {
    if (this.#onEmpty === undefined) this.#idle.push(connection)
    else connection.destroy()
  }

  gone(connection: ProviderConnection): void {
    const at = this.#idle.indexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
    this.#all.delete(connection)
    if (this.#all.size === 0) this.#onEmpty?.()
  }

  /** Closes what has been idle for too long. @returns the others that are idle */
  sweep(nowMs: number): readonly ProviderConnection[] {
    for (const connection of [...this.#idle]) {
      if (connection.hasExpired(nowMs, this.#options.idleTimeoutMs)) connection.destroy()
    }
    return this.#idle
  }

  /** Closes idle connections at once, others after their call. @param empty told when there are none left */
  close(empty: () => void): void {
    this.#onEmpty = empty
    for (const connection of [...this.#idle]) connection.destroy()
    if (this.#all.size === 0) empty()
  }

  /** Calls under way are lost, and there are no others. */
  destroy(): void {
    this.#isDestroyed = true
    for (const connection of [...this.#all]) connection.destroy()
  }
}
