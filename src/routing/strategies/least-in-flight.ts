import type { AccountRuntime } from '../account-runtime.ts'
import { inTurn } from './in-turn.ts'
import { type Candidate, lowestBy, type PickAccount } from './pick-account.ts'

/** The least busy for its weight; equals in turn. */
export function leastInFlight(): PickAccount {
  const takeTurns = inTurn()
  return (candidates, facts) => {
    const idlest = lowestBy(candidates, load)
    if (idlest === undefined) return undefined
    const leastLoad = load(idlest)
    return takeTurns(
      candidates.filter((candidate) => load(candidate) === leastLoad),
      facts,
    )
  }
}

function load({ runtime, member }: Candidate<AccountRuntime>): number {
  return runtime.inFlight / Math.max(1, member.weight)
}
