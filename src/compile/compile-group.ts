import { parseDuration } from '#resources/duration.ts'
import { KINDS } from '#resources/kinds.ts'
import type { ResourceObject } from '#resources/resource.ts'
import type { Group, GroupMember, HealthPolicy, RetryPolicy, Timeouts } from '#table/routing-table.ts'
import { IMPLIED_GROUP } from '#table/routing-table.ts'
import type { NamespaceObjects } from './namespace-objects.ts'
import type { ProblemList } from './problem-list.ts'

type GroupObject = ResourceObject<'ProviderGroup'>
type GroupSpec = GroupObject['spec']

/** Accounts that have a credential; a group lists no others. */
export type UsableAccounts = ReadonlySet<string>

export function compileGroup(
  group: GroupObject,
  objects: NamespaceObjects,
  usable: UsableAccounts,
  problems: ProblemList,
): Group {
  const { metadata, spec } = group
  return {
    name: metadata.name,
    displayName: spec.displayName ?? metadata.name,
    ...policies(spec),
    members: members(group, objects, problems).filter(({ account }) => usable.has(account)),
    fallbackGroups: fallbacks(group, objects, problems),
  }
}

/** Where requests go when nothing says otherwise: every account, default policies. */
export function impliedGroup(usable: UsableAccounts): Group {
  const spec = KINDS.ProviderGroup.spec.parse({ accountSelector: { matchLabels: {} } })
  const everyone = [...usable].toSorted().map((account) => ({ account, weight: 100, priority: 0 }))
  return { name: IMPLIED_GROUP, displayName: 'All accounts', ...policies(spec), members: everyone, fallbackGroups: [] }
}

function policies(spec: GroupSpec): Omit<Group, 'name' | 'displayName' | 'members' | 'fallbackGroups'> {
  return {
    strategy: spec.selectionStrategy,
    affinity: {
      // Sticky without a key would be no different from going in turn.
      by: spec.selectionStrategy === 'Sticky' && spec.affinity.by === 'None' ? 'Session' : spec.affinity.by,
      ...(spec.affinity.header === undefined ? {} : { header: spec.affinity.header.toLowerCase() }),
    },
    health: healthPolicy(spec.health),
    retry: retryPolicy(spec.retry),
    timeouts: timeoutsOf(spec.timeouts),
    onUnsupported: spec.onUnsupported,
  }
}

function healthPolicy(health: GroupSpec['health']): HealthPolicy {
  return {
    failureThreshold: health.failureThreshold,
    minimumSpreadMs: parseDuration(health.minimumSpread),
    erroringTimeoutMs: parseDuration(health.erroringTimeout),
    backoff: {
      initialMs: parseDuration(health.backoff.initial),
      maxMs: parseDuration(health.backoff.max),
      multiplier: health.backoff.multiplier,
      jitterPercent: health.backoff.jitterPercent,
      retryAfter: health.backoff.retryAfter,
    },
    halfOpenRequests: health.halfOpenRequests,
    whenAllUnavailable: health.whenAllUnavailable,
  }
}

function retryPolicy(retry: GroupSpec['retry']): RetryPolicy {
  return {
    maxAttempts: retry.maxAttempts,
    conditions: retry.conditions,
    budgetPercent: retry.budgetPercent,
    budgetMinimum: retry.budgetMin,
    backoffBaseMs: parseDuration(retry.sameAccountBackoff.base),
    backoffMaxMs: parseDuration(retry.sameAccountBackoff.max),
    maxRetryAfterWaitMs: parseDuration(retry.maxRetryAfterWait),
  }
}

function timeoutsOf(spec: GroupSpec['timeouts']): Timeouts {
  return {
    connectMs: parseDuration(spec.connect),
    firstByteMs: parseDuration(spec.firstByte),
    firstByteWholeMs: parseDuration(spec.firstByteWhole),
    idleMs: parseDuration(spec.idle),
    requestMs: parseDuration(spec.request),
  }
}

/** Named accounts in their order, then those that the labels select, by name. */
function members(group: GroupObject, objects: NamespaceObjects, problems: ProblemList): GroupMember[] {
  const found = new Map<string, GroupMember>()
  for (const [at, { name, weight, priority }] of (group.spec.accountRefs ?? []).entries()) {
    if (objects.find('ProviderAccount', name) === undefined) {
      problems.add(group, `spec.accountRefs[${at}].name`, 'KP-CONF-207', objects.absenceOf('ProviderAccount', name))
      continue
    }
    found.set(name, { account: name, weight, priority })
  }
  const selector = group.spec.accountSelector?.matchLabels
  if (selector !== undefined) {
    for (const { metadata } of objects.ofKind('ProviderAccount')) {
      const selected = Object.entries(selector).every(([key, value]) => metadata.labels[key] === value)
      if (selected && !found.has(metadata.name)) {
        found.set(metadata.name, { account: metadata.name, weight: 100, priority: 0 })
      }
    }
  }
  return [...found.values()]
}

function fallbacks(group: GroupObject, objects: NamespaceObjects, problems: ProblemList): string[] {
  const names: string[] = []
  for (const [at, { name }] of (group.spec.fallbackGroupRefs ?? []).entries()) {
    const path = `spec.fallbackGroupRefs[${at}].name`
    if (objects.find('ProviderGroup', name) === undefined) {
      problems.add(group, path, 'KP-CONF-207', objects.absenceOf('ProviderGroup', name))
    } else if (leadsBackTo(group.metadata.name, name, objects)) {
      problems.add(group, path, 'KP-CONF-210', `${name} falls back to ${group.metadata.name} again`)
    } else names.push(name)
  }
  return names
}

function leadsBackTo(target: string, from: string, objects: NamespaceObjects): boolean {
  const seen = new Set<string>()
  const open = [from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === target) return true
    if (seen.has(name)) continue
    seen.add(name)
    for (const next of objects.find('ProviderGroup', name)?.spec.fallbackGroupRefs ?? []) open.push(next.name)
  }
  return false
}
