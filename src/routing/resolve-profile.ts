import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Client, Tenant } from '#table/routing-table.ts'
import type { CompiledProfile } from './match.ts'

export const DEFAULT_PROFILE = 'default'

/**
 * Which profile routes a request: header > client > active profile > `default` > the only one.
 * What a caller or a client names must exist, because another profile might send the request where it must not go; an active profile
 * that was deleted falls back (R1.6).
 * @returns undefined = none of them exists: everything goes to the implied group
 * @throws KorProxyError KP-CONF-219 the named profile does not exist, KP-AUTH-007 the client may not name one
 */
export function resolveProfile(
  profiles: ReadonlyMap<string, CompiledProfile>,
  tenant: Tenant,
  asked: { readonly profileHeader: string | undefined; readonly client: Client | undefined },
): CompiledProfile | undefined {
  const { profileHeader, client } = asked
  if (profileHeader !== undefined) {
    if (client?.profileOverride === 'Deny') {
      throw new KorProxyError('KP-AUTH-007', { client: client.name, header: 'X-KorProxy-Profile' })
    }
    return named(profiles, profileHeader)
  }
  if (client?.profile !== undefined) return named(profiles, client.profile)
  const only = profiles.size === 1 ? profiles.values().next().value : undefined
  return profiles.get(tenant.activeProfile) ?? profiles.get(DEFAULT_PROFILE) ?? only
}

function named(profiles: ReadonlyMap<string, CompiledProfile>, profile: string): CompiledProfile {
  const found = profiles.get(profile)
  if (found === undefined) throw new KorProxyError('KP-CONF-219', { profile })
  return found
}
