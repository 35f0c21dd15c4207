import { monitorEventLoopDelay } from 'node:perf_hooks'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { GatewayLimits } from './options.ts'

/** How long the median event-loop delay is looked back on. */
const WINDOW_MS = 1_000

/** Refuses new work before the process collapses: too many requests under way, or an event loop that no longer keeps up. */
export class OverloadGuard {
  #inFlight = 0
  #delayMs = 0
  readonly #limits: GatewayLimits
  readonly #delay = monitorEventLoopDelay({ resolution: 20 })
  readonly #timer: NodeJS.Timeout

  constructor(limits: GatewayLimits) {
    this.#limits = limits
    this.#delay.enable()
    this.#timer = setInterval(() => this.#readDelay(), WINDOW_MS)
    this.#timer.unref()
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** @throws KorProxyError KP-SYS-501 */
  enter(): void {
    if (this.#inFlight >= this.#limits.maxInFlight) {
      throw new KorProxyError(
        'KP-SYS-501',
        { limit: `${this.#limits.maxInFlight} requests in flight` },
        { retryAfterMs: 1_000 },
      )
    }
    if (this.#delayMs > this.#limits.maxLoopDelayMs) {
      throw new KorProxyError('KP-SYS-501', { limit: 'processor time' }, { retryAfterMs: 2_000 })
    }
    this.#inFlight += 1
  }

  leave(): void {
    this.#inFlight -= 1
  }

  #readDelay(): void {
    this.#delayMs = this.#delay.percentile(50) / 1e6
    this.#delay.reset()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#delay.disable()
  }
}
