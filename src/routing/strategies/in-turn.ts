import { lowestBy, type PickAccount } from './pick-account.ts'

/** In turn: the account whose last turn is longest ago. Accounts that come and go neither lose nor gain turns. */
export function inTurn(): PickAccount {
  const lastTurns = new Map<string, number>()
  let turn = 0
  return (candidates) => {
    const picked = lowestBy(candidates, ({ member }) => lastTurns.get(member.account) ?? 0)
    turn += 1
    if (picked !== undefined) lastTurns.set(picked.member.account, turn)
    return picked
  }
}
