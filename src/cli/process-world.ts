import { randomUUID } from 'node:crypto'
import type { GatewayDependencies } from '#gateway/options.ts'

/** Time and chance of a real process; tests give a gateway their own. */
export const PROCESS_WORLD: Pick<GatewayDependencies, 'now' | 'monotonic' | 'random' | 'newId'> = {
  now: Date.now,
  monotonic: () => performance.now(),
  random: Math.random,
  newId: () => randomUUID().replaceAll('-', ''),
}
