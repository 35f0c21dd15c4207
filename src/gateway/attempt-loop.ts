import { KorProxyError } from '#errors/korproxy-error.ts'
import { decideRetry, type RetryDecision } from '#routing/retry-policy.ts'
import type { Selection } from '#routing/select-account.ts'
import type { Account, GroupTarget, RetryPolicy, Timeouts } from '#table/routing-table.ts'
import type { Exchange } from './exchange.ts'
import { exhaustedError, type LoopHistory } from './exhausted-error.ts'
import type { ClientReply } from './reply/client-reply.ts'
import { attemptError } from './reply/render-error.ts'
import type { GatewayRuntime } from './runtime.ts'
import type { ServingAccount } from './serving-account.ts'
import type { ServingGroup } from './serving-table.ts'
import { renewedOr, secretOf } from './stages/account-secret.ts'
import { affinityKey } from './stages/affinity.ts'
import { dispatch } from './stages/dispatch.ts'
import { encode, findModelFacts } from './stages/encode.ts'
import type { AttemptFailure, AttemptResult } from './upstream/attempt.ts'
import { DrainOver } from './upstream/connection-failure.ts'

const NEXT_GROUP: RetryDecision = { action: 'next-group', delayMs: 0 }

type Chosen = Extract<Selection<ServingAccount>, { kind: 'account' }>

interface GroupRun {
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
}

/** Selects, encodes and dispatches until an answer stands, the request's own fault shows, or all is tried. */
export class AttemptLoop {
  readonly #runtime: GatewayRuntime
  readonly #exchange: Exchange
  readonly #client: ClientReply
  readonly #tried = new Set<string>()
  readonly #history: LoopHistory = { failures: [], none: [] }

  constructor(runtime: GatewayRuntime, exchange: Exchange, client: ClientReply) {
    this.#runtime = runtime
    this.#exchange = exchange
    this.#client = client
  }

  /** @throws KorProxyError when no account answered and nothing was sent */
  async run(): Promise<void> {
    const { targets } = this.#exchange
    // With a fallback at hand nobody waits for a dead primary; only when all groups are spent is the least bad account tried.
    if (targets.length > 1 && (await this.#runTargets('Skip')) === 'done') return
    this.#history.none.length = 0
    if ((await this.#runTargets('TryLeastBad')) === 'done') return
    throw exhaustedError(this.#exchange, this.#history)
  }

  async #runTargets(whenUnavailable: GroupRun['whenUnavailable']): Promise<'done' | 'spent'> {
    for (const target of this.#exchange.targets) {
      const run = this.#openGroup(target, whenUnavailable)
      if (run === undefined) continue
      run.serving.load.active += 1
      try {
        if ((await this.#runGroup(run)) === 'done') return 'done'
      } finally {
        run.serving.load.active -= 1
      }
    }
    return 'spent'
  }

  #openGroup(target: GroupTarget, whenUnavailable: GroupRun['whenUnavailable']): GroupRun | undefined {
    const serving = this.#exchange.tenant.groups.get(target.group)
    if (serving === undefined) return undefined
    const { rule } = this.#exchange
    const timeouts = { ...serving.group.timeouts, ...rule?.timeouts }
    return {
      serving,
      model: target.modelOverride ?? this.#exchange.requestedModel,
      policy: { ...serving.group.retry, ...rule?.retry },
      timeouts,
      deadline: this.#exchange.startedAt + timeouts.requestMs,
      whenUnavailable,
      fallback: target === this.#exchange.targets.at(-1) ? 'none' : 'left',
    }
  }

  async #runGroup(run: GroupRun): Promise<'done' | 'next-group'> {
    this.#exchange.group = run.serving.group.name
    let again: Chosen | undefined
    let sameAccountRetried: 'yes' | 'no' = 'no'
    for (let attemptsHere = 0; ; attemptsHere += 1) {
      if (this.#exchange.clientGone) return 'done'
      const chosen = again ?? (await this.#select(run))
      if (chosen === undefined) return 'next-group'
      again = undefined
      const failure = await this.#attemptWithinBudget(run, chosen, attemptsHere === 0 ? 'first' : 'retry')
      if (failure === undefined) return 'done'
      const decision = failure === 'over-budget' ? NEXT_GROUP : this.#decide(run, failure, sameAccountRetried)
      if (decision.action === 'give-up') throw exhaustedError(this.#exchange, this.#history)
      if (decision.action === 'next-group') return 'next-group'
      if (decision.action === 'same-account') {
        again = chosen
        sameAccountRetried = 'yes'
        await this.#wait(decision.delayMs)
      }
    }
  }

  #decide(run: GroupRun, failure: AttemptFailure, sameAccountRetried: 'yes' | 'no'): RetryDecision {
    const attempt = this.#exchange.attempts.length
    const decision = decideRetry({
      outcome: failure.outcome,
      attempt,
      policy: run.policy,
      otherAccount: this.#peek(run) ? 'available' : 'none',
      sameAccountRetried,
      remainingMs: run.deadline - this.#runtime.monotonic(),
      random: this.#runtime.random,
    })
    // The last attempt is kept for the fallback: a large group must not use up all of them at a provider that is down.
    const isLast = attempt === run.policy.maxAttempts - 1
    const staysHere = decision.action === 'next-account' || decision.action === 'same-account'
    return isLast && staysHere && run.fallback === 'left' ? NEXT_GROUP : decision
  }

  /**
   * Undefined: the exchange is over (answered, broken off, or the client left). The budget is for retries within a group: it keeps a
   * failing group from being asked ever more. A fallback asks somebody else and needs none.
   */
  async #attemptWithinBudget(
    run: GroupRun,
    chosen: Chosen,
    kind: 'first' | 'retry',
  ): Promise<AttemptFailure | 'over-budget' | undefined> {
    if (kind === 'retry' && !run.serving.retryBudget.tryAcquire(run.serving.load.active)) {
      this.#releaseProbe(chosen)
      return 'over-budget'
    }
    try {
      return await this.#attempt(run, chosen)
    } catch (error) {
      this.#releaseProbe(chosen)
      throw error
    } finally {
      if (kind === 'retry') run.serving.retryBudget.release()
    }
  }

  /** The request never reached the account, so its health learns nothing, but a half-open slot must become free again. */
  #releaseProbe({ runtime: account, model, probe }: Chosen): void {
    if (probe) account.health.record(model, { kind: 'aborted' }, { nowMs: this.#runtime.now() })
  }

  async #attempt(run: GroupRun, chosen: Chosen): Promise<AttemptFailure | undefined> {
    const first = await this.#call(run, chosen)
    const renewable = first.kind === 'failed' && first.failure.outcome.kind === 'bad-credential'
    const renew = chosen.runtime.renew
    if (!renewable || renew === undefined) return this.#concluded(chosen, first)
    // An access token can be revoked before its time: one fresh one, then the credential counts as refused.
    const renewed = await renewedOr(first, renew)
    return this.#concluded(chosen, renewed ?? (await this.#call(run, chosen)))
  }

  async #call(run: GroupRun, chosen: Chosen): Promise<AttemptResult> {
    const { runtime: account, model } = chosen
    const exchange = this.#exchange
    exchange.account = account.account.name
    exchange.provider = account.provider.telemetryName
    exchange.model = model
    exchange.panic = chosen.panic
    forgetLastAttempt(exchange)
    const prepared = encode(exchange, {
      provider: account.provider,
      account: account.account,
      group: run.serving.group,
      model,
      tenant: exchange.tenant.tenant,
    })
    const record = {
      account: exchange.account,
      group: exchange.group,
      provider: exchange.provider,
      outcome: '',
      durationMs: 0,
    }
    exchange.attempts.push(record)
    const startedAt = this.#runtime.monotonic()
    account.inFlight += 1
    try {
      const secret = await secretOf(account)
      if (typeof secret === 'object') {
        record.outcome = secret.failure.outcome.kind
        return secret
      }
      const result = await dispatch(this.#runtime, {
        exchange,
        client: this.#client,
        prepared,
        account,
        model,
        secret,
        timeouts: run.timeouts,
        deadline: run.deadline,
      })
      record.outcome = result.kind === 'answered' ? 'ok' : result.failure.outcome.kind
      return result
    } finally {
      account.inFlight -= 1
      record.durationMs = this.#runtime.monotonic() - startedAt
    }
  }

  /** Tells the account's health, and says whether the exchange goes on. */
  #concluded(chosen: Chosen, result: AttemptResult): AttemptFailure | undefined {
    const { runtime: account, model } = chosen
    const outcome = result.kind === 'answered' ? result.outcome : result.failure.outcome
    const failureOf = result.kind === 'answered' ? undefined : result.failure
    account.health.record(model, outcome, {
      nowMs: this.#runtime.now(),
      ...(failureOf === undefined ? {} : { errorCode: failureOf.code }),
    })
    this.#tried.add(account.account.name)
    if (failureOf === undefined) return undefined
    this.#runtime.log.warn(
      {
        correlationId: this.#exchange.correlationId,
        account: account.account.name,
        outcome: outcome.kind,
        code: failureOf.code,
        providerCode: failureOf.providerCode,
      },
      'attempt failed',
    )
    if (result.kind === 'broken' || outcome.kind === 'aborted') return undefined
    this.#history.failures.push(failureOf)
    const { kind } = outcome
    if (kind === 'refused') throw attemptError(this.#exchange, failureOf)
    return failureOf
  }

  /** Waits once for an account whose limit ends within the policy's patience. */
  async #select(run: GroupRun): Promise<Chosen | undefined> {
    const selection = this.#selectNow(run)
    if (selection.kind === 'account') return selection
    const { retryAfterMs } = selection
    const patient = retryAfterMs !== undefined && retryAfterMs <= run.policy.maxRetryAfterWaitMs
    if (selection.reason === 'all-limited' && patient && this.#exchange.attempts.length < run.policy.maxAttempts) {
      await this.#wait(retryAfterMs)
      this.#tried.clear()
      const later = this.#selectNow(run)
      if (later.kind === 'account') return later
    }
    this.#history.none.push(selection)
    return undefined
  }

  #selectNow(run: GroupRun): Selection<ServingAccount> {
    const affinity = affinityKey(this.#exchange, run.serving.group.affinity)
    return run.serving.selector.select({
      model: run.model,
      nowMs: this.#runtime.now(),
      random: this.#runtime.random,
      tried: this.#tried,
      whenUnavailable: run.whenUnavailable,
      costOf: (account, model) => this.#costOf(account, model),
      ...(affinity === undefined ? {} : { affinityKey: affinity }),
    })
  }

  /** What a token in and a token out cost together, for LowestCost. */
  #costOf(account: Account, model: string): number | undefined {
    const pricing = findModelFacts(this.#exchange.tenant.tenant, model)?.pricing
    if (pricing?.input === undefined || pricing.output === undefined) return undefined
    return (pricing.input + pricing.output) * Number(account.priceMultiplier ?? 1)
  }

  #peek(run: GroupRun): boolean {
    return run.serving.selector.hasOther({ model: run.model, nowMs: this.#runtime.now(), tried: this.#tried })
  }

  /** Sleeps, but no longer than the client stays. */
  #wait(delayMs: number): Promise<void> {
    const exchange = this.#exchange
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        exchange.underWay = undefined
        resolve()
      }, delayMs)
      exchange.underWay = {
        abort: (reason) => {
          exchange.underWay = undefined
          clearTimeout(timer)
          if (reason instanceof DrainOver) reject(new KorProxyError('KP-SYS-502', {}, { cause: reason }))
          else resolve()
        },
      }
    })
  }
}

/** What an attempt left behind that failed: the answer's own figures are the only ones that count. */
function forgetLastAttempt(exchange: Exchange): void {
  exchange.usage = undefined
  exchange.usageEstimated = false
  exchange.answeredModel = undefined
  exchange.droppedParameters.length = 0
}
