import type { Strategy } from '#table/routing-table.ts'
import { latencyAware } from './latency-aware.ts'
import { leastInFlight } from './least-in-flight.ts'
import { lowestCost } from './lowest-cost.ts'
import type { PickAccount } from './pick-account.ts'
import { priority } from './priority.ts'
import { random } from './random.ts'
import { sticky } from './sticky.ts'
import { weighted } from './weighted.ts'

/** A new strategy is a file and a line here. */
export const STRATEGIES: Readonly<Record<Strategy, () => PickAccount>> = {
  // In turn by weight: with equal weights the two are the same.
  RoundRobin: weighted,
  Weighted: weighted,
  Random: random,
  Priority: priority,
  LeastInFlight: leastInFlight,
  LatencyAware: latencyAware,
  LowestCost: lowestCost,
  Sticky: sticky,
}
