import type { ObjectReference } from '#resources/resource.ts'
import type { CacheChange } from '../kube/object-cache.ts'

/**
 * On a ProviderAccount: each new value, whatever it says, makes the gateways forget the health of the account. As with
 * `kubectl rollout restart` the time is a good value.
 */
const RESET_HEALTH = 'korproxy.dev/reset-health'

/** Accounts whose health is to be forgotten. What was there when the controller began, or came with the account, is no request. */
export function resetRequests(changes: readonly CacheChange[]): readonly ObjectReference[] {
  return changes.flatMap(({ before, after }) => {
    if (before === undefined || after === undefined || before.metadata.uid !== after.metadata.uid) return []
    const [was, is] = [before, after].map(({ metadata }) => metadata.annotations?.[RESET_HEALTH])
    if (is === undefined || is === '' || is === was) return []
    const { namespace = '', name } = after.metadata
    return [{ kind: 'ProviderAccount', namespace, name }]
  })
}
