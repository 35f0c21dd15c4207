import type { ResourceObject } from '#resources/resource.ts'
import { timestampOf } from '../kube/time-and-chance.ts'
import type { AccountHealth } from './account-health.ts'
import type { Verdict } from './conditions.ts'
import { isMember } from './group-members.ts'
import { type KindStatus, ofKind, READY } from './kind-facts.ts'
import type { StatusFacts } from './status-facts.ts'

type AccountObject = ResourceObject<'ProviderAccount'>

export function accountStatus(account: AccountObject, facts: StatusFacts): KindStatus {
  const { namespace, name } = account.metadata
  const groups = ofKind(facts.resources.get(namespace) ?? [], 'ProviderGroup').filter((group) =>
    isMember(account, group),
  )
  const health = facts.health.get(`${namespace}/${name}`)
  return { ready: readyVerdict(account, health), fields: { ...healthFields(account, health), groups: groups.length } }
}

function healthFields({ spec }: AccountObject, health: AccountHealth | undefined): Readonly<Record<string, unknown>> {
  const state = spec.state === 'Enabled' ? (health?.health ?? 'unknown') : 'disabled'
  const { sinceMs, untilMs, lastError, available = 0, rateLimited = 0, erroring = 0 } = health ?? {}
  return {
    health: state,
    ...(sinceMs !== undefined && { healthSince: timestampOf(sinceMs) }),
    ...(untilMs !== undefined && { backoffUntil: timestampOf(untilMs) }),
    ...(lastError && {
      lastErrorCode: lastError.code.slice(0, 16),
      lastErrorMessage: lastError.message.slice(0, 512),
      lastErrorTime: timestampOf(lastError.atMs),
    }),
    ...(available + rateLimited + erroring > 0 && { gatewayHealth: { available, rateLimited, erroring } }),
  }
}

/** An account that is rate-limited does its work; one that fails does not. */
function readyVerdict({ spec }: AccountObject, health: AccountHealth | undefined): Verdict {
  if (spec.state === 'Disabled') return { status: 'False', reason: 'Disabled', message: 'The account is disabled.' }
  if (spec.state === 'Draining')
    return { status: 'False', reason: 'Draining', message: 'The account gets no new requests.' }
  if (health?.health !== 'erroring') return READY
  const { lastError } = health
  const message = lastError === undefined ? 'The account fails.' : `${lastError.code} ${lastError.message}`
  return { status: 'False', reason: 'Erroring', message }
}
