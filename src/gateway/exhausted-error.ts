import { KorProxyError } from '#errors/korproxy-error.ts'
import type { MemberVerdict } from '#routing/judge-member.ts'
import type { Selection } from '#routing/select-account.ts'
import type { Exchange } from './exchange.ts'
import { attemptError } from './reply/render-error.ts'
import type { ServingAccount } from './serving-account.ts'
import type { AttemptFailure } from './upstream/attempt-result.ts'

const NOBODY: ReadonlySet<string> = new Set()

export type NoAccount = Extract<Selection<ServingAccount>, { kind: 'none' }>

/** What the attempt loop went through before it gave up. */
export interface LoopHistory {
  readonly failures: AttemptFailure[]
  readonly none: NoAccount[]
}

/** Why the loop ended, read from its history. */
interface Facts extends LoopHistory {
  readonly exchange: Exchange
  /** Unix time, milliseconds. */
  readonly nowMs: number
  /** Where the request was meant to go. */
  readonly group: string
  readonly last: AttemptFailure | undefined
  /** Of `none`: groups in which every account rests. */
  readonly limited: readonly NoAccount[]
}

/** The first that recognises its case decides; the order is the specification. */
const CASES: readonly ((facts: Facts) => KorProxyError | undefined)[] = [
  credentialsRefused,
  quotaSpent,
  allLimited,
  lastAttempt,
  notServed,
  atCapacity,
  limitedBefore,
]

/** The one error that tells a client best why nobody answered. */
export function exhaustedError(exchange: Exchange, history: LoopHistory, nowMs: number): KorProxyError {
  const { failures, none } = history
  const facts: Facts = {
    failures,
    none,
    exchange,
    nowMs,
    group: exchange.targets[0]?.group ?? exchange.group,
    last: failures.at(-1),
    limited: none.filter(({ reason }) => reason === 'all-limited'),
  }
  for (const recognise of CASES) {
    const error = recognise(facts)
    if (error !== undefined) return error
  }
  const wait = { retryAfterMs: shortestWait(none) ?? 10_000 }
  return new KorProxyError('KP-PROV-101', { group: facts.group, diagnostics: diagnostics(none) }, wait)
}

/** Every account was refused now or before: the client's own key is fine, so it must not see a 401. */
function credentialsRefused({ exchange, group, failures, none, last }: Facts): KorProxyError | undefined {
  const refusedNow = failures.every(({ outcome }) => outcome.kind === 'bad-credential')
  const skipped = none.flatMap((selection) => selection.skipped).filter(({ reason }) => reason !== 'model-not-served')
  const refusedBefore = skipped.every(({ reason }) => reason === 'bad-credential' || reason === 'tried')
  if (!refusedNow || !refusedBefore || failures.length + skipped.length === 0) return undefined
  if (last?.code === 'KP-PROV-114') return attemptError(exchange, last)
  return new KorProxyError('KP-PROV-102', { group }, { cause: last?.code })
}

/** Found now, or before: an SDK must not sleep until tomorrow. */
function quotaSpent(facts: Facts): KorProxyError | undefined {
  const { group, failures } = facts
  const spentNow = failures.length > 0 && failures.every(({ outcome }) => outcome.kind === 'quota-exhausted')
  const spent = spentNow || (failures.length === 0 && spentBefore(facts))
  return spent ? new KorProxyError('KP-PROV-108', { group }) : undefined
}

function spentBefore({ none }: Facts): boolean {
  const usable = none
    .flatMap(({ skipped }) => skipped)
    .filter(({ reason }) => reason !== 'model-not-served' && reason !== 'disabled' && reason !== 'draining')
  return usable.length > 0 && usable.every(({ cause }) => cause === 'quota')
}

function allLimited(facts: Facts): KorProxyError | undefined {
  const { failures, none, limited } = facts
  const limitedNow = failures.every(({ outcome }) => outcome.kind === 'rate-limited')
  return limitedNow && limited.length > 0 && limited.length === none.length ? rateLimited(facts) : undefined
}

function lastAttempt(facts: Facts): KorProxyError | undefined {
  const { exchange, last } = facts
  if (last === undefined) return undefined
  const error = attemptError(exchange, last)
  return error.code === 'KP-PROV-110' ? rateLimited(facts, error.retryAfterMs) : error
}

/** Without a model it is the path that nobody serves: no API that is known here, and no account that takes just anything. */
function notServed({ exchange, group, none }: Facts): KorProxyError | undefined {
  if (!none.every(({ reason }) => reason === 'no-model')) return undefined
  const { request, path, requestedModel } = exchange
  if (requestedModel !== '') return new KorProxyError('KP-PROV-103', { model: requestedModel, group })
  return new KorProxyError('KP-SYS-517', { method: request.method ?? '', path: path.slice(0, 200) })
}

function atCapacity({ group, none }: Facts): KorProxyError | undefined {
  if (!none.some(({ reason }) => reason === 'at-capacity')) return undefined
  return new KorProxyError('KP-RATE-402', { group }, { retryAfterMs: shortestWait(none) ?? 1_000 })
}

function limitedBefore(facts: Facts): KorProxyError | undefined {
  return facts.limited.length > 0 ? rateLimited(facts) : undefined
}

function rateLimited({ exchange, nowMs }: Facts, standardMs = 30_000): KorProxyError {
  const retryAfterMs = Math.max(1_000, firstFreeMs(exchange, nowMs) ?? standardMs)
  return new KorProxyError('KP-PROV-110', { seconds: Math.ceil(retryAfterMs / 1000) }, { retryAfterMs })
}

/** How long until any account of the request's groups could take it: the wait that the last one named says nothing of the others. */
function firstFreeMs({ targets, tenant, requestedModel }: Exchange, nowMs: number): number | undefined {
  const waits = targets.flatMap(({ group, modelOverride }) => {
    const request = { model: modelOverride ?? requestedModel, nowMs, tried: NOBODY }
    const survey = tenant.groups.get(group)?.selector.survey(request) ?? []
    return survey.flatMap(({ verdict }) => waitFor(verdict, nowMs))
  })
  return waits.length === 0 ? undefined : Math.min(...waits)
}

function waitFor(verdict: MemberVerdict, nowMs: number): number[] {
  if (verdict.kind !== 'skip') return [0]
  const { reason, untilMs } = verdict.skip
  return untilMs === undefined || reason === 'bad-credential' ? [] : [Math.max(0, untilMs - nowMs)]
}

function shortestWait(none: readonly NoAccount[]): number | undefined {
  const waits = none.flatMap(({ retryAfterMs }) => (retryAfterMs === undefined ? [] : [retryAfterMs]))
  return waits.length === 0 ? undefined : Math.min(...waits)
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
