import { inTurn } from './in-turn.ts'
import type { PickAccount } from './pick-account.ts'

/** The cheapest; equals in turn. An unknown price comes after every known one. */
export function lowestCost(): PickAccount {
  const takeTurns = inTurn()
  return (candidates, facts) => {
    const priced = candidates.map((candidate) => ({
      candidate,
      cost: facts.costOf?.(candidate.runtime.account, candidate.model) ?? Number.POSITIVE_INFINITY,
    }))
    const lowest = Math.min(...priced.map(({ cost }) => cost))
    const cheapest = priced.filter(({ cost }) => cost === lowest).map(({ candidate }) => candidate)
    return takeTurns(cheapest, facts)
  }
}
