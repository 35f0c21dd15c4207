import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Selection } from '#routing/select-account.ts'
import type { Exchange } from './exchange.ts'
import { attemptError } from './reply/render-error.ts'
import type { ServingAccount } from './serving-account.ts'
import type { AttemptFailure } from './upstream/attempt.ts'

type NoAccount = Extract<Selection<ServingAccount>, { kind: 'none' }>

/** What the attempt loop went through before it gave up. */
export interface LoopHistory {
  readonly failures: AttemptFailure[]
  readonly none: NoAccount[]
}

/** The one error that tells a client best why nobody answered. */
export function exhaustedError(exchange: Exchange, history: LoopHistory): KorProxyError {
  const group = exchange.targets[0]?.group ?? exchange.group
  const { failures, none } = history
  const last = failures.at(-1)
  if (last?.code === 'KP-PROV-114' && refusedEverywhere(history)) return attemptError(exchange, last)
  if (refusedEverywhere(history)) return new KorProxyError('KP-PROV-102', { group }, { cause: last?.code })
  const limited = none.filter(({ reason }) => reason === 'all-limited')
  const allLimited = failures.every(({ outcome }) => outcome.kind === 'rate-limited')
  if (limited.length > 0 && limited.length === none.length && allLimited) return rateLimited(limited)
  if (failures.length > 0 && failures.every(({ outcome }) => outcome.kind === 'quota-exhausted')) {
    return new KorProxyError('KP-PROV-108', { group })
  }
  if (last !== undefined) return withTrueWait(attemptError(exchange, last), none)
  if (none.every(({ reason }) => reason === 'no-model')) {
    return new KorProxyError('KP-PROV-103', { model: exchange.requestedModel, group })
  }
  if (none.some(({ reason }) => reason === 'at-capacity')) {
    return new KorProxyError('KP-RATE-402', { group }, { retryAfterMs: shortestWait(none) ?? 1_000 })
  }
  if (limited.length > 0) return rateLimited(limited)
  return new KorProxyError(
    'KP-PROV-101',
    { group, diagnostics: diagnostics(none) },
    { retryAfterMs: shortestWait(none) ?? 10_000 },
  )
}

function rateLimited(limited: readonly NoAccount[]): KorProxyError {
  const retryAfterMs = shortestWait(limited) ?? 30_000
  return new KorProxyError('KP-PROV-110', { seconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) }, { retryAfterMs })
}

/** A rate limit of the last account is not the wait: the first account that is free again decides. */
function withTrueWait(error: KorProxyError, none: readonly NoAccount[]): KorProxyError {
  if (error.code !== 'KP-PROV-110') return error
  const retryAfterMs = shortestWait(none) ?? error.retryAfterMs ?? 30_000
  return new KorProxyError('KP-PROV-110', { seconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) }, { retryAfterMs })
}

function shortestWait(none: readonly NoAccount[]): number | undefined {
  const waits = none.flatMap(({ retryAfterMs }) => (retryAfterMs === undefined ? [] : [retryAfterMs]))
  return waits.length === 0 ? undefined : Math.min(...waits)
}

/** Every account was refused now or before: the client's own key is fine, so it must not see a 401. */
function refusedEverywhere({ failures, none }: LoopHistory): boolean {
  const refusedNow = failures.every(({ outcome }) => outcome.kind === 'bad-credential')
  const skipped = none.flatMap((selection) => selection.skipped).filter(({ reason }) => reason !== 'model-not-served')
  const refusedBefore = skipped.every(({ reason }) => reason === 'bad-credential' || reason === 'tried')
  return refusedNow && refusedBefore && failures.length + skipped.length > 0
}

/** `a: erroring until 12:00:03Z, b: disabled`; names come from configuration, secrets are not among them. */
function diagnostics(none: readonly NoAccount[]): string {
  const lines = none.flatMap(({ skipped }) =>
    skipped.map(({ account, reason, untilMs }) => {
      const until = untilMs === undefined ? '' : ` until ${new Date(untilMs).toISOString()}`
      return `${account}: ${reason}${until}`
    }),
  )
  return [...new Set(lines)].slice(0, 20).join(', ') || 'the group has no accounts'
}
