import type { Operation, UpstreamCall } from '#providers/provider.ts'
import type { Account } from '#table/routing-table.ts'
import type { ServingAccount } from '../serving-account.ts'

/** Where a call goes and what the provider wants in its head. */
export interface CallPlan {
  readonly origin: string
  /** Path and query. */
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
}

interface KeptPlan {
  readonly account: Account
  readonly operation: Operation
  readonly secret: string | undefined
  readonly stream: boolean
  readonly plan: CallPlan
}

/** Models of an account whose plans are kept; the next one empties the store. */
const MOST_MODELS = 256

/** Plans of calls, kept because most requests ask an account for the same as one before: making a plan parses a URL. */
export class CallPlans {
  readonly #kept = new WeakMap<ServingAccount, Map<string, KeptPlan>>()

  /** @throws KorProxyError KP-CONF-203 when the account lacks a base URL that its provider needs */
  get(serving: ServingAccount, call: UpstreamCall, secret: string | undefined): CallPlan {
    if (call.query !== '') return makePlan(serving, call, secret)
    const plans = this.#kept.get(serving) ?? new Map<string, KeptPlan>()
    const kept = plans.get(call.model)
    if (kept !== undefined && isFor(kept, call, secret)) return kept.plan
    const { account, operation, stream } = call
    const plan = makePlan(serving, call, secret)
    if (plans.size >= MOST_MODELS) plans.clear()
    plans.set(call.model, { account, operation, secret, stream, plan })
    this.#kept.set(serving, plans)
    return plan
  }
}

function isFor(kept: KeptPlan, { account, operation, stream }: UpstreamCall, secret: string | undefined): boolean {
  return (
    kept.account === account && kept.secret === secret && kept.stream === stream && isSame(kept.operation, operation)
  )
}

/** Paths of clients are free texts: those are planned each time. */
function isSame(a: Operation, b: Operation): boolean {
  return a.kind !== 'other' && b.kind !== 'other' && a.kind === b.kind && a.format === b.format
}

function makePlan({ provider }: ServingAccount, call: UpstreamCall, secret: string | undefined): CallPlan {
  const { url, method } = provider.target(call)
  const { origin, pathname, search } = new URL(url)
  return { origin, path: pathname + search, method, headers: provider.headers(call, secret) }
}
