import { randomBytes } from 'node:crypto'
import type { GatewayDependencies } from '#gateway/options.ts'

/** Time and chance of a real process; tests give a gateway their own. */
export const PROCESS_WORLD: Pick<GatewayDependencies, 'now' | 'monotonic' | 'random' | 'newId'> = {
  now: Date.now,
  monotonic: () => performance.now(),
  random: Math.random,
  newId: uniqueIds(),
}

/** 96 random bits for the process, then a counter: drawing an id for each reply would cost as much as writing it. */
function uniqueIds(): () => string {
  const process = randomBytes(12).toString('hex')
  let count = 0
  return () => {
    count += 1
    return process + count.toString(16).padStart(8, '0')
  }
}
