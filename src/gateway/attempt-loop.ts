import { KorProxyError } from '#errors/korproxy-error.ts'
import type { RetryBudget } from '#routing/retry-budget.ts'
import { decideRetry, type RetryDecision } from '#routing/retry-policy.ts'
import type { Selection } from '#routing/select-account.ts'
import type { Account } from '#table/routing-table.ts'
import type { Exchange } from './exchange.ts'
import { exhaustedError, type LoopHistory } from './exhausted-error.ts'
import { type GroupRun, GroupWalk } from './group-walk.ts'
import type { ClientReply } from './reply/client-reply.ts'
import { attemptError } from './reply/render-error.ts'
import type { GatewayRuntime } from './runtime.ts'
import type { ServingAccount } from './serving-account.ts'
import { renewedOr, secretOf } from './stages/account-secret.ts'
import { affinityKey } from './stages/affinity.ts'
import { type DispatchInput, dispatch } from './stages/dispatch.ts'
import { encode, findModelFacts, noteDropped, type PreparedRequest, targetModel } from './stages/encode.ts'
import { withoutForeignThinking } from './stages/without-foreign-thinking.ts'
import { withoutSecret } from './stages/without-secret.ts'
import type { AttemptFailure, AttemptResult, CallResult } from './upstream/attempt-result.ts'
import { DrainOver } from './upstream/connection-failure.ts'

const NEXT_GROUP: RetryDecision = { action: 'next-group', delayMs: 0 }

type Chosen = Extract<Selection<ServingAccount>, { kind: 'account' }>

/** An account that was chosen and has not been told how it went. */
interface OpenAttempt {
  readonly chosen: Chosen
  readonly record: Exchange['attempts'][number]
  /** Monotonic. */
  readonly startedAt: number
  input: DispatchInput | undefined
}

const NOBODY: ReadonlySet<string> = new Set()
/** Several kept-alive connections can end at one moment; then the next failure is the provider's own. */
const STALE_CALLS = 3

/** Selects, encodes and dispatches until an answer stands, the request's own fault shows, or all is tried. */
export class AttemptLoop {
  readonly #runtime: GatewayRuntime
  readonly #exchange: Exchange
  readonly #client: ClientReply
  #tried: Set<string> | undefined
  #history: LoopHistory | undefined
  readonly #groups: GroupWalk
  #sameAccountRetried: 'yes' | 'no' = 'no'
  #open: OpenAttempt | undefined
  #retryBudget: RetryBudget | undefined

  constructor(runtime: GatewayRuntime, exchange: Exchange, client: ClientReply) {
    this.#runtime = runtime
    this.#exchange = exchange
    this.#client = client
    this.#groups = new GroupWalk(exchange)
  }

  /**
   * One function and few promises, because most requests are answered by the first account.
   * @throws KorProxyError when no account answered and nothing was sent
   */
  async run(): Promise<void> {
    for (let run = this.#groups.next(); run !== undefined; run = this.#groups.next()) {
      this.#enter(run)
      try {
        let chosen = this.#selectNow(run) ?? (await this.#selectLater(run))
        while (chosen !== undefined) {
          if (this.#exchange.clientGone) return this.#releaseProbe(chosen)
          const result = await this.#attempt(run, chosen)
          const isAnswered = result.kind === 'answered'
          const failure = this.#conclude(chosen, isAnswered ? result : await this.#reconsider(run, chosen, result))
          if (failure === undefined) return
          chosen = await this.#chooseAfter(run, chosen, failure)
        }
      } finally {
        this.#endAttempt(undefined)
        run.serving.load.active -= 1
      }
    }
    throw exhaustedError(this.#exchange, this.#pastAttempts)
  }

  #enter(run: GroupRun): void {
    this.#exchange.group = run.serving.group.name
    this.#sameAccountRetried = 'no'
    run.serving.load.active += 1
    // Who could not take it in the first round may do so in the second.
    if (run.begins === 'second-round' && this.#history !== undefined) this.#history.none.length = 0
  }

  get #pastAttempts(): LoopHistory {
    this.#history ??= { failures: [], none: [] }
    return this.#history
  }

  #attempt(run: GroupRun, chosen: Chosen): Promise<CallResult> | AttemptResult {
    const { runtime: account, model } = chosen
    const exchange = this.#exchange
    exchange.account = account.account.name
    exchange.provider = account.provider.telemetryName
    exchange.model = model
    exchange.panic = chosen.panic
    forgetLastAttempt(exchange)
    const record = {
      account: exchange.account,
      group: exchange.group,
      provider: exchange.provider,
      outcome: '',
      durationMs: 0,
    }
    this.#open = { chosen, record, startedAt: this.#runtime.monotonic(), input: undefined }
    account.inFlight += 1
    const prepared = encode(exchange, {
      provider: account.provider,
      account: account.account,
      group: run.serving.group,
      model,
      tenant: exchange.tenant.tenant,
    })
    exchange.attempts.push(record)
    const secret = secretOf(account)
    if (secret instanceof Promise) return secret.then((late) => this.#send(run, prepared, late))
    return this.#send(run, prepared, secret)
  }

  #send(
    run: GroupRun,
    prepared: PreparedRequest,
    secret: Awaited<ReturnType<typeof secretOf>>,
  ): Promise<CallResult> | AttemptResult {
    if (typeof secret === 'object') return secret
    const open = this.#opened()
    const { runtime: account, model } = open.chosen
    const { timeouts, deadline } = run
    open.input = {
      exchange: this.#exchange,
      client: this.#client,
      prepared,
      account,
      model,
      secret,
      timeouts,
      deadline,
    }
    return dispatch(this.#runtime, open.input)
  }

  #opened(): OpenAttempt {
    if (this.#open === undefined) throw new Error('no attempt is open')
    return this.#open
  }

  /**
   * What a bad result may hide: a kept connection that had ended before, an access token that was revoked before its time, a history with
   * somebody else's thinking.
   */
  async #reconsider(run: GroupRun, chosen: Chosen, first: CallResult): Promise<AttemptResult> {
    const result = await this.#resendRenewed(run, chosen, await this.#resendStale(first))
    return isForeignThinking(result) ? this.#resendWithoutThinking(run, chosen, result) : result
  }

  async #resendRenewed(run: GroupRun, chosen: Chosen, result: AttemptResult): Promise<AttemptResult> {
    const { renew } = chosen.runtime
    if (renew === undefined || result.kind !== 'failed' || result.failure.outcome.kind !== 'bad-credential')
      return result
    this.#endAttempt(result)
    // One fresh token, then the credential counts as refused.
    const refused = await renewedOr(result, renew)
    if (refused !== undefined) return refused
    return this.#resendStale(await this.#attempt(run, chosen))
  }

  /** Once, to the same account. A second refusal would speak of what the client never sent: the first one stands. */
  async #resendWithoutThinking(run: GroupRun, chosen: Chosen, first: AttemptResult): Promise<AttemptResult> {
    const { record: firstRecord, input: firstInput } = this.#opened()
    if (firstInput === undefined || this.#exchange.clientGone) return first
    const { runtime: account, model } = chosen
    const target = targetModel({
      provider: account.provider,
      account: account.account,
      group: run.serving.group,
      model,
      tenant: this.#exchange.tenant.tenant,
    })
    const stripped = withoutForeignThinking(firstInput.prepared, target)
    if (stripped === undefined) return first
    this.#endAttempt(first)
    const record = { ...firstRecord, outcome: '', durationMs: 0 }
    const input = { ...firstInput, prepared: stripped.prepared }
    this.#open = { chosen, record, startedAt: this.#runtime.monotonic(), input }
    account.inFlight += 1
    this.#exchange.attempts.push(record)
    noteDropped(this.#exchange, stripped.dropped)
    const second = await this.#resendStale(await dispatch(this.#runtime, input))
    return second.kind === 'failed' && second.failure.outcome.kind === 'refused' ? first : second
  }

  async #resendStale(first: CallResult): Promise<AttemptResult> {
    const input = this.#open?.input
    let result = first
    for (let calls = 1; result.kind === 'stale' && input !== undefined; calls += 1) {
      if (calls === STALE_CALLS) result = { kind: 'failed', failure: result.failure }
      else result = await dispatch(this.#runtime, input)
    }
    if (result.kind === 'answered') return result
    const failure = withoutSecret(result.failure, input?.secret)
    return result.kind === 'broken' ? { kind: 'broken', failure } : { kind: 'failed', failure }
  }

  /** @param result undefined = the attempt never reached its account, whose health learns nothing */
  #endAttempt(result: AttemptResult | undefined): void {
    this.#retryBudget?.release()
    this.#retryBudget = undefined
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    open.chosen.runtime.inFlight -= 1
    open.record.durationMs = this.#runtime.monotonic() - open.startedAt
    if (result === undefined) this.#releaseProbe(open.chosen)
    else open.record.outcome = result.kind === 'answered' ? 'ok' : result.failure.outcome.kind
  }

  /** A half-open slot must become free again. */
  #releaseProbe({ runtime: account, model, probe }: Chosen): void {
    if (probe) account.health.record(model, { kind: 'aborted' }, { nowMs: this.#runtime.now() })
  }

  /** Tells the account's health. Undefined: the exchange is over (answered, broken off, or the client left). */
  #conclude(chosen: Chosen, result: AttemptResult): AttemptFailure | undefined {
    const { runtime: account, model } = chosen
    const nowMs = this.#runtime.now()
    this.#endAttempt(result)
    if (result.kind === 'answered') {
      account.health.record(model, result.outcome, { nowMs })
      return undefined
    }
    const { failure } = result
    const { kind } = failure.outcome
    account.health.record(model, failure.outcome, { nowMs, errorCode: failure.code })
    this.#runtime.log.warn(
      {
        correlationId: this.#exchange.correlationId,
        account: account.account.name,
        outcome: kind,
        code: failure.code,
        providerCode: failure.providerCode,
      },
      'attempt failed',
    )
    if (result.kind === 'broken' || kind === 'aborted') return undefined
    this.#tried ??= new Set()
    this.#tried.add(account.account.name)
    this.#pastAttempts.failures.push(failure)
    if (kind === 'refused') throw attemptError(this.#exchange, failure)
    return failure
  }

  /** The account of the next attempt in this group. Undefined: the next group's turn. @throws KorProxyError when nobody should be asked again */
  async #chooseAfter(run: GroupRun, last: Chosen, failure: AttemptFailure): Promise<Chosen | undefined> {
    const { action, delayMs } = this.#decide(run, failure)
    if (action === 'give-up') throw exhaustedError(this.#exchange, this.#pastAttempts)
    if (action === 'next-group') return undefined
    if (action === 'same-account') {
      this.#sameAccountRetried = 'yes'
      await this.#wait(delayMs)
    }
    const chosen = action === 'same-account' ? last : (this.#selectNow(run) ?? (await this.#selectLater(run)))
    if (chosen === undefined || this.#takeBudget(run)) return chosen
    this.#releaseProbe(chosen)
    return undefined
  }

  /** The budget keeps a failing group from being asked ever more. A fallback asks somebody else and needs none. */
  #takeBudget({ serving: { retryBudget, load } }: GroupRun): boolean {
    if (!retryBudget.tryAcquire(load.active)) return false
    this.#retryBudget = retryBudget
    return true
  }

  #decide(run: GroupRun, failure: AttemptFailure): RetryDecision {
    const attempt = this.#exchange.attempts.length
    const decision = decideRetry({
      outcome: failure.outcome,
      attempt,
      policy: run.policy,
      otherAccount: this.#peek(run) ? 'available' : 'none',
      sameAccountRetried: this.#sameAccountRetried,
      remainingMs: run.deadline - this.#runtime.monotonic(),
      random: this.#runtime.random,
    })
    // The last attempt is kept for the fallback: a large group must not use up all of them at a provider that is down.
    const isLast = attempt === run.policy.maxAttempts - 1
    const staysHere = decision.action === 'next-account' || decision.action === 'same-account'
    return isLast && staysHere && run.fallback === 'left' ? NEXT_GROUP : decision
  }

  #selectNow(run: GroupRun): Chosen | undefined {
    const selection = this.#select(run)
    return selection.kind === 'account' ? selection : undefined
  }

  /** Nobody is free: waits once for an account whose limit ends within the policy's patience. */
  async #selectLater(run: GroupRun): Promise<Chosen | undefined> {
    const selection = this.#select(run)
    if (selection.kind === 'account') return selection
    const { retryAfterMs } = selection
    const patient = retryAfterMs !== undefined && retryAfterMs <= run.policy.maxRetryAfterWaitMs
    if (selection.reason === 'all-limited' && patient && this.#exchange.attempts.length < run.policy.maxAttempts) {
      await this.#wait(retryAfterMs)
      this.#tried = undefined
      const later = this.#select(run)
      if (later.kind === 'account') return later
    }
    this.#pastAttempts.none.push(selection)
    return undefined
  }

  #select(run: GroupRun): Selection<ServingAccount> {
    const affinity = affinityKey(this.#exchange, run.serving.group.affinity)
    return run.serving.selector.select({
      model: run.model,
      nowMs: this.#runtime.now(),
      random: this.#runtime.random,
      tried: this.#tried ?? NOBODY,
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
    return run.serving.selector.hasOther({ model: run.model, nowMs: this.#runtime.now(), tried: this.#tried ?? NOBODY })
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

function isForeignThinking(result: AttemptResult): boolean {
  if (result.kind !== 'failed') return false
  const { outcome } = result.failure
  return outcome.kind === 'refused' && outcome.reason === 'foreign-thinking'
}

/** What an attempt left behind that failed: the answer's own figures are the only ones that count. */
function forgetLastAttempt(exchange: Exchange): void {
  exchange.usage = undefined
  exchange.usageEstimated = false
  exchange.answeredModel = undefined
  exchange.droppedParameters.length = 0
}
