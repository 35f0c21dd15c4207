import type { ResourceObject } from '#resources/resource.ts'
import type { ModelFamily, Profile } from '#table/routing-table.ts'
import { BUILTIN_FAMILIES } from './catalog/builtin-families.ts'
import type { NamespaceObjects } from './namespace-objects.ts'
import type { ProblemList } from './problem-list.ts'
import { unreachedRules } from './rule-reach.ts'

type ProfileObject = ResourceObject<'RoutingProfile'>

export interface CompiledTenantParts {
  readonly profiles: Readonly<Record<string, Profile>>
  readonly families: readonly ModelFamily[]
}

/** Rules that are valid, and yet route nothing: others come before them, or what they ask for does not exist. */
export function warnOfRules(
  objects: NamespaceObjects,
  { profiles, families }: CompiledTenantParts,
  problems: ProblemList,
): void {
  const known = new Set(families.map(({ name }) => name))
  for (const profile of objects.ofKind('RoutingProfile')) {
    warnOfNames(profile, { objects, families: known, problems })
    const compiled = profiles[profile.metadata.name]
    if (compiled !== undefined) warnOfOrder(profile, compiled, problems)
  }
}

function warnOfOrder(profile: ProfileObject, compiled: Profile, problems: ProblemList): void {
  for (const { rule, taker } of unreachedRules(compiled)) {
    const at = profile.spec.rules?.findIndex(({ name }) => name === rule)
    const message = `never matches: rule ${taker} before it takes all its requests`
    problems.add(profile, `spec.rules[${at}]`, 'KP-CONF-225', message)
  }
}

interface KnownNames {
  readonly objects: NamespaceObjects
  readonly families: ReadonlySet<string>
  readonly problems: ProblemList
}

function warnOfNames(profile: ProfileObject, { objects, families, problems }: KnownNames): void {
  for (const [at, { match }] of (profile.spec.rules ?? []).entries()) {
    for (const [index, client] of (match.clients ?? []).entries()) {
      if (objects.find('GatewayClient', client) !== undefined) continue
      const path = `spec.rules[${at}].match.clients[${index}]`
      problems.add(profile, path, 'KP-CONF-226', objects.absenceOf('GatewayClient', client))
    }
    for (const [index, family] of (match.modelFamilies ?? []).entries()) {
      if (families.has(family)) continue
      const path = `spec.rules[${at}].match.modelFamilies[${index}]`
      problems.add(profile, path, 'KP-CONF-226', unknownFamily(family))
    }
  }
}

function unknownFamily(family: string): string {
  const builtin = BUILTIN_FAMILIES.map(({ name }) => name).join(', ')
  return `no ModelCatalog in use has a model family ${family}, and the built-in ones are ${builtin}`
}
