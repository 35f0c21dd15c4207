import { lowestBy, type PickAccount } from './pick-account.ts'

/**
 * Smooth weighted round robin: weights 5, 1, 1 give a a b a c a a rather than a a a a a b c.
 * @see https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1
 */
export function weighted(): PickAccount {
  const credits = new Map<string, number>()
  return (candidates) => {
    let total = 0
    for (const { member } of candidates) {
      const weight = Math.max(1, member.weight)
      credits.set(member.account, (credits.get(member.account) ?? 0) + weight)
      total += weight
    }
    const picked = lowestBy(candidates, ({ member }) => -(credits.get(member.account) ?? 0))
    if (picked !== undefined) credits.set(picked.member.account, (credits.get(picked.member.account) ?? 0) - total)
    return picked
  }
}
