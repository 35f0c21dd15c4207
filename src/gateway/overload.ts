import { KorProxyError } from '#errors/korproxy-error.ts'
import type { GatewayLimits } from './options.ts'

/** How often the event loop's delay is looked at. */
const TICK_MS = 100
/** One large request may hold the loop once or twice: that is over before anybody can be refused for it. */
const LATE_TICKS_OF_OVERLOAD = 3

/** Refuses new work before the process collapses: too many requests under way, or an event loop that no longer keeps up. */
export class OverloadGuard {
  #inFlight = 0
  #lateTicks = 0
  #lastTick = performance.now()
  readonly #limits: GatewayLimits
  readonly #timer: NodeJS.Timeout

  constructor(limits: GatewayLimits) {
    this.#limits = limits
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
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
    if (this.#lateTicks >= LATE_TICKS_OF_OVERLOAD) {
      throw new KorProxyError('KP-SYS-501', { limit: 'processor time' }, { retryAfterMs: 2_000 })
    }
    this.#inFlight += 1
  }

  leave(): void {
    this.#inFlight -= 1
  }

  #tick(): void {
    const now = performance.now()
    const delayMs = now - this.#lastTick - TICK_MS
    this.#lastTick = now
    this.#lateTicks = delayMs > this.#limits.maxLoopDelayMs ? this.#lateTicks + 1 : 0
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
