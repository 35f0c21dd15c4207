import type { PickAccount } from './pick-account.ts'

/** The first of the tier, in the order of the group: the next one only takes what the first cannot. */
export function priority(): PickAccount {
  return (candidates) => candidates[0]
}
