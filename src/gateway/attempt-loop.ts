import { KorProxyError } from '#errors/korproxy-error.ts'
import type { RetryBudget } from '#routing/retry-budget.ts'
import { decideRetry, type RetryDecision } from '#routing/retry-policy.ts'
import type { Selection } from '#routing/select-account.ts'
import type { Account } from '#table/routing-table.ts'
import { AccountAttempt, type AttemptPlace, type Chosen } from './account-attempt.ts'
import type { Exchange } from './exchange.ts'
import { exhaustedError, type LoopHistory, type NoAccount } from './exhausted-error.ts'
import { type GroupRun, GroupWalk } from './group-walk.ts'
import type { ClientReply } from './reply/client-reply.ts'
import { attemptError } from './reply/render-error.ts'
import type { GatewayRuntime } from './runtime.ts'
import type { ServingAccount } from './serving-account.ts'
import { affinityKey } from './stages/affinity.ts'
import type { AttemptFailure, AttemptResult } from './upstream/attempt-result.ts'
import { DrainOver } from './upstream/connection-failure.ts'

const NEXT_GROUP: RetryDecision = { action: 'next-group', delayMs: 0 }

const NOBODY: ReadonlySet<string> = new Set()

/** Selects, encodes and dispatches until an answer stands, the request's own fault shows, or all is tried. */
export class AttemptLoop {
  readonly #place: AttemptPlace
  readonly #groups: GroupWalk
  #tried: Set<string> | undefined
  #history: LoopHistory | undefined
  #sameAccountRetried: 'yes' | 'no' = 'no'
  /** Chosen, and not told yet how it went. */
  #open: AccountAttempt | undefined
  #retryBudget: RetryBudget | undefined

  constructor(runtime: GatewayRuntime, exchange: Exchange, client: ClientReply) {
    this.#place = { runtime, exchange, client }
    this.#groups = new GroupWalk(exchange)
  }

  /**
   * One function and few promises, because most requests are answered by the first account.
   * @throws KorProxyError when no account answered and nothing was sent
   */
  async run(): Promise<void> {
    const { exchange } = this.#place
    for (let run = this.#groups.next(); run !== undefined; run = this.#groups.next()) {
      this.#enter(run)
      try {
        const first = this.#choose(run)
        let chosen = first instanceof Promise ? await first : first
        while (chosen !== undefined) {
          const attempt = new AccountAttempt(this.#place, run, chosen)
          this.#open = attempt
          if (exchange.clientGone) return
          const result = await attempt.call()
          const isAnswered = result.kind === 'answered'
          const failure = this.#conclude(attempt, isAnswered ? result : await attempt.reconsider(result))
          if (failure === undefined) return
          chosen = await this.#chooseAfter(run, chosen, failure)
        }
      } finally {
        this.#leave(run)
      }
    }
    throw this.#exhausted()
  }

  #exhausted(): KorProxyError {
    const { exchange, runtime } = this.#place
    return exhaustedError(exchange, this.#pastAttempts, runtime.now())
  }

  #enter(run: GroupRun): void {
    this.#place.exchange.group = run.serving.group.name
    this.#sameAccountRetried = 'no'
    run.serving.load.active += 1
    // Who could not take it in the first round may do so in the second.
    if (run.begins === 'second-round' && this.#history !== undefined) this.#history.none.length = 0
  }

  #leave(run: GroupRun): void {
    this.#open?.abandon()
    this.#open = undefined
    this.#releaseBudget()
    run.serving.load.active -= 1
  }

  get #pastAttempts(): LoopHistory {
    this.#history ??= { failures: [], none: [] }
    return this.#history
  }

  /** Undefined: the exchange is over (answered, broken off, or the client left). */
  #conclude(attempt: AccountAttempt, result: AttemptResult): AttemptFailure | undefined {
    this.#open = undefined
    this.#releaseBudget()
    attempt.end(result)
    if (result.kind === 'answered') return undefined
    const { exchange, runtime } = this.#place
    const { failure } = result
    const { kind } = failure.outcome
    runtime.log.warn(
      {
        correlationId: exchange.correlationId,
        account: exchange.account,
        outcome: kind,
        code: failure.code,
        providerCode: failure.providerCode,
      },
      'attempt failed',
    )
    if (result.kind === 'broken' || kind === 'aborted') return undefined
    this.#tried ??= new Set()
    this.#tried.add(exchange.account)
    this.#pastAttempts.failures.push(failure)
    if (kind === 'refused') throw attemptError(exchange, failure)
    return failure
  }

  /** The account of the next attempt in this group. Undefined: the next group's turn. @throws KorProxyError when nobody should be asked again */
  async #chooseAfter(run: GroupRun, last: Chosen, failure: AttemptFailure): Promise<Chosen | undefined> {
    const { action, delayMs } = this.#decide(run, failure)
    if (action === 'give-up') throw this.#exhausted()
    if (action === 'next-group') return undefined
    if (action === 'same-account') {
      this.#sameAccountRetried = 'yes'
      await this.#wait(delayMs)
    }
    const chosen = action === 'same-account' ? last : await this.#choose(run)
    if (chosen === undefined || this.#takeBudget(run)) return chosen
    new AccountAttempt(this.#place, run, chosen).abandon()
    return undefined
  }

  /** The budget keeps a failing group from being asked ever more. A fallback asks somebody else and needs none. */
  #takeBudget({ serving: { retryBudget, load } }: GroupRun): boolean {
    if (!retryBudget.tryAcquire(load.active)) return false
    this.#retryBudget = retryBudget
    return true
  }

  #releaseBudget(): void {
    this.#retryBudget?.release()
    this.#retryBudget = undefined
  }

  #decide(run: GroupRun, failure: AttemptFailure): RetryDecision {
    const attempt = this.#place.exchange.attempts.length
    const decision = decideRetry({
      outcome: failure.outcome,
      attempt,
      policy: run.policy,
      otherAccount: this.#peek(run) ? 'available' : 'none',
      sameAccountRetried: this.#sameAccountRetried,
      remainingMs: run.deadline - this.#place.runtime.monotonic(),
      random: this.#place.runtime.random,
    })
    // The last attempt is kept for the fallback: a large group must not use up all of them at a provider that is down.
    const isLast = attempt === run.policy.maxAttempts - 1
    const staysHere = decision.action === 'next-account' || decision.action === 'same-account'
    return isLast && staysHere && run.fallback === 'left' ? NEXT_GROUP : decision
  }

  /** A promise only where nobody is free. */
  #choose(run: GroupRun): Chosen | Promise<Chosen | undefined> {
    const selection = this.#select(run)
    return selection.kind === 'account' ? selection : this.#waitForOne(run, selection)
  }

  /** Waits once for an account whose limit ends within the policy's patience. */
  async #waitForOne(run: GroupRun, selection: NoAccount): Promise<Chosen | undefined> {
    const { retryAfterMs } = selection
    const remainingMs = run.deadline - this.#place.runtime.monotonic()
    const patienceMs = Math.min(run.policy.maxRetryAfterWaitMs, remainingMs)
    const patient = retryAfterMs !== undefined && retryAfterMs <= patienceMs
    if (
      selection.reason === 'all-limited' &&
      patient &&
      this.#place.exchange.attempts.length < run.policy.maxAttempts
    ) {
      await this.#wait(retryAfterMs)
      this.#tried = undefined
      const later = this.#select(run)
      if (later.kind === 'account') return later
    }
    this.#pastAttempts.none.push(selection)
    return undefined
  }

  #select(run: GroupRun): Selection<ServingAccount> {
    const affinity = affinityKey(this.#place.exchange, run.serving.group.affinity)
    return run.serving.selector.select({
      model: run.model,
      nowMs: this.#place.runtime.now(),
      random: this.#place.runtime.random,
      tried: this.#tried ?? NOBODY,
      whenUnavailable: run.whenUnavailable,
      costOf: (account, model) => this.#costOf(account, model),
      ...(affinity === undefined ? {} : { affinityKey: affinity }),
    })
  }

  /** What a token in and a token out cost together, for LowestCost. */
  #costOf(account: Account, model: string): number | undefined {
    const pricing = this.#place.exchange.tenant.catalogue.find(model)?.pricing
    if (pricing?.input === undefined || pricing.output === undefined) return undefined
    return (pricing.input + pricing.output) * Number(account.priceMultiplier ?? 1)
  }

  #peek(run: GroupRun): boolean {
    return run.serving.selector.hasOther({
      model: run.model,
      nowMs: this.#place.runtime.now(),
      tried: this.#tried ?? NOBODY,
    })
  }

  /** Sleeps, but no longer than the client stays. */
  #wait(delayMs: number): Promise<void> {
    const exchange = this.#place.exchange
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
