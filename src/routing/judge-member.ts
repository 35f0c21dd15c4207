import type { AccountRuntime } from './account-runtime.ts'
import type { HealthView } from './health/health-view.ts'
import type { Candidate } from './strategies/pick-account.ts'

type SkipReason =
  | 'model-not-served'
  | 'disabled'
  | 'draining'
  | 'tried'
  | 'at-capacity'
  | 'account-limit'
  | 'rate-limited'
  | 'erroring'
  | 'bad-credential'
  | 'probing'

/** Why an account did not get a request. Shown to people; nothing secret. */
export interface Skip {
  readonly account: string
  readonly reason: SkipReason
  /** Unix time, milliseconds. */
  readonly untilMs?: number
  /** Tells a limit that a wait of minutes does not end. */
  readonly cause?: 'quota'
}

export type MemberVerdict =
  | { readonly kind: 'ready' }
  /** Erroring, but its half-open probe is due. */
  | { readonly kind: 'due'; readonly view: HealthView }
  /** `view`: could still be tried when nothing better is left. */
  | { readonly kind: 'skip'; readonly skip: Skip; readonly view?: HealthView }

const READY: MemberVerdict = { kind: 'ready' }

/** Whether an account that serves the model may take a request now. "Available" is "healthy, not full, within its limits". */
export function judgeMember(
  { runtime, member, model }: Candidate<AccountRuntime>,
  nowMs: number,
  tried: ReadonlySet<string>,
): MemberVerdict {
  const { account } = member
  const view = runtime.health.state(model, nowMs)
  if (view.state === 'available' && isFree(runtime, nowMs) && !tried.has(account)) return READY
  if (runtime.account.state === 'Draining') return { kind: 'skip', skip: { account, reason: 'draining' } }
  if (runtime.account.state === 'Disabled') {
    return { kind: 'skip', skip: { account, reason: 'disabled' } }
  }
  const until = view.untilMs === undefined ? {} : { untilMs: view.untilMs }
  if (tried.has(account)) return { kind: 'skip', skip: { account, reason: 'tried', ...until } }
  if (!runtime.limits.hasRoomFor(runtime.inFlight)) return { kind: 'skip', skip: { account, reason: 'at-capacity' } }
  const blockedUntilMs = runtime.limits.blockedUntilMs(nowMs)
  if (blockedUntilMs !== undefined) {
    return { kind: 'skip', skip: { account, reason: 'account-limit', untilMs: blockedUntilMs } }
  }
  switch (view.state) {
    case 'disabled':
      return { kind: 'skip', skip: { account, reason: 'disabled' } }
    case 'available':
      return READY
    case 'rate_limited':
      return { kind: 'skip', skip: { account, reason: 'rate-limited', ...until, ...causeOf(view) }, view }
    case 'erroring':
      return view.halfOpen === true
        ? { kind: 'due', view }
        : { kind: 'skip', skip: skipErroring(account, view, nowMs), view }
  }
}

function isFree({ account, limits, inFlight }: AccountRuntime, nowMs: number): boolean {
  return account.state === 'Enabled' && limits.hasRoomFor(inFlight) && limits.blockedUntilMs(nowMs) === undefined
}

function causeOf({ cause }: HealthView): Pick<Skip, 'cause'> {
  return cause === 'quota' ? { cause } : {}
}

function skipErroring(account: string, view: HealthView, nowMs: number): Skip {
  const { cause, untilMs = nowMs } = view
  if (cause === 'credential') return { account, reason: 'bad-credential', untilMs }
  return untilMs <= nowMs ? { account, reason: 'probing' } : { account, reason: 'erroring', untilMs }
}
