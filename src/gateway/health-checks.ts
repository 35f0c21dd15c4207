import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Outcome } from '#table/outcome.ts'
import type { GatewayRuntime } from './runtime.ts'
import type { ServingAccount } from './serving-account.ts'
import { connectionFailure } from './upstream/connection-failure.ts'

/** How often is looked whose check is due. */
const TICK_MS = 1_000
/** A check speaks for the account as a whole, not for one of its models. */
const CHECKED_MODEL = ''
const MAX_ERROR_BYTES = 64 * 1024

/** Asks accounts that opted in for something cheap, so that an outage (and its end) is seen without a client's request. */
export class HealthChecks {
  readonly #runtime: GatewayRuntime
  readonly #timer: NodeJS.Timeout
  readonly #dueAt = new WeakMap<ServingAccount, number>()

  constructor(runtime: GatewayRuntime) {
    this.#runtime = runtime
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const now = this.#runtime.monotonic()
    for (const account of this.#runtime.registry.all()) {
      const { healthCheck, state } = account.account
      if (healthCheck.state === 'Disabled' || state === 'Disabled') continue
      if (now < (this.#dueAt.get(account) ?? 0)) continue
      this.#dueAt.set(account, now + healthCheck.intervalMs)
      void this.#check(account)
    }
  }

  async #check(account: ServingAccount): Promise<void> {
    const startedAt = this.#runtime.monotonic()
    const { outcome, code } = await this.#ask(account)
    const latencyMs = this.#runtime.monotonic() - startedAt
    account.health.record(CHECKED_MODEL, outcome.kind === 'ok' ? { ...outcome, latencyMs } : outcome, {
      nowMs: this.#runtime.now(),
      ...(code === undefined ? {} : { errorCode: code }),
    })
    const slow = latencyMs > account.account.healthCheck.degradedLatencyMs
    if (outcome.kind !== 'ok' || slow) {
      this.#runtime.log.warn(
        { account: account.account.name, outcome: outcome.kind, code, latencyMs, slow },
        'health check',
      )
    }
  }

  async #ask(account: ServingAccount): Promise<{ outcome: Outcome; code?: KorProxyError['code'] }> {
    const target = account.provider.healthCheck(account.account)
    if (target === undefined) return { outcome: { kind: 'aborted' } }
    const { timeoutMs } = account.account.healthCheck
    try {
      const call = {
        operation: { kind: 'other', method: target.method, path: '' },
        account: account.account,
        model: '',
        stream: false,
        query: '',
      } as const
      const secret = await account.secret()
      const { origin, pathname, search } = new URL(target.url)
      const pool = this.#runtime.pools.get({
        origin,
        connectMs: timeoutMs,
        idleTimeoutMs: account.account.connections.idleTimeoutMs,
        proxyUrl: account.account.proxyUrl,
        caPem: account.credential.caPem,
      })
      const reply = await pool.request({
        origin,
        path: pathname + search,
        method: 'GET',
        headers: {
          ...account.provider.defaultHeaders,
          ...account.provider.headers(call, secret),
          'accept-encoding': 'identity',
        },
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (reply.statusCode < 300) {
        await reply.body.dump()
        return { outcome: { kind: 'ok', latencyMs: 0, firstTokenMs: undefined } }
      }
      const body = (await reply.body.text()).slice(0, MAX_ERROR_BYTES)
      const failure = account.provider.classifyFailure(
        { status: reply.statusCode, headers: reply.headers, body },
        this.#runtime.now(),
      )
      return { outcome: failure.outcome, code: failure.code }
    } catch (error) {
      if (error instanceof KorProxyError) return { outcome: { kind: 'bad-credential' }, code: error.code }
      if (error instanceof Error && error.name === 'TimeoutError') {
        return { outcome: { kind: 'timed-out', phase: 'first-byte' }, code: 'KP-NET-302' }
      }
      const failure = connectionFailure(error instanceof Error ? error : new Error(String(error)), timeoutMs)
      return { outcome: failure.outcome, code: failure.code }
    }
  }
}
