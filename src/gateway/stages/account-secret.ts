import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Abortable, Exchange } from '../exchange.ts'
import type { ServingAccount } from '../serving-account.ts'
import type { AttemptResult } from '../upstream/attempt-result.ts'
import { connectionFailure } from '../upstream/connection-failure.ts'

type FailedAttempt = Extract<AttemptResult, { kind: 'failed' }>

/** The secret to send, or the failure of an account whose token cannot be had: another account may still answer. */
export function secretOf(
  account: ServingAccount,
): string | undefined | FailedAttempt | Promise<string | undefined | FailedAttempt> {
  try {
    const secret = account.secret()
    return secret instanceof Promise ? secret.catch(tokenFailure) : secret
  } catch (error) {
    return tokenFailure(error)
  }
}

/** A fresh access token after the provider refused one. Undefined: there is one. */
export async function renewedOr(
  refused: AttemptResult,
  renew: () => Promise<void>,
): Promise<AttemptResult | undefined> {
  try {
    await renew()
    return undefined
  } catch (error) {
    const failure = tokenFailure(error)
    return failure.failure.outcome.kind === 'bad-credential' ? refused : failure
  }
}

/** Waits for a token, but no longer than the client stays and the gateway may. */
export function whileWanted<T>(exchange: Pick<Exchange, 'underWay'>, work: Promise<T>): Promise<T | FailedAttempt> {
  return new Promise((resolve, reject) => {
    const wait: Abortable = {
      abort: (reason) => {
        leave()
        resolve({ kind: 'failed', failure: connectionFailure(reason, 0) })
      },
    }
    const leave = (): void => {
      if (exchange.underWay === wait) exchange.underWay = undefined
    }
    exchange.underWay = wait
    work.finally(leave).then(resolve, reject)
  })
}

/** KP-PROV-114 stays until somebody authorises anew; anything else may pass. */
function tokenFailure(error: unknown): FailedAttempt {
  if (!(error instanceof KorProxyError)) throw error
  const { code, details, message, retryAfterMs } = error
  const isFinal = code === 'KP-PROV-114'
  return {
    kind: 'failed',
    failure: {
      outcome: isFinal ? { kind: 'bad-credential' } : { kind: 'overloaded', retryAfterMs },
      code,
      details,
      message,
      providerCode: undefined,
      status: undefined,
    },
  }
}
