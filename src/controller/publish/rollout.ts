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
/** More failures than before by this share of the requests, and twice as many: the table is to blame. */
const JUMP = 0.1

/**
 * Which table which gateway should run. With a plan a change goes to a few gateways, is watched there, and then goes to all; a refusal
 * or a jump of their error rate holds it, and the few go back. A pure machine: time and gateways come in.
 */
export class Rollout {
  #stable: Publication | undefined
  #candidate: Candidate | undefined
  /** Came while another was being observed. */
  #next: { readonly publication: Publication; readonly plan: CanaryPlan } | undefined
  /** Gateways that must return to the stable table. */
  readonly #takenBack = new Set<string>()

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
    } else if (this.#candidate?.phase === 'Observing') this.#next = { publication, plan }
    else this.#begin(publication, plan)
  }

  /** @param nowMs monotonic */
  step(roster: readonly RosterEntry[], nowMs: number): void {
    const candidate = this.#candidate
    if (candidate === undefined || candidate.phase === 'Held') return
    const local = roster.filter((entry) => entry.local)
    this.#choose(candidate, local)
    const reason = faultOf(candidate, local, nowMs)
    if (reason !== undefined) this.#hold(candidate, reason)
    else if (this.#isDone(candidate, local, nowMs)) this.#finish(candidate)
  }

  #isDone(candidate: Candidate, local: readonly RosterEntry[], nowMs: number): boolean {
    const { gateways, publication, plan } = candidate
    // Nobody to try it on.
    if (gateways.size === 0) return true
    if (candidate.phase === 'Applying') {
      const canaries = local.filter(({ name }) => gateways.has(name))
      if (canaries.some(({ runs }) => runs === undefined || !hasVersion(publication, runs))) return false
      candidate.phase = 'Observing'
      candidate.sinceMs = nowMs
      candidate.before = new Map(local.map(({ name, report }) => [name, trafficOf(report)]))
    }
    return candidate.suspectSinceMs === undefined && nowMs - candidate.sinceMs >= plan.observeMs
  }

  #begin(publication: Publication, plan: CanaryPlan): void {
    const gateways = new Set(this.#candidate?.phase === 'Applying' ? this.#candidate.gateways : [])
    this.#candidate = {
      publication,
      plan,
      gateways,
      phase: 'Applying',
      sinceMs: 0,
      before: new Map(),
      suspectSinceMs: undefined,
      reason: undefined,
    }
  }

  /** Canaries that left are replaced by others. */
  #choose({ gateways, plan }: Candidate, local: readonly RosterEntry[]): void {
    const present = new Set(local.map(({ name }) => name))
    for (const name of gateways) if (!present.has(name)) gateways.delete(name)
    for (const name of present) if (gateways.size < plan.gateways) gateways.add(name)
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
function faultOf(candidate: Candidate, local: readonly RosterEntry[], nowMs: number): string | undefined {
  const { gateways, publication } = candidate
  const refusal = local.find(({ name, verdict }) => gateways.has(name) && refused(verdict, publication))
  if (refusal !== undefined) {
    const [first] = refusal.verdict?.diagnostics ?? []
    return `${refusal.name} refused it${first === undefined ? '' : `: ${first.message}`}`
  }
  const isSuspect = candidate.phase === 'Observing' && failsMore(candidate, local)
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
function failsMore({ gateways, before }: Candidate, local: readonly RosterEntry[]): boolean {
  let [requests, failures, earlierRequests, earlierFailures, otherRequests, otherFailures] = [0, 0, 0, 0, 0, 0]
  for (const { name, report } of local) {
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
