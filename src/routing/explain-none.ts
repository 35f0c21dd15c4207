import type { Skip } from './judge-member.ts'

export type NoneReason = 'all-limited' | 'all-unhealthy' | 'no-model' | 'at-capacity' | 'tried-all'

/** @param skipped the accounts that serve the model, and why none of them took the request */
export function explainNone(
  skipped: readonly Skip[],
  nowMs: number,
): { readonly reason: NoneReason; readonly retryAfterMs?: number } {
  const untilMs = Math.min(...skipped.map((skip) => skip.untilMs ?? Number.POSITIVE_INFINITY))
  const wait = Number.isFinite(untilMs) ? { retryAfterMs: Math.max(0, untilMs - nowMs) } : {}
  return { reason: reasonOf(skipped), ...wait }
}

function reasonOf(skipped: readonly Skip[]): NoneReason {
  if (skipped.length === 0) return 'no-model'
  const untried = skipped.filter(({ reason }) => reason !== 'tried')
  if (untried.length === 0) return 'tried-all'
  if (untried.some(({ reason }) => reason === 'at-capacity' || reason === 'account-limit')) return 'at-capacity'
  const usable = untried.filter(({ reason }) => reason !== 'disabled' && reason !== 'draining')
  const limited = usable.length > 0 && usable.every(({ reason }) => reason === 'rate-limited')
  return limited ? 'all-limited' : 'all-unhealthy'
}
