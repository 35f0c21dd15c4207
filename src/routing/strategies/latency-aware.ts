import type { AccountRuntime } from '../account-runtime.ts'
import { type Candidate, lowestBy, type PickAccount } from './pick-account.ts'

/** An account nobody has measured counts as this fast, so that it gets measured. */
const UNMEASURED_MS = 1
/** Keeps the cost finite while every request fails. */
const LOWEST_SUCCESS_RATE = 0.05

/**
 * The better of two taken by chance: moving average of the latency times what is under way, over the success rate. Two, because
 * always taking the best of all sends a herd to one account.
 * @see https://www.eecs.harvard.edu/~michaelm/postscripts/handbook2001.pdf
 */
export function latencyAware(): PickAccount {
  return (candidates, facts) => {
    if (candidates.length <= 2) return lowestBy(candidates, (candidate) => cost(candidate, facts.nowMs))
    const first = Math.floor(facts.random() * candidates.length)
    const step = 1 + Math.floor(facts.random() * (candidates.length - 1))
    const pair = [candidates[first], candidates[(first + step) % candidates.length]]
    return lowestBy(
      pair.filter((candidate) => candidate !== undefined),
      (candidate) => cost(candidate, facts.nowMs),
    )
  }
}

function cost({ runtime }: Candidate<AccountRuntime>, nowMs: number): number {
  const { latencyMs = UNMEASURED_MS, successRate } = runtime.health.score(nowMs)
  return ((latencyMs + UNMEASURED_MS) * (runtime.inFlight + 1)) / Math.max(successRate, LOWEST_SUCCESS_RATE)
}
