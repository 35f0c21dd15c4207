import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Outcome } from '#table/outcome.ts'
import type { GatewayRuntime } from './runtime.ts'
import type { ServingAccount } from './serving-account.ts'
import type { ServingTenant } from './serving-table.ts'
import { makeSmallestCall, smallestCall } from './smallest-call.ts'

/** How often is looked whose check is due. */
const TICK_MS = 1_000

export interface HealthCheckOptions {
  readonly runtime: Pick<GatewayRuntime, 'registry' | 'monotonic' | 'now' | 'pools' | 'log'>
  readonly tenant: (name: string) => ServingTenant | undefined
}

/** Asks accounts that opted in for something cheap, so that an outage (and its end) is seen without a client's request. */
export class HealthChecks {
  readonly #options: HealthCheckOptions
  readonly #timer: NodeJS.Timeout
  readonly #dueAt = new WeakMap<ServingAccount, number>()
  readonly #underWay = new WeakSet<ServingAccount>()

  constructor(options: HealthCheckOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const { runtime, tenant } = this.#options
    const now = runtime.monotonic()
    for (const account of runtime.registry.all()) {
      const { healthCheck, state } = account.account
      const serving = tenant(account.tenant)
      if (healthCheck.state === 'Disabled' || state === 'Disabled' || serving === undefined) continue
      // A check that waits for a slow provider is not joined by the next.
      if (this.#underWay.has(account) || now < (this.#dueAt.get(account) ?? 0)) continue
      this.#dueAt.set(account, now + healthCheck.intervalMs)
      this.#underWay.add(account)
      this.#check(serving, account)
        .catch((error: unknown) => runtime.log.error({ account: account.account.name, err: error }, 'health check'))
        .finally(() => this.#underWay.delete(account))
    }
  }

  async #check(tenant: ServingTenant, account: ServingAccount): Promise<void> {
    const { runtime } = this.#options
    const startedAt = runtime.monotonic()
    const { outcome, code } = await this.#ask(tenant, account)
    const latencyMs = runtime.monotonic() - startedAt
    account.health.recordCheck(outcome.kind === 'ok' ? { ...outcome, latencyMs } : outcome, {
      nowMs: runtime.now(),
      ...(code === undefined ? {} : { errorCode: code }),
    })
    const slow = latencyMs > account.account.healthCheck.degradedLatencyMs
    if (outcome.kind !== 'ok' || slow) {
      runtime.log.warn({ account: account.account.name, outcome: outcome.kind, code, latencyMs, slow }, 'health check')
    }
  }

  async #ask(
    tenant: ServingTenant,
    account: ServingAccount,
  ): Promise<{ outcome: Outcome; code?: KorProxyError['code'] }> {
    const { runtime } = this.#options
    const { timeoutMs, model } = account.account.healthCheck
    try {
      const smallest = smallestCall(tenant, account, model)
      const failure = await makeSmallestCall(account, smallest, {
        pools: runtime.pools,
        timeoutMs,
        nowMs: runtime.now(),
      })
      return failure ?? { outcome: { kind: 'ok', latencyMs: 0, firstTokenMs: undefined } }
    } catch (error) {
      if (!(error instanceof KorProxyError)) throw error
      // Nothing was asked: a matter of the configuration, not of the provider.
      return { outcome: { kind: 'aborted' }, code: error.code }
    }
  }
}
