import type { GroupTarget, RetryPolicy, Timeouts } from '#table/routing-table.ts'
import type { Exchange } from './exchange.ts'
import type { ServingGroup } from './serving-table.ts'

/** A group whose turn it is, and what holds for attempts in it. */
export interface GroupRun {
  readonly serving: ServingGroup
  /** What the model is called in this group: an override of the route, else the client's word. */
  readonly model: string
  readonly policy: RetryPolicy
  readonly timeouts: Timeouts
  /** Monotonic. */
  readonly deadline: number
  readonly whenUnavailable: 'Skip' | 'TryLeastBad'
  /** Whether a group comes after this one. */
  readonly fallback: 'left' | 'none'
  readonly begins: 'second-round' | undefined
}

/**
 * The groups of a request in the order in which they are tried. With a fallback at hand nobody waits for a dead primary; only when all
 * groups are spent are they tried once more, then down to the least bad account.
 */
export class GroupWalk {
  readonly #exchange: Exchange
  #position = 0
  #begins: GroupRun['begins']
  #whenUnavailable: GroupRun['whenUnavailable']

  constructor(exchange: Exchange) {
    this.#exchange = exchange
    this.#whenUnavailable = exchange.targets.length > 1 ? 'Skip' : 'TryLeastBad'
  }

  next(): GroupRun | undefined {
    const { targets, tenant } = this.#exchange
    for (;;) {
      const target = targets[this.#position]
      this.#position += 1
      if (target === undefined) {
        if (this.#whenUnavailable === 'TryLeastBad') return undefined
        this.#whenUnavailable = 'TryLeastBad'
        this.#position = 0
        this.#begins = 'second-round'
        continue
      }
      const serving = tenant.groups.get(target.group)
      if (serving !== undefined) return this.#open(serving, target)
    }
  }

  #open(serving: ServingGroup, target: GroupTarget): GroupRun {
    const { rule, requestedModel, startedAt, targets } = this.#exchange
    const { group } = serving
    const begins = this.#begins
    this.#begins = undefined
    const timeouts = rule?.timeouts === undefined ? group.timeouts : { ...group.timeouts, ...rule.timeouts }
    return {
      serving,
      model: target.modelOverride ?? requestedModel,
      policy: rule?.retry === undefined ? group.retry : { ...group.retry, ...rule.retry },
      timeouts,
      deadline: startedAt + timeouts.requestMs,
      whenUnavailable: this.#whenUnavailable,
      fallback: this.#position === targets.length ? 'none' : 'left',
      begins,
    }
  }
}
