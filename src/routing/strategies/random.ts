import type { PickAccount } from './pick-account.ts'

/** By chance, in proportion to the weights. */
export function random(): PickAccount {
  return (candidates, facts) => {
    const total = candidates.reduce((sum, { member }) => sum + Math.max(1, member.weight), 0)
    let left = facts.random() * total
    for (const candidate of candidates) {
      left -= Math.max(1, candidate.member.weight)
      if (left < 0) return candidate
    }
    return candidates.at(-1)
  }
}
