import type { ClientsSection, CoreSection, Profile, Tenant } from './routing-table.ts'
import { describeFault, type Fault } from './shape.ts'

/** More patterns than this in all of a table are no configuration: matching and applying would hold up the gateway. */
const MAX_GLOBS = 50_000

/** What one field alone cannot tell: names that lead nowhere or in a circle, and too much of everything. Undefined = sound. */
export function checkReferences(core: CoreSection, clients: ClientsSection): string | undefined {
  if (!Object.hasOwn(core.tenants, core.defaultTenant)) return `defaultTenant ${core.defaultTenant} does not exist`
  for (const [name, tenant] of Object.entries(core.tenants)) {
    const fault = checkTenant(name, tenant)
    if (fault !== undefined) return describeFault({ ...fault, path: `tenants.${name}.${fault.path}` })
  }
  for (const [id, client] of Object.entries(clients.clients)) {
    if (id !== `${client.tenant}/${client.name}`) return `clients.${id} is of another name`
    if (!Object.hasOwn(core.tenants, client.tenant))
      return `clients.${id} is of tenant ${client.tenant}, which does not exist`
  }
  for (const { client } of Object.values(clients.digests)) {
    if (!Object.hasOwn(clients.clients, client)) return `a key is of client ${client}, which does not exist`
  }
  return undefined
}

/** Undefined = few enough. */
export function checkGlobs(core: CoreSection, clients: ClientsSection): string | undefined {
  let count = 0
  for (const tenant of Object.values(core.tenants)) count += globsOf(tenant)
  for (const { allowedModels } of Object.values(clients.clients)) count += allowedModels.length
  return count > MAX_GLOBS ? `the table has ${count} model patterns; ${MAX_GLOBS} are allowed` : undefined
}

function globsOf({ families, accounts, profiles }: Tenant): number {
  let count = 0
  for (const { patterns } of families) count += patterns.length
  for (const { models } of Object.values(accounts)) count += models.allow.length + models.deny.length
  for (const { rules } of Object.values(profiles)) for (const { match } of rules) count += match.models?.length ?? 0
  return count
}

function checkTenant(key: string, tenant: Tenant): Fault | undefined {
  if (tenant.name !== key) return { path: 'name', problem: 'is not its key' }
  for (const [kind, map] of Object.entries({
    profiles: tenant.profiles,
    groups: tenant.groups,
    accounts: tenant.accounts,
    models: tenant.models,
  })) {
    for (const [name, object] of Object.entries(map)) {
      if (object.name !== name) return { path: `${kind}.${name}.name`, problem: 'is not its key' }
    }
  }
  if (!Object.hasOwn(tenant.profiles, tenant.activeProfile)) return missing('activeProfile', tenant.activeProfile)
  const safeGroup = tenant.safeMode?.group
  if (safeGroup !== undefined && !Object.hasOwn(tenant.groups, safeGroup)) return missing('safeMode.group', safeGroup)
  for (const profile of Object.values(tenant.profiles)) {
    const fault = checkTargets(profile, tenant)
    if (fault !== undefined) return fault
  }
  return checkGroups(tenant)
}

function checkTargets({ name, rules, defaultTargets }: Profile, { groups }: Tenant): Fault | undefined {
  for (const [at, { targets }] of rules.entries()) {
    const lost = targets.find(({ group }) => !Object.hasOwn(groups, group))
    if (lost !== undefined) return missing(`profiles.${name}.rules[${at}].targets`, lost.group)
  }
  const lost = defaultTargets.find(({ group }) => !Object.hasOwn(groups, group))
  return lost === undefined ? undefined : missing(`profiles.${name}.defaultTargets`, lost.group)
}

function checkGroups(tenant: Tenant): Fault | undefined {
  for (const { name, members, fallbackGroups } of Object.values(tenant.groups)) {
    const member = members.find(({ account }) => !Object.hasOwn(tenant.accounts, account))
    if (member !== undefined) return missing(`groups.${name}.members`, member.account)
    const lost = fallbackGroups.find((group) => !Object.hasOwn(tenant.groups, group))
    if (lost !== undefined) return missing(`groups.${name}.fallbackGroups`, lost)
  }
  const circular = groupInCircle(tenant)
  if (circular === undefined) return undefined
  return { path: `groups.${circular}.fallbackGroups`, problem: 'leads in a circle' }
}

/** Takes away, again and again, groups that fall back to none that is left; what stays is in a circle, or leads into one. */
function groupInCircle({ groups }: Tenant): string | undefined {
  const open = new Map(Object.values(groups).map(({ name, fallbackGroups }) => [name, fallbackGroups.length]))
  const fallersTo = new Map<string, string[]>()
  for (const { name, fallbackGroups } of Object.values(groups)) {
    for (const fallback of fallbackGroups) fallersTo.set(fallback, [...(fallersTo.get(fallback) ?? []), name])
  }
  const ends = [...open].filter(([, count]) => count === 0).map(([name]) => name)
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
    open.delete(end)
    for (const faller of fallersTo.get(end) ?? []) {
      const left = (open.get(faller) ?? 0) - 1
      open.set(faller, left)
      if (left === 0) ends.push(faller)
    }
  }
  return open.keys().next().value
}

function missing(path: string, name: string): Fault {
  return { path, problem: `names ${name}, which does not exist` }
}
