import type { Outcome } from '#table/outcome.ts'
import type { HealthPolicy } from '#table/routing-table.ts'
import { HealthScore, type ScoreView } from './health-score.ts'
import type { HealthView, LastError, RateLimitNote, RecordedAt } from './health-view.ts'
import { type SavedScope, ScopeHealth } from './scope-health.ts'

/** Names of models come from clients: no account keeps more of them. */
const MODELS_KEPT = 256
/** This many erroring models make the account erroring. */
const MODELS_OF_AN_ACCOUNT = 2
/** Requests that were under way with the old credential may still be refused for this long. */
const CREDENTIAL_GRACE_MS = 10_000

/** JSON-safe; what an account has learnt, for the next start of the process. */
export interface HealthSnapshot {
  readonly format: 1
  readonly account: SavedScope
  readonly models: Readonly<Record<string, SavedScope>>
  readonly lastError?: LastError
  readonly lastSuccessMs?: number
}

/** What an active check has instead of a model. */
const CHECKED = ''

const AVAILABLE: HealthView = { state: 'available' }

/**
 * The health of one account: a machine for each model and one for the account as a whole.
 * Outcomes go in, a state comes out; time and chance are arguments. All times are Unix time in milliseconds.
 */
export class AccountHealth {
  #policy: HealthPolicy
  readonly #random: () => number
  readonly #account = new ScopeHealth()
  readonly #models = new Map<string, ScopeHealth>()
  readonly #score = new HealthScore()
  #operator: 'enabled' | 'disabled' = 'enabled'
  #lastError: LastError | undefined
  #lastSuccessMs: number | undefined
  #credentialChangedMs = Number.NEGATIVE_INFINITY

  constructor(policy: HealthPolicy, random: () => number) {
    this.#policy = policy
    this.#random = random
  }

  /** A new policy counts from the next outcome on; what was learnt stays. */
  configure(policy: HealthPolicy): void {
    this.#policy = policy
  }

  /** Every attempt ends in exactly one call, also one that the client left: it frees the slot of a probe. */
  record(model: string, outcome: Outcome, at: RecordedAt): void {
    switch (outcome.kind) {
      case 'ok':
        this.#succeed(model, outcome, at.nowMs)
        return
      case 'rate-limited':
      case 'overloaded':
      case 'quota-exhausted':
        this.#note(model, outcome, at)
        this.#limit(model, outcome, at.nowMs)
        return
      case 'bad-credential':
        this.#fail(model, outcome, at)
        this.#refuseCredential(at.nowMs)
        return
      case 'network':
      case 'timed-out':
      case 'server-error':
      case 'bad-reply':
        if (outcome.kind === 'timed-out' && outcome.phase === 'total') this.#releaseProbes(model)
        else this.#strike(model, outcome, at)
        return
      case 'refused':
      case 'model-not-found':
      case 'aborted':
        this.#releaseProbes(model)
        return
    }
  }

  /** The result of an active check: it speaks for the account as a whole, whichever model was asked. */
  recordCheck(outcome: Outcome, at: RecordedAt): void {
    switch (outcome.kind) {
      case 'ok':
        // A list of models has limits of its own: that it came says nothing of those that real requests met.
        this.#account.breaker.succeed(at.nowMs - outcome.latencyMs, at.nowMs)
        this.#lastSuccessMs = at.nowMs
        return
      case 'bad-credential':
        this.#note(CHECKED, outcome, at)
        this.#refuseCredential(at.nowMs)
        return
      case 'rate-limited':
      case 'overloaded':
      case 'quota-exhausted':
        this.#note(CHECKED, outcome, at)
        this.#rest(this.#account, outcome, at.nowMs)
        return
      case 'network':
      case 'timed-out':
      case 'server-error':
      case 'bad-reply':
        this.#note(CHECKED, outcome, at)
        this.#account.breaker.strike(this.#policy, at)
        return
      // A server without the asked path or model may work well otherwise.
      case 'refused':
      case 'model-not-found':
      case 'aborted':
        return
    }
  }

  /** @param model undefined = the account as a whole */
  state(model: string | undefined, nowMs: number): HealthView {
    if (this.#operator === 'disabled') return { state: 'disabled' }
    const scope = model === undefined ? undefined : this.#models.get(model)
    if (!this.#account.isTroubled(nowMs) && scope?.isTroubled(nowMs) !== true) return AVAILABLE
    return this.#erroring(scope, nowMs) ?? this.#limited(scope, nowMs) ?? AVAILABLE
  }

  /**
   * How people are told of the account: a provider that counts by model limits model after model, and an account that can take none of
   * those it was asked for is not available, although it would still be asked for another.
   */
  summary(nowMs: number): HealthView {
    const whole = this.state(undefined, nowMs)
    if (whole.state !== 'available' || this.#models.size === 0) return whole
    const views = [...this.#models.keys()].map((model) => this.state(model, nowMs))
    if (views.some(({ state }) => state === 'available')) return whole
    return views.reduce((soonest, view) => ((view.untilMs ?? 0) < (soonest.untilMs ?? 0) ? view : soonest))
  }

  /** Reserves a slot of a half-open probe; `record` frees it. */
  tryProbe(model: string, nowMs: number): boolean {
    const open = this.#openBreakers(this.#models.get(model))
    if (open.length === 0 || !open.every((breaker) => breaker.isProbeDue(nowMs, this.#policy))) return false
    for (const breaker of open) breaker.startProbe(nowMs)
    return true
  }

  /**
   * Quota-aware routing: an allowance of 0 rests the account (or the model, where the provider counts by model) until its reset.
   * @param model undefined = the allowance is the account's
   */
  noteLimits(limits: RateLimitNote, nowMs: number, model?: string): void {
    if (this.#policy.backoff.retryAfter === 'Ignore') return
    const scope = model === undefined ? this.#account : this.#scope(model)
    const requests = limits.requestsRemaining === 0 ? (limits.requestsResetAtMs ?? 0) : 0
    const tokens = limits.tokensRemaining === 0 ? (limits.tokensResetAtMs ?? 0) : 0
    scope.noteAllowance(Math.max(requests, tokens), nowMs)
  }

  score(nowMs: number): ScoreView {
    return this.#score.read(nowMs)
  }

  /** Models that are not available now, by name. */
  unavailableModels(nowMs: number): { readonly model: string; readonly view: HealthView }[] {
    const views = [...this.#models.keys()].map((model) => ({ model, view: this.state(model, nowMs) }))
    return views.filter(({ view }) => view.state !== 'available')
  }

  /** Unix time, milliseconds; undefined = none yet. */
  get lastSuccessMs(): number | undefined {
    return this.#lastSuccessMs
  }

  get lastError(): LastError | undefined {
    return this.#lastError
  }

  /** By an operator: available at once, as if nothing had happened. */
  reset(nowMs: number): void {
    this.#account.reset()
    this.#models.clear()
    this.#score.reset()
    this.#lastError = undefined
    this.#credentialChangedMs = nowMs
  }

  disable(): void {
    this.#operator = 'disabled'
  }

  enable(): void {
    this.#operator = 'enabled'
  }

  /** Another credential: its limits and refusals are not the old one's. Failures of the provider stay. */
  credentialChanged(nowMs: number): void {
    this.#credentialChangedMs = nowMs
    if (this.#account.breaker.cause === 'credential') this.#account.breaker.close()
    this.#account.liftLimits()
    for (const scope of this.#models.values()) scope.liftLimits()
  }

  snapshot(): HealthSnapshot {
    return {
      format: 1,
      account: this.#account.save(),
      models: Object.fromEntries([...this.#models].map(([model, scope]) => [model, scope.save()])),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      ...(this.#lastSuccessMs === undefined ? {} : { lastSuccessMs: this.#lastSuccessMs }),
    }
  }

  restore(saved: HealthSnapshot, nowMs: number): void {
    this.#account.restore(saved.account, this.#policy, nowMs)
    for (const [model, scope] of Object.entries(saved.models)) this.#scope(model).restore(scope, this.#policy, nowMs)
    this.#lastError = saved.lastError
    this.#lastSuccessMs = saved.lastSuccessMs
  }

  #succeed(model: string, outcome: Extract<Outcome, { kind: 'ok' }>, nowMs: number): void {
    const startedAtMs = nowMs - outcome.latencyMs
    this.#account.succeed(startedAtMs, nowMs)
    this.#scope(model).succeed(startedAtMs, nowMs)
    this.#score.succeed(outcome.firstTokenMs ?? outcome.latencyMs, nowMs)
    this.#lastSuccessMs = nowMs
  }

  /** Whoever says "later" is alive: a probe that is told so ends the outage. */
  #limit(
    model: string,
    outcome: Extract<Outcome, { kind: 'rate-limited' | 'overloaded' | 'quota-exhausted' }>,
    nowMs: number,
  ): void {
    const scope = this.#scope(model)
    for (const breaker of this.#openBreakers(scope)) breaker.answerProbe()
    const ofModel = outcome.kind === 'overloaded' || outcome.scope === 'model'
    this.#rest(ofModel ? scope : this.#account, outcome, nowMs)
  }

  #rest(
    scope: ScopeHealth,
    outcome: Extract<Outcome, { kind: 'rate-limited' | 'overloaded' | 'quota-exhausted' }>,
    nowMs: number,
  ): void {
    const at = { nowMs, random: this.#random() }
    switch (outcome.kind) {
      case 'rate-limited':
        scope.rateLimit(this.#policy, outcome.retryAfterMs, at)
        return
      case 'overloaded':
        scope.overload(this.#policy, outcome.retryAfterMs, at)
        return
      case 'quota-exhausted':
        scope.exhaustQuota(outcome.retryAfterMs, nowMs)
        return
    }
  }

  #refuseCredential(nowMs: number): void {
    const graceEndsMs = this.#credentialChangedMs + CREDENTIAL_GRACE_MS
    const nextProbeMs = nowMs < graceEndsMs ? graceEndsMs : nowMs + this.#policy.erroringTimeoutMs
    this.#account.breaker.open('credential', nowMs, nextProbeMs)
  }

  /** Connecting is the account's matter, whichever model was asked for; everything later is the model's. */
  #strike(model: string, outcome: Outcome, at: RecordedAt): void {
    this.#fail(model, outcome, at)
    const connecting = (outcome.kind === 'network' || outcome.kind === 'timed-out') && outcome.phase === 'connect'
    const scope = this.#scope(model)
    if (connecting || this.#account.breaker.isOpen) this.#account.breaker.strike(this.#policy, at)
    if (connecting && !scope.breaker.isOpen) return
    const opened = scope.breaker.strike(this.#policy, at)
    if (opened && !this.#account.breaker.isOpen && this.#erroringModels() >= MODELS_OF_AN_ACCOUNT) {
      this.#account.breaker.openForFailures(this.#policy, at.nowMs)
    }
  }

  #fail(model: string, outcome: Outcome, at: RecordedAt): void {
    this.#score.fail(at.nowMs)
    this.#note(model, outcome, at)
  }

  #note(model: string, outcome: Outcome, at: RecordedAt): void {
    const { kind } = outcome
    const code = at.errorCode === undefined ? {} : { code: at.errorCode }
    this.#lastError = { kind, model, atMs: at.nowMs, ...code }
  }

  #releaseProbes(model: string): void {
    for (const breaker of this.#openBreakers(this.#models.get(model))) breaker.releaseProbe()
  }

  #erroring(scope: ScopeHealth | undefined, nowMs: number): HealthView | undefined {
    const open = this.#openBreakers(scope)
    if (open.length === 0) return undefined
    return {
      state: 'erroring',
      untilMs: Math.max(...open.map(({ nextProbeMs = nowMs }) => nextProbeMs)),
      sinceMs: Math.min(...open.map(({ openedAtMs = nowMs }) => openedAtMs)),
      cause: open.some(({ cause }) => cause === 'credential') ? 'credential' : 'failures',
      halfOpen: open.every((breaker) => breaker.isProbeDue(nowMs, this.#policy)),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    }
  }

  #limited(scope: ScopeHealth | undefined, nowMs: number): HealthView | undefined {
    const ofAccount = this.#account.limit(nowMs)
    const ofModel = scope?.limit(nowMs)
    const limit = (ofModel?.untilMs ?? 0) > (ofAccount?.untilMs ?? 0) ? ofModel : ofAccount
    if (limit === undefined) return undefined
    return {
      state: 'rate_limited',
      ...limit,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    }
  }

  #openBreakers(scope: ScopeHealth | undefined): ScopeHealth['breaker'][] {
    const breakers = scope === undefined ? [this.#account.breaker] : [this.#account.breaker, scope.breaker]
    return breakers.filter(({ isOpen }) => isOpen)
  }

  #erroringModels(): number {
    let count = 0
    for (const { breaker } of this.#models.values()) if (breaker.isOpen) count += 1
    return count
  }

  #scope(model: string): ScopeHealth {
    const known = this.#models.get(model)
    if (known !== undefined) return known
    if (this.#models.size >= MODELS_KEPT) this.#forgetOneModel()
    const created = new ScopeHealth()
    this.#models.set(model, created)
    return created
  }

  /** The oldest that has nothing to tell, else the oldest. */
  #forgetOneModel(): void {
    const idle = [...this.#models].find(([, scope]) => scope.breaker.isIdle)
    const oldest = idle?.[0] ?? this.#models.keys().next().value
    if (oldest !== undefined) this.#models.delete(oldest)
  }
}
