import type { Selection } from '#routing/select-account.ts'
import type { Exchange } from './exchange.ts'
import type { GroupRun } from './group-walk.ts'
import type { ClientReply } from './reply/client-reply.ts'
import type { GatewayRuntime } from './runtime.ts'
import type { ServingAccount } from './serving-account.ts'
import { renewedOr, secretOf, whileWanted } from './stages/account-secret.ts'
import { type DispatchInput, dispatch } from './stages/dispatch.ts'
import { type Choice, encode, noteDropped, type PreparedRequest, targetModel } from './stages/encode.ts'
import { withoutForeignThinking } from './stages/without-foreign-thinking.ts'
import { withoutSecret } from './stages/without-secret.ts'
import type { AttemptResult, CallResult } from './upstream/attempt-result.ts'

export type Chosen = Extract<Selection<ServingAccount>, { kind: 'account' }>

/** Whose exchange it is, and where. */
export interface AttemptPlace {
  readonly runtime: GatewayRuntime
  readonly exchange: Exchange
  readonly client: ClientReply
}

/** Several kept-alive connections can end at one moment; then the next failure is the provider's own. */
const STALE_CALLS = 3

/** The calls of one exchange to one chosen account: nearly always one, a few where the first says nothing of the account. */
export class AccountAttempt {
  readonly chosen: Chosen
  readonly #place: AttemptPlace
  readonly #run: GroupRun
  /** The call under way, as it will be told of. */
  #record: Exchange['attempts'][number] | undefined
  /** Monotonic. */
  #startedAt = 0
  #input: DispatchInput | undefined

  constructor(place: AttemptPlace, run: GroupRun, chosen: Chosen) {
    this.#place = place
    this.#run = run
    this.chosen = chosen
  }

  /** @throws KorProxyError for a request that this account cannot be sent */
  call(): Promise<CallResult> | AttemptResult {
    const { exchange } = this.#place
    const { runtime: account, model, panic } = this.chosen
    exchange.account = account.account.name
    exchange.provider = account.provider.telemetryName
    exchange.model = model
    exchange.panic = panic
    forgetLastAttempt(exchange)
    const prepared = encode(exchange, this.#choice())
    this.#begin()
    const secret = secretOf(account)
    if (secret instanceof Promise) return whileWanted(exchange, secret).then((late) => this.#send(prepared, late))
    return this.#send(prepared, secret)
  }

  #choice(): Choice {
    const { runtime: account, model } = this.chosen
    return {
      provider: account.provider,
      account: account.account,
      group: this.#run.serving.group,
      model,
      tenant: this.#place.exchange.tenant,
    }
  }

  #begin(): void {
    const { exchange, runtime } = this.#place
    const { account, group, provider } = exchange
    this.#record = { account, group, provider, outcome: '', durationMs: 0 }
    this.#startedAt = runtime.monotonic()
    this.chosen.runtime.inFlight += 1
    exchange.attempts.push(this.#record)
  }

  #send(prepared: PreparedRequest, secret: Awaited<ReturnType<typeof secretOf>>): Promise<CallResult> | AttemptResult {
    if (typeof secret === 'object') return secret
    const { exchange, client, runtime } = this.#place
    const { runtime: account, model } = this.chosen
    const { timeouts, deadline } = this.#run
    const startedAt = this.#startedAt
    this.#input = { exchange, client, prepared, account, model, secret, timeouts, startedAt, deadline }
    return dispatch(runtime, this.#input)
  }

  /**
   * What a bad result may hide: a kept connection that had ended before, an access token that was revoked before its time, a history with
   * somebody else's thinking.
   */
  async reconsider(first: CallResult): Promise<AttemptResult> {
    const result = await this.#resendRenewed(await this.#resendStale(first))
    return isForeignThinking(result) ? this.#resendWithoutThinking(result) : result
  }

  async #resendStale(first: CallResult): Promise<AttemptResult> {
    const input = this.#input
    let result = first
    for (let calls = 1; result.kind === 'stale' && input !== undefined; calls += 1) {
      if (calls === STALE_CALLS) result = { kind: 'failed', failure: result.failure }
      else result = await dispatch(this.#place.runtime, input)
    }
    if (result.kind === 'answered') return result
    const failure = withoutSecret(result.failure, input?.secret)
    return result.kind === 'broken' ? { kind: 'broken', failure } : { kind: 'failed', failure }
  }

  async #resendRenewed(result: AttemptResult): Promise<AttemptResult> {
    const { renew } = this.chosen.runtime
    const isRefused = result.kind === 'failed' && result.failure.outcome.kind === 'bad-credential'
    if (renew === undefined || !isRefused) return result
    this.#endCall(result)
    // One fresh token, then the credential counts as refused.
    const refused = await whileWanted(this.#place.exchange, renewedOr(result, renew))
    return refused ?? this.#resendStale(await this.call())
  }

  /** Once, to the same account. A second refusal would speak of what the client never sent: the first one stands. */
  async #resendWithoutThinking(first: AttemptResult): Promise<AttemptResult> {
    const { exchange, runtime } = this.#place
    const input = this.#input
    if (input === undefined || exchange.clientGone) return first
    const stripped = withoutForeignThinking(input.prepared, targetModel(this.#choice()))
    if (stripped === undefined) return first
    this.#endCall(first)
    this.#begin()
    this.#input = { ...input, prepared: stripped.prepared, startedAt: this.#startedAt }
    noteDropped(exchange, stripped.dropped)
    const second = await this.#resendStale(await dispatch(runtime, this.#input))
    return second.kind === 'failed' && second.failure.outcome.kind === 'refused' ? first : second
  }

  #endCall(result: AttemptResult | undefined): void {
    const record = this.#record
    if (record === undefined) return
    this.#record = undefined
    this.chosen.runtime.inFlight -= 1
    record.durationMs = this.#place.runtime.monotonic() - this.#startedAt
    if (result !== undefined) record.outcome = result.kind === 'answered' ? 'ok' : result.failure.outcome.kind
  }

  /** Tells the account's health. */
  end(result: AttemptResult): void {
    this.#endCall(result)
    const { runtime: account, model } = this.chosen
    const nowMs = this.#place.runtime.now()
    if (result.kind === 'answered') account.health.record(model, result.outcome, { nowMs })
    else account.health.record(model, result.failure.outcome, { nowMs, errorCode: result.failure.code })
  }

  /** The account was not reached: its health learns nothing, but a half-open slot must become free again. */
  abandon(): void {
    this.#endCall(undefined)
    const { runtime: account, model, probe } = this.chosen
    if (probe) account.health.record(model, { kind: 'aborted' }, { nowMs: this.#place.runtime.now() })
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
