import type { Account, Group, Strategy } from '#table/routing-table.ts'
import type { AccountRuntime } from './account-runtime.ts'
import { explainNone, type NoneReason } from './explain-none.ts'
import type { HealthView } from './health/health-view.ts'
import { judgeMember, type MemberVerdict, type Skip } from './judge-member.ts'
import { compileModelAccess, type ModelResolver } from './model-access.ts'
import { type Candidate, lowestBy, type PickAccount } from './strategies/pick-account.ts'
import { sticky } from './strategies/sticky.ts'
import { STRATEGIES } from './strategies/strategies.ts'

export interface SelectRequest {
  /** As the client or an override names it. */
  readonly model: string
  /** Unix time, milliseconds. */
  readonly nowMs: number
  readonly random: () => number
  /** Accounts that this request was sent to already. */
  readonly tried: ReadonlySet<string>
  readonly affinityKey?: string
  readonly costOf?: (account: Account, model: string) => number | undefined
  /** `Skip`: rather none than an unavailable account, because another group may have a better one. Absent = `TryLeastBad`. */
  readonly whenUnavailable?: 'TryLeastBad' | 'Skip'
}

export type Selection<Runtime extends AccountRuntime = AccountRuntime> =
  | {
      readonly kind: 'account'
      readonly runtime: Runtime
      /** The provider's name of the model. */
      readonly model: string
      readonly reason: Strategy | 'Affinity' | 'Probe' | 'LeastRecentlyLimited' | 'LeastBad'
      /** This request is the half-open probe of the account. */
      readonly probe: boolean
      /** The account was not available, but neither was another. */
      readonly panic: boolean
      readonly skipped: readonly Skip[]
    }
  | {
      readonly kind: 'none'
      readonly reason: NoneReason
      /** Until the first account may be available again. */
      readonly retryAfterMs?: number
      readonly skipped: readonly Skip[]
    }

interface Judged<Runtime extends AccountRuntime> {
  readonly candidate: Candidate<Runtime>
  readonly view: HealthView
}

/** What one walk through the members found. */
interface Survey<Runtime extends AccountRuntime> {
  readonly skipped: Skip[]
  readonly due: Judged<Runtime>[]
  readonly spare: Judged<Runtime>[]
}

type Chosen<Runtime extends AccountRuntime> = Extract<Selection<Runtime>, { kind: 'account' }>

/** Plans for this many models are kept; the next one empties the store. */
const REMEMBERED_MODELS = 512
/** Above every priority that a group can give. */
const LAST_TIER = 1_000

/** Chooses the account for each request of a group. Built when a table is applied. */
export class GroupSelector<Runtime extends AccountRuntime = AccountRuntime> {
  readonly #group: Group
  readonly #members: readonly { readonly runtime: Runtime; readonly resolve: ModelResolver; readonly index: number }[]
  readonly #pick: PickAccount
  readonly #pickByKey = sticky()
  readonly #plans = new Map<string, readonly (readonly Candidate<Runtime>[])[]>()

  /**
   * @param accounts of the tenant, by name
   * @param modelAliases of the catalogue
   */
  constructor(
    group: Group,
    accounts: ReadonlyMap<string, Runtime>,
    modelAliases: Readonly<Record<string, string>> = {},
  ) {
    this.#group = group
    this.#pick = STRATEGIES[group.strategy]()
    const naming = { aliases: modelAliases, accounts: [...accounts.keys()] }
    this.#members = group.members.flatMap(({ account }, index) => {
      const runtime = accounts.get(account)
      return runtime === undefined ? [] : [{ runtime, resolve: compileModelAccess(runtime.account, naming), index }]
    })
  }

  /**
   * The lowest tier with an available account gives it. One request at a time probes an erroring account that is due. With nothing
   * available the least bad is tried. Counts the request against the account's limits; its outcome must reach `health.record`.
   */
  select(request: SelectRequest): Selection<Runtime> {
    const survey: Survey<Runtime> = { skipped: [], due: [], spare: [] }
    for (const tier of this.#plan(request.model)) {
      const ready = this.#walkTier(tier, request, survey)
      // A retry has waited enough: it probes only when nobody else is left.
      const probe = request.tried.size === 0 ? this.#probe(survey, request.nowMs) : undefined
      const chosen = probe ?? this.#pickReady(ready, request, survey)
      if (chosen !== undefined) return this.#count(chosen, request.nowMs)
    }
    const chosen = this.#probe(survey, request.nowMs) ?? this.#lastResort(request, survey)
    if (chosen !== undefined) return this.#count(chosen, request.nowMs)
    return {
      kind: 'none',
      ...explainNone(survey.skipped, request.nowMs),
      skipped: this.#withUnserved(request.model, survey),
    }
  }

  /** Whether an account that was not tried yet could take the request now; changes nothing. */
  hasOther({ model, nowMs, tried }: Pick<SelectRequest, 'model' | 'nowMs' | 'tried'>): boolean {
    return this.#plan(model).some((tier) =>
      tier.some((candidate) => judgeMember(candidate, nowMs, tried).kind !== 'skip'),
    )
  }

  /** What the first enabled account that serves a model calls it. */
  upstreamModel(model: string): string | undefined {
    for (const { runtime, resolve } of this.#members) {
      const upstream = runtime.account.state === 'Enabled' ? resolve(model) : undefined
      if (upstream !== undefined) return upstream
    }
    return undefined
  }

  /** How every account of the group stands towards a request, for `explain`; changes nothing. */
  survey({ model, nowMs, tried }: Pick<SelectRequest, 'model' | 'nowMs' | 'tried'>): {
    readonly account: string
    readonly model: string
    readonly verdict: MemberVerdict
  }[] {
    const served = this.#plan(model).flat()
    const judged = served.map((candidate) => ({
      account: candidate.member.account,
      model: candidate.model,
      verdict: judgeMember(candidate, nowMs, tried),
    }))
    const unserved = this.#unserved(model).map((skip) => ({
      account: skip.account,
      model,
      verdict: { kind: 'skip', skip } as const,
    }))
    return [...judged, ...unserved]
  }

  #walkTier(
    tier: readonly Candidate<Runtime>[],
    { nowMs, tried }: SelectRequest,
    survey: Survey<Runtime>,
  ): Candidate<Runtime>[] {
    const ready: Candidate<Runtime>[] = []
    for (const candidate of tier) {
      const verdict = judgeMember(candidate, nowMs, tried)
      if (verdict.kind === 'ready') ready.push(candidate)
      else if (verdict.kind === 'due') survey.due.push({ candidate, view: verdict.view })
      else {
        survey.skipped.push(verdict.skip)
        if (verdict.view !== undefined) survey.spare.push({ candidate, view: verdict.view })
      }
    }
    return ready
  }

  #probe(survey: Survey<Runtime>, nowMs: number): Chosen<Runtime> | undefined {
    const judged = survey.due.find(({ candidate }) => candidate.runtime.health.tryProbe(candidate.model, nowMs))
    if (judged === undefined) return undefined
    const { runtime, model } = judged.candidate
    return { kind: 'account', runtime, model, reason: 'Probe', probe: true, panic: false, skipped: survey.skipped }
  }

  #pickReady(
    ready: readonly Candidate<Runtime>[],
    request: SelectRequest,
    { skipped }: Survey<Runtime>,
  ): Chosen<Runtime> | undefined {
    if (ready.length === 0) return undefined
    const byKey = this.#group.affinity.by !== 'None' && request.affinityKey !== undefined
    const picked = byKey ? this.#pickByKey(ready, request) : this.#pick(ready, request)
    if (picked === undefined) return undefined
    const reason = byKey ? 'Affinity' : this.#group.strategy
    return {
      kind: 'account',
      runtime: picked.runtime,
      model: picked.model,
      reason,
      probe: false,
      panic: false,
      skipped,
    }
  }

  /** Our view of a group that fails as a whole may be wrong, and an answer that may come beats one that cannot. */
  #lastResort(request: SelectRequest, survey: Survey<Runtime>): Chosen<Runtime> | undefined {
    if (request.whenUnavailable === 'Skip' || !this.#mayPanic(request)) return undefined
    const { spare, skipped } = survey
    const limited = spare.filter(({ view }) => view.state === 'rate_limited')
    if (limited.length > 0 && this.#group.health.whenAllUnavailable === 'LeastRecentlyLimited') {
      const since = new Map(limited.map(({ candidate, view }) => [candidate, view.sinceMs ?? 0]))
      const oldest = lowestBy([...since.keys()], (candidate) => since.get(candidate) ?? 0)
      return oldest && panic(oldest, 'LeastRecentlyLimited', skipped)
    }
    const erroring = spare.filter(({ view }) => view.state === 'erroring')
    const failing = erroring.filter(({ view }) => view.cause !== 'credential')
    const candidates = (failing.length > 0 ? failing : erroring).map(({ candidate }) => candidate)
    const picked = candidates.length === 0 ? undefined : this.#pick(candidates, request)
    return picked && panic(picked, 'LeastBad', skipped)
  }

  /** The first try of a request in this group is always made; further ones while less than half of the group is healthy. */
  #mayPanic({ model, nowMs, tried }: SelectRequest): boolean {
    const served = this.#plan(model).flat()
    if (!served.some(({ member }) => tried.has(member.account))) return true
    const healthy = served.filter(
      (candidate) => candidate.runtime.health.state(candidate.model, nowMs).state === 'available',
    )
    return healthy.length * 2 < served.length
  }

  #count(chosen: Chosen<Runtime>, nowMs: number): Chosen<Runtime> {
    chosen.runtime.limits.noteRequest(nowMs)
    return chosen
  }

  #withUnserved(model: string, { skipped }: Survey<Runtime>): Skip[] {
    return [...skipped, ...this.#unserved(model)]
  }

  #unserved(model: string): Skip[] {
    return this.#members
      .filter(({ resolve }) => resolve(model) === undefined)
      .map(({ runtime }) => ({ account: runtime.account.name, reason: 'model-not-served' as const }))
  }

  /** The accounts that serve a model, by tier; those of weight 0 after all others. */
  #plan(model: string): readonly (readonly Candidate<Runtime>[])[] {
    const known = this.#plans.get(model)
    if (known !== undefined) return known
    const tiers = new Map<number, Candidate<Runtime>[]>()
    for (const { runtime, resolve, index } of this.#members) {
      const member = this.#group.members[index]
      const upstream = resolve(model)
      if (member === undefined || upstream === undefined) continue
      const tier = member.weight === 0 ? LAST_TIER + member.priority : member.priority
      const candidates = tiers.get(tier) ?? []
      candidates.push({ runtime, member, model: upstream })
      tiers.set(tier, candidates)
    }
    const plan = [...tiers].sort(([left], [right]) => left - right).map(([, candidates]) => candidates)
    if (this.#plans.size >= REMEMBERED_MODELS) this.#plans.clear()
    this.#plans.set(model, plan)
    return plan
  }
}

function panic<Runtime extends AccountRuntime>(
  { runtime, model }: Candidate<Runtime>,
  reason: 'LeastRecentlyLimited' | 'LeastBad',
  skipped: readonly Skip[],
): Chosen<Runtime> {
  return { kind: 'account', runtime, model, reason, probe: false, panic: true, skipped }
}
