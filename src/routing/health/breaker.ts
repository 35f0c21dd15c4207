import { FailureWindow } from './failure-window.ts'
import { probeWaitMs } from './probe-schedule.ts'

/** A probe whose outcome nobody recorded is given up after this time, so that a lost one does not close the door for good. */
const PROBE_LIFETIME_MS = 120_000

export interface BreakerPolicy {
  readonly failureThreshold: number
  readonly minimumSpreadMs: number
  readonly erroringTimeoutMs: number
  readonly halfOpenRequests: number
}

export interface SavedBreaker {
  readonly openedAtMs: number
  readonly nextProbeMs: number
  readonly failedProbes: number
  readonly cause: 'failures' | 'credential'
}

/** Closed: all may pass. Open: nobody. Half-open: probes may, a few at a time. */
export class Breaker {
  readonly #window = new FailureWindow()
  #strikes = 0
  #firstStrikeMs = 0
  #firstConnection: number | undefined
  #spreadOverConnections = false
  #open: SavedBreaker | undefined
  #probes: number[] = []

  get isOpen(): boolean {
    return this.#open !== undefined
  }

  get openedAtMs(): number | undefined {
    return this.#open?.openedAtMs
  }

  get cause(): SavedBreaker['cause'] | undefined {
    return this.#open?.cause
  }

  /** When the next probe may go, Unix time in milliseconds. */
  get nextProbeMs(): number | undefined {
    return this.#open?.nextProbeMs
  }

  /** Nothing to remember. */
  get isIdle(): boolean {
    return this.#open === undefined && this.#strikes === 0
  }

  isProbeDue(nowMs: number, policy: BreakerPolicy): boolean {
    if (this.#open === undefined) return false
    // The clock was set back: how much of the wait is over nobody knows.
    if (nowMs < this.#open.openedAtMs) this.#open = { ...this.#open, openedAtMs: nowMs, nextProbeMs: nowMs }
    if (nowMs < this.#open.nextProbeMs) return false
    this.#probes = this.#probes.filter((startedAtMs) => nowMs - startedAtMs < PROBE_LIFETIME_MS)
    return this.#probes.length < policy.halfOpenRequests
  }

  startProbe(nowMs: number): void {
    this.#probes.push(nowMs)
  }

  /** The probe ended without saying anything: the next request may probe. */
  releaseProbe(): void {
    this.#probes.shift()
  }

  /** The probe got an answer, though not the one it asked for. */
  answerProbe(): void {
    if (this.#probes.length > 0) this.close()
  }

  /** @returns whether this failure opened the breaker */
  strike(policy: BreakerPolicy, at: { readonly nowMs: number; readonly connectionId?: number | undefined }): boolean {
    if (this.#open !== undefined) {
      this.#failProbe(this.#open, policy, at.nowMs)
      return false
    }
    this.#window.add('failure', at.nowMs)
    this.#countStrike(at)
    const spread = at.nowMs - this.#firstStrikeMs >= policy.minimumSpreadMs || this.#spreadOverConnections
    const inARow = this.#strikes >= policy.failureThreshold && spread
    if (!inARow && !this.#window.isFailing(at.nowMs)) return false
    this.openForFailures(policy, at.nowMs)
    return true
  }

  openForFailures(policy: BreakerPolicy, nowMs: number): void {
    this.open('failures', nowMs, nowMs + probeWaitMs(0, policy.erroringTimeoutMs))
  }

  open(cause: SavedBreaker['cause'], nowMs: number, nextProbeMs: number): void {
    this.#forgetStrikes()
    this.#probes = []
    this.#open = { openedAtMs: this.#open?.openedAtMs ?? nowMs, nextProbeMs, failedProbes: 0, cause }
  }

  /** What began before the breaker opened does not close it. */
  succeed(startedAtMs: number, nowMs: number): void {
    this.#window.add('success', nowMs)
    if (this.#open === undefined) this.#forgetStrikes()
    else if (startedAtMs >= this.#open.openedAtMs) this.close()
  }

  close(): void {
    this.#open = undefined
    this.#probes = []
    this.#window.clear()
    this.#forgetStrikes()
  }

  save(): SavedBreaker | undefined {
    return this.#open
  }

  /** A credential may have been replaced while nobody watched: one request may find out at once. */
  restore(saved: SavedBreaker, nowMs: number, policy: BreakerPolicy): void {
    const latest = saved.cause === 'credential' ? nowMs : nowMs + policy.erroringTimeoutMs
    this.#open = { ...saved, nextProbeMs: Math.min(saved.nextProbeMs, latest) }
  }

  /** While no probe is out, failures of requests that began before, or went for want of anything better, do not move the schedule. */
  #failProbe(open: SavedBreaker, policy: BreakerPolicy, nowMs: number): void {
    if (this.#probes.shift() === undefined) return
    const failedProbes = open.failedProbes + 1
    this.#open = { ...open, failedProbes, nextProbeMs: nowMs + probeWaitMs(failedProbes, policy.erroringTimeoutMs) }
  }

  #countStrike({ nowMs, connectionId }: { readonly nowMs: number; readonly connectionId?: number | undefined }): void {
    if (this.#strikes === 0) this.#firstStrikeMs = nowMs
    this.#strikes += 1
    if (connectionId === undefined) return
    if (this.#firstConnection === undefined) this.#firstConnection = connectionId
    else if (this.#firstConnection !== connectionId) this.#spreadOverConnections = true
  }

  #forgetStrikes(): void {
    this.#strikes = 0
    this.#firstConnection = undefined
    this.#spreadOverConnections = false
  }
}
