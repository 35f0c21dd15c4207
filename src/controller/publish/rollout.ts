import type { RosterEntry } from './gateway-roster.ts'
import { hasVersion, type Publication } from './publication.ts'

/** How a change goes out when it is tried on a few gateways first. */
export interface CanaryPlan {
  /** How many go first. */
  readonly gateways: number
  readonly observeMs: number
}

/** What a gateway should run. */
export interface RolloutTarget {
  readonly publication: Publication
  /** The gateway tried a table that was taken back. */
  readonly takenBack: boolean
}

export type RolloutPhase = 'Applying' | 'Observing' | 'Held'
export interface RolloutState {
  readonly version: string
  readonly phase: RolloutPhase
  readonly gateways: readonly string[]
  /** Why it is held. */
  readonly reason?: string
}

/** What the leading controller has decided, for the others: one change is tried once, however many controllers there are. */
export interface RolloutWord {
  /** Version that all run except canaries. */
  readonly stable: string
  readonly candidate?: RolloutState
}

interface Undecided {
  readonly publication: Publication
  readonly plan: CanaryPlan
}

interface Traffic {
  readonly requests: number
  readonly failures: number
}

interface Candidate {
  readonly publication: Publication
  readonly plan: CanaryPlan
  readonly gateways: Set<string>
  phase: RolloutPhase
  sinceMs: number
  /** Counters when the observation began. */
  before: ReadonlyMap<string, Traffic>
  /** Since when requests fail more often there than elsewhere. */
  suspectSinceMs: number | undefined
  reason: string | undefined
}

/** Fewer requests than this prove nothing. */
const MIN_REQUESTS = 20
/** A suspicion must last until every gateway has reported: what fails everywhere shows on one of them first. */
const SUSPICION_MS = 12_000
/** Whoever falls further behind than this hears of something newer. */
const MAX_UNDECIDED = 16
/** More failures than before by this share of the requests, and twice as many: the table is to blame. */
const JUMP = 0.1

/**
 * Which table which gateway should run. With a plan a change goes to a few gateways, is watched there, and then goes to all; a refusal
 * or a jump of their error rate holds it, and the few go back. A pure machine: time and gateways come in.
 */
export class Rollout {
  readonly #role: () => 'Decides' | 'Follows'
  /** Offered with a plan, and neither given to all nor overtaken by what was; oldest first. */
  #undecided: Undecided[] = []
  #stable: Publication | undefined
  #candidate: Candidate | undefined
  /** Came while another was being observed. */
  #next: Undecided | undefined
  /** Gateways that must return to the stable table. */
  readonly #takenBack = new Set<string>()

  /** @param role of several controllers one decides; the others do as they hear from it */
  constructor(role: () => 'Decides' | 'Follows' = () => 'Decides') {
    this.#role = role
  }

  /** What gateways run unless they are canaries. */
  get stable(): Publication | undefined {
    return this.#stable
  }

  get state(): RolloutState | undefined {
    if (this.#candidate === undefined) return undefined
    const { publication, phase, gateways, reason } = this.#candidate
    const state = { version: publication.table.version, phase, gateways: [...gateways] }
    return reason === undefined ? state : { ...state, reason }
  }

  targetOf(gateway: string): RolloutTarget | undefined {
    const candidate = this.#candidate
    if (candidate !== undefined && candidate.phase !== 'Held' && candidate.gateways.has(gateway)) {
      return { publication: candidate.publication, takenBack: false }
    }
    if (this.#stable === undefined) return undefined
    return { publication: this.#stable, takenBack: this.#takenBack.has(gateway) }
  }

  /** @param plan undefined = all gateways at once */
  offer(publication: Publication, plan: CanaryPlan | undefined): void {
    const isBack = this.#stable?.table.version === publication.table.version
    if (plan === undefined || publication.urgent || this.#stable === undefined || isBack) {
      this.#promote(publication)
      this.#next = undefined
      return
    }
    this.#undecided = [...this.#undecided, { publication, plan }].slice(-MAX_UNDECIDED)
    if (this.#role() === 'Follows') return
    if (this.#candidate?.phase === 'Observing') this.#next = { publication, plan }
    else this.#begin(publication, plan)
  }

  /** @param nowMs monotonic */
  step(roster: readonly RosterEntry[], nowMs: number): void {
    if (this.#role() === 'Follows') return
    this.#takeUp()
    const candidate = this.#candidate
    if (candidate === undefined || candidate.phase === 'Held') return
    const present = roster.filter(({ connected }) => connected)
    this.#choose(candidate, present)
    const reason = faultOf(candidate, present, nowMs)
    if (reason !== undefined) this.#hold(candidate, reason)
    else if (this.#isDone(candidate, present, nowMs)) this.#finish(candidate)
  }

  /** For the controllers that follow; undefined before the first table. */
  get word(): RolloutWord | undefined {
    const { state } = this
    if (this.#stable === undefined) return undefined
    return { stable: this.#stable.table.version, ...(state !== undefined && { candidate: state }) }
  }

  /** What the controller that decides has decided. Versions that are not known here, or not any more, are none of ours. */
  heard({ stable, candidate }: RolloutWord): void {
    if (this.#role() === 'Decides') return
    const promoted = this.#find(stable)
    if (promoted !== undefined) this.#promote(promoted.publication)
    const tried = candidate === undefined ? undefined : this.#find(candidate.version)
    if (candidate === undefined || tried === undefined) return
    const { phase, gateways, reason } = candidate
    this.#candidate = undefined
    this.#next = undefined
    const own = this.#begin(tried.publication, tried.plan)
    for (const gateway of gateways) own.gateways.add(gateway)
    if (phase === 'Held') this.#hold(own, reason ?? 'the leader holds it')
    else own.phase = phase
  }

  #find(version: string): Undecided | undefined {
    return this.#undecided.findLast(({ publication }) => publication.table.version === version)
  }

  /** Who decides from now on goes on with what its predecessor had begun; what that one saw is not known, so it is observed anew. */
  #takeUp(): void {
    const newest = this.#undecided.at(-1)
    if (this.#candidate === undefined && newest !== undefined) this.#begin(newest.publication, newest.plan)
    else if (this.#candidate?.phase === 'Observing' && this.#candidate.before.size === 0)
      this.#candidate.phase = 'Applying'
  }

  #isDone(candidate: Candidate, present: readonly RosterEntry[], nowMs: number): boolean {
    const { gateways, publication, plan } = candidate
    // Nobody to try it on.
    if (gateways.size === 0) return true
    if (candidate.phase === 'Applying') {
      const canaries = present.filter(({ name }) => gateways.has(name))
      if (canaries.some(({ runs }) => runs === undefined || !hasVersion(publication, runs))) return false
      candidate.phase = 'Observing'
      candidate.sinceMs = nowMs
      candidate.before = new Map(present.map(({ name, report }) => [name, trafficOf(report)]))
    }
    return candidate.suspectSinceMs === undefined && nowMs - candidate.sinceMs >= plan.observeMs
  }

  #begin(publication: Publication, plan: CanaryPlan): Candidate {
    const gateways = new Set(this.#candidate?.phase === 'Applying' ? this.#candidate.gateways : [])
    const candidate: Candidate = {
      publication,
      plan,
      gateways,
      phase: 'Applying',
      sinceMs: 0,
      before: new Map(),
      suspectSinceMs: undefined,
      reason: undefined,
    }
    this.#candidate = candidate
    return candidate
  }

  /** Canaries that left are replaced by others. */
  #choose({ gateways, plan }: Candidate, present: readonly RosterEntry[]): void {
    const names = new Set(present.map(({ name }) => name))
    for (const name of gateways) if (!names.has(name)) gateways.delete(name)
    for (const name of names) if (gateways.size < plan.gateways) gateways.add(name)
  }

  #finish({ publication }: Candidate): void {
    this.#promote(publication)
    const next = this.#next
    this.#next = undefined
    if (next !== undefined) this.#begin(next.publication, next.plan)
  }

  #promote(publication: Publication): void {
    this.#stable = publication
    this.#candidate = undefined
    const at = this.#undecided.findLastIndex(
      ({ publication: { table } }) => table.version === publication.table.version,
    )
    // Not among them: it is newer than all of them.
    this.#undecided = at < 0 ? [] : this.#undecided.slice(at + 1)
    this.#takenBack.clear()
  }

  #hold(candidate: Candidate, reason: string): void {
    candidate.phase = 'Held'
    candidate.reason = reason
    for (const gateway of candidate.gateways) this.#takenBack.add(gateway)
    const next = this.#next
    this.#next = undefined
    if (next !== undefined) this.#begin(next.publication, next.plan)
  }
}

/** Why a table must not go further; undefined = nothing is wrong so far. */
function faultOf(candidate: Candidate, present: readonly RosterEntry[], nowMs: number): string | undefined {
  const { gateways, publication } = candidate
  const refusal = present.find(({ name, verdict }) => gateways.has(name) && refused(verdict, publication))
  if (refusal !== undefined) {
    const [first] = refusal.verdict?.diagnostics ?? []
    return `${refusal.name} refused it${first === undefined ? '' : `: ${first.message}`}`
  }
  const isSuspect = candidate.phase === 'Observing' && failsMore(candidate, present)
  candidate.suspectSinceMs = isSuspect ? (candidate.suspectSinceMs ?? nowMs) : undefined
  if (candidate.suspectSinceMs === undefined || nowMs - candidate.suspectSinceMs < SUSPICION_MS) return undefined
  return 'requests fail more often since'
}

function refused(verdict: RosterEntry['verdict'], publication: Publication): boolean {
  return verdict?.result === 'NACK' && hasVersion(publication, verdict.version)
}

function trafficOf(report: RosterEntry['report']): Traffic {
  return { requests: report?.requests ?? 0, failures: report?.failures ?? 0 }
}

/** Compared with the same gateways' whole life before, and with the others meanwhile: a provider that fails, fails everywhere. */
function failsMore({ gateways, before }: Candidate, present: readonly RosterEntry[]): boolean {
  let [requests, failures, earlierRequests, earlierFailures, otherRequests, otherFailures] = [0, 0, 0, 0, 0, 0]
  for (const { name, report } of present) {
    const [was, is] = [before.get(name) ?? trafficOf(undefined), trafficOf(report)]
    // A process that began anew counts from nothing.
    const since =
      is.requests < was.requests ? is : { requests: is.requests - was.requests, failures: is.failures - was.failures }
    if (gateways.has(name)) {
      requests += since.requests
      failures += since.failures
      earlierRequests += was.requests
      earlierFailures += was.failures
    } else {
      otherRequests += since.requests
      otherFailures += since.failures
    }
  }
  if (requests < MIN_REQUESTS) return false
  const usual = Math.max(share(earlierFailures, earlierRequests), share(otherFailures, otherRequests))
  const now = share(failures, requests)
  return now > usual + JUMP && now > usual * 2
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
