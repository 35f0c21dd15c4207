import type { ResourceObject } from '#resources/resource.ts'
import { isMember } from './group-members.ts'
import { type KindStatus, ofKind, READY } from './kind-facts.ts'
import type { StatusFacts } from './status-facts.ts'

type GroupObject = ResourceObject<'ProviderGroup'>

/** Accounts by health. One that the table leaves out, such as for a missing Secret, counts as disabled. */
export function groupStatus(group: GroupObject, facts: StatusFacts): KindStatus {
  const states = memberStates(group, facts)
  const count = (wanted: string): number => states.filter((state) => state === wanted).length
  const available = count('available') + count('unknown')
  const none = {
    status: 'False',
    reason: 'NoAccountAvailable',
    message: 'No account of the group is available.',
  } as const
  return {
    ready: available > 0 ? READY : none,
    fields: {
      accounts: {
        total: states.length,
        available,
        rateLimited: count('rate_limited'),
        erroring: count('erroring'),
        disabled: count('disabled'),
      },
      availableAccounts: `${available}/${states.length}`,
    },
  }
}

function memberStates(group: GroupObject, facts: StatusFacts): string[] {
  const { namespace } = group.metadata
  const accounts = ofKind(facts.resources.get(namespace) ?? [], 'ProviderAccount').filter((it) => isMember(it, group))
  const known = new Set(accounts.map(({ metadata }) => metadata.name))
  const missing = (group.spec.accountRefs ?? []).filter(({ name }) => !known.has(name)).map(() => 'disabled')
  const states = accounts.map(({ metadata: { name }, spec }) => {
    const served = facts.table.core.tenants[namespace]?.accounts[name] !== undefined
    if (!served || spec.state !== 'Enabled') return 'disabled'
    return facts.health.get(`${namespace}/${name}`)?.health ?? 'unknown'
  })
  return [...states, ...missing]
}
