import { inTurn } from './in-turn.ts'
import { lowestBy, type PickAccount } from './pick-account.ts'

/**
 * The same account for the same key, by rendezvous hashing: each account has its own order for each key, so that one that comes or
 * goes moves only its own keys. Weights give shares. Without a key: in turn.
 * @see https://www.ietf.org/archive/id/draft-ietf-bess-weighted-hrw-00.html
 */
export function sticky(): PickAccount {
  const takeTurns = inTurn()
  return (candidates, facts) => {
    const { affinityKey } = facts
    if (affinityKey === undefined) return takeTurns(candidates, facts)
    return lowestBy(candidates, ({ member }) => {
      const draw = (hashText(`${affinityKey}\n${member.account}`) + 0.5) / 2 ** 32
      return -Math.log(draw) / Math.max(1, member.weight)
    })
  }
}

/** FNV-1a, and murmur's finish over it, because FNV alone spreads texts badly that differ at their end only. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
