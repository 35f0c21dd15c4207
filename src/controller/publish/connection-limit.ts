import { KorProxyError } from '#errors/korproxy-error.ts'
import type { TimeAndChance } from '../kube/time-and-chance.ts'

/** A controller that begins anew sees all gateways at once; each costs a question to the API server. */
const PER_SECOND = 20

/** New connections per second. */
export class ConnectionLimit {
  readonly #world: Pick<TimeAndChance, 'monotonic'>
  #tokens = PER_SECOND
  #filledAtMs: number

  constructor(world: Pick<TimeAndChance, 'monotonic'>) {
    this.#world = world
    this.#filledAtMs = world.monotonic()
  }

  /** @throws KP-SYS-533 when too many came within the last second */
  enter(): void {
    const nowMs = this.#world.monotonic()
    this.#tokens = Math.min(PER_SECOND, this.#tokens + ((nowMs - this.#filledAtMs) / 1_000) * PER_SECOND)
    this.#filledAtMs = nowMs
    if (this.#tokens < 1) throw new KorProxyError('KP-SYS-533', {}, { retryAfterMs: 1_000 })
    this.#tokens -= 1
  }
}
