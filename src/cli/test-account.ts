import { KorProxyError } from '#errors/korproxy-error.ts'
import { ERRORS, type ErrorCode } from '#errors/registry.ts'
import type { ServingAccount } from '#gateway/serving-account.ts'
import type { ServingTenant } from '#gateway/serving-table.ts'
import { makeSmallestCall, smallestCall } from '#gateway/smallest-call.ts'
import type { AttemptFailure } from '#gateway/upstream/attempt-result.ts'
import type { UpstreamPools } from '#gateway/upstream/pools.ts'

export interface AccountTest {
  readonly namespace: string
  readonly account: string
  readonly provider: string
  readonly result: 'ok' | 'failed'
  /** What was called, e.g. `GET https://api.openai.com/v1/models`. */
  readonly call?: string
  readonly latencyMs?: number
  readonly code?: ErrorCode
  readonly message?: string
}

export interface TestOptions {
  readonly pools: UpstreamPools
  readonly timeoutMs: number
  /** Asks this model for one token, which is billed. Absent: an unbilled call where the provider has one. */
  readonly model?: string
}

/** One smallest real call with the account's real credential; whatever goes wrong is told by its code (R12.3). */
export async function testAccount(
  tenant: ServingTenant,
  account: ServingAccount,
  { model, pools, timeoutMs }: TestOptions,
): Promise<AccountTest> {
  const identity = { namespace: account.tenant, account: account.account.name, provider: account.account.provider }
  const startedAt = performance.now()
  try {
    const smallest = smallestCall(tenant, account, model)
    const call = `${smallest.target.method} ${smallest.target.url}`
    const failure = await makeSmallestCall(account, smallest, { pools, timeoutMs, nowMs: Date.now() })
    const latencyMs = Math.round(performance.now() - startedAt)
    if (failure === undefined) return { ...identity, result: 'ok', call, latencyMs }
    const told = { code: failure.code, message: messageOf(account.account.name, failure) }
    return { ...identity, result: 'failed', call, latencyMs, ...told }
  } catch (error) {
    if (!(error instanceof KorProxyError)) throw error
    return { ...identity, result: 'failed', code: error.code, message: error.message }
  }
}

/** The provider's own words under the title of the code; a failure of the connection in ours. */
function messageOf(account: string, { code, message, details }: AttemptFailure): string {
  if (details === undefined) return `${ERRORS[code].title}: ${message}`
  return new KorProxyError(code, { account, ...details }).message
}
