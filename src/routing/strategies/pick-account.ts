import type { Account, GroupMember } from '#table/routing-table.ts'
import type { AccountRuntime } from '../account-runtime.ts'

/** An account that may take the request now. */
export interface Candidate<Runtime extends AccountRuntime = AccountRuntime> {
  readonly runtime: Runtime
  readonly member: GroupMember
  /** The provider's name of the model. */
  readonly model: string
}

export interface PickFacts {
  /** Unix time, milliseconds. */
  readonly nowMs: number
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number
  /** What keeps a conversation at one account. */
  readonly affinityKey?: string
  /** Price of a typical request; undefined = unknown. */
  readonly costOf?: (account: Account, model: string) => number | undefined
}

/** Chooses among candidates of one tier. Not called without any. State lasts as long as the group's configuration. */
export type PickAccount = <Runtime extends AccountRuntime>(
  candidates: readonly Candidate<Runtime>[],
  facts: PickFacts,
) => Candidate<Runtime> | undefined

/** The candidate with the lowest value; of equals the first. */
export function lowestBy<Runtime extends AccountRuntime>(
  candidates: readonly Candidate<Runtime>[],
  measure: (candidate: Candidate<Runtime>) => number,
): Candidate<Runtime> | undefined {
  let lowest: Candidate<Runtime> | undefined
  let lowestValue = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const value = measure(candidate)
    if (lowest !== undefined && value >= lowestValue) continue
    lowest = candidate
    lowestValue = value
  }
  return lowest
}
