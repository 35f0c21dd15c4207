import { randomBytes } from 'node:crypto'
import { CountedIds } from '#gateway/counted-ids.ts'
import type { GatewayDependencies } from '#gateway/options.ts'

/** 96 random bits for the process. */
const IDS = new CountedIds(randomBytes(12).toString('hex'), 8)

/** Time and chance of a real process; tests give a gateway their own. */
export const PROCESS_WORLD: Pick<GatewayDependencies, 'now' | 'monotonic' | 'random' | 'newId'> = {
  now: Date.now,
  monotonic: () => performance.now(),
  random: Math.random,
  newId: () => IDS.next(),
}
