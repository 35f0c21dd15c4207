import { DESKTOP_FIELDS, type DesktopConfig, type DesktopGroup, type DesktopProfile } from './desktop-schema.ts'
import { IMPORTED_ID, type ImportedObject, ImportNotes, type ImportResult, resourceObject } from './import-result.ts'
import { missingAccount } from './missing-account.ts'
import { kebabName, ObjectNames } from './object-names.ts'

const VERSION = 1
const REQUEST_TYPES = ['chat', 'completion', 'embedding', 'other']
const STRATEGIES: Readonly<Record<string, string>> = {
  'round-robin': 'RoundRobin',
  random: 'Random',
  priority: 'Priority',
}
const MODEL_GLOB = /^[A-Za-z0-9._:/@*+-]{1,128}$/

/** Names in the manifests of what the file names by id. */
interface Names {
  readonly accounts: ReadonlyMap<string, string>
  readonly groups: ReadonlyMap<string, string>
}

/**
 * Manifests from the configuration of the desktop program. It says nothing of accounts but their ids: each becomes a ProviderAccount
 * that says what is missing, unless `knownAccounts` has it.
 */
export function importDesktop(config: DesktopConfig, knownAccounts: ReadonlySet<string>): ImportResult {
  const notes = new ImportNotes()
  if (config.version !== VERSION) notes.add(['version'], `is ${config.version}; it was read as version ${VERSION}`)
  notes.unknownFields(config, DESKTOP_FIELDS.config, [])
  const groups = config.providerGroups ?? []
  const accountNames = nameAccounts(groups)
  const accounts = importAccounts(groups, accountNames, knownAccounts, notes)
  const groupNames = new ObjectNames()
  const named = new Map<string, string>()
  const importedGroups = groups.flatMap((group, index) => {
    const name = groupNames.take(group.name, 'group')
    const object = importGroup(group, name, accountNames, { notes, index })
    if (object !== undefined) named.set(group.id, name)
    return object ?? []
  })
  const profiles = importProfiles(config, { accounts: accountNames, groups: named }, notes)
  return { objects: [...accounts, ...importedGroups, ...profiles, ...importFamilies(config, notes)], notes: notes.all }
}

function nameAccounts(groups: readonly DesktopGroup[]): ReadonlyMap<string, string> {
  const names = new ObjectNames()
  const ids = new Set(groups.flatMap(({ accountIds }) => accountIds ?? []))
  return new Map([...ids].map((id) => [id, names.take(id, 'account')]))
}

function importAccounts(
  groups: readonly DesktopGroup[],
  names: Names['accounts'],
  known: ReadonlySet<string>,
  notes: ImportNotes,
): ImportedObject[] {
  const made = new Set<string>()
  return groups.flatMap(({ accountIds }, groupIndex) =>
    (accountIds ?? []).flatMap((id, index) => {
      const name = names.get(id) ?? id
      if (made.has(name) || known.has(name)) return []
      made.add(name)
      const account = missingAccount(id, name)
      notes.add(
        ['providerGroups', groupIndex, 'accountIds', index],
        `account ${id} is only named here; complete ProviderAccount ${name}: ${account.missing}`,
      )
      return [account.object]
    }),
  )
}

function importGroup(
  { id, name: displayName, accountIds, selectionStrategy, ...rest }: DesktopGroup,
  name: string,
  accounts: Names['accounts'],
  { notes, index }: { readonly notes: ImportNotes; readonly index: number },
): ImportedObject | undefined {
  const path = ['providerGroups', index]
  notes.unknownFields(rest, DESKTOP_FIELDS.group, path)
  const members = [...new Set(accountIds ?? [])]
  if (members.length === 0) {
    notes.add([...path, 'accountIds'], `group ${displayName} has no accounts and was left out`)
    return undefined
  }
  const strategy = STRATEGIES[selectionStrategy ?? 'round-robin']
  if (strategy === undefined) {
    notes.add([...path, 'selectionStrategy'], `${selectionStrategy} is not known; RoundRobin is used`)
  }
  const spec = {
    displayName: displayName.slice(0, 64),
    accountRefs: members.map((member) => ({ name: accounts.get(member) ?? member })),
    selectionStrategy: strategy ?? 'RoundRobin',
  }
  return resourceObject('ProviderGroup', name, spec, { [IMPORTED_ID]: id })
}

function importProfiles(config: DesktopConfig, names: Names, notes: ImportNotes): ImportedObject[] {
  const taken = new ObjectNames()
  const named = new Map<string, string>()
  const shown = new Set<string>()
  const profiles = (config.profiles ?? []).flatMap((original, index) => {
    const name = taken.take(original.name, 'profile')
    const profile = { ...original, name: freeDisplayName(original.name, shown) }
    if (profile.name !== original.name) {
      notes.add(['profiles', index, 'name'], `another profile is called so too; this one is called ${profile.name}`)
    }
    const object = importProfile(profile, name, names.groups, { notes, index })
    if (object !== undefined) named.set(profile.id, name)
    return object ?? []
  })
  const { activeProfileId } = config
  if (activeProfileId === undefined || activeProfileId === null) return profiles
  const active = named.get(activeProfileId)
  if (active === undefined) {
    notes.add(['activeProfileId'], 'names no profile that was imported; the one named default is active')
    return profiles
  }
  return [...profiles, resourceObject('GatewayConfig', 'default', { activeProfileRef: { name: active } })]
}

/** Display names that differ in case only are one name. */
function freeDisplayName(name: string, shown: Set<string>): string {
  let free = name.slice(0, 64)
  for (let count = 2; shown.has(free.toLowerCase()); count += 1) free = `${name.slice(0, 60)} ${count}`
  shown.add(free.toLowerCase())
  return free
}

function importProfile(
  profile: DesktopProfile,
  name: string,
  groups: Names['groups'],
  { notes, index }: { readonly notes: ImportNotes; readonly index: number },
): ImportedObject | undefined {
  const path = ['profiles', index]
  notes.unknownFields(profile, DESKTOP_FIELDS.profile, path)
  const rules = importRules(profile, groups, notes, path)
  const fallback = profile.defaultProviderGroup ?? undefined
  const target = fallback === undefined ? undefined : groups.get(fallback)
  if (fallback !== undefined && target === undefined) {
    notes.add([...path, 'defaultProviderGroup'], `names no group that was imported: ${fallback}`)
  }
  if (rules.length === 0 && target === undefined) {
    notes.add(path, `profile ${profile.name} leads to no group and was left out`)
    return undefined
  }
  const spec = {
    displayName: profile.name.slice(0, 64),
    ...appearance(profile, notes, path),
    ...(rules.length === 0 ? {} : { rules }),
    ...(target === undefined ? {} : { defaultProviderGroup: { name: target } }),
  }
  return resourceObject('RoutingProfile', name, spec, { [IMPORTED_ID]: profile.id })
}

function importRules(
  { routingRules }: DesktopProfile,
  groups: Names['groups'],
  notes: ImportNotes,
  path: readonly PropertyKey[],
): Record<string, unknown>[] {
  return Object.entries(routingRules ?? {}).flatMap(([type, group]) => {
    if (group === undefined || group === null || group === '') return []
    const target = groups.get(group)
    const place = [...path, 'routingRules', type]
    if (!REQUEST_TYPES.includes(type)) notes.add(place, 'is not a request type; the rule was left out')
    else if (target === undefined) notes.add(place, `names no group that was imported: ${group}`)
    else return [{ name: type, match: { requestTypes: [type] }, providerGroups: [{ name: target }] }]
    return []
  })
}

function appearance(
  { color, icon }: DesktopProfile,
  notes: ImportNotes,
  path: readonly PropertyKey[],
): Record<string, string> {
  const validColor = /^#[0-9A-Fa-f]{6}$/.test(color ?? '')
  if (!validColor && (color ?? '') !== '')
    notes.add([...path, 'color'], 'is no colour such as #4f46e5; it was left out')
  return {
    ...(validColor ? { color: color ?? '' } : {}),
    ...((icon ?? '') === '' ? {} : { icon: (icon ?? '').slice(0, 32) }),
  }
}

function importFamilies({ modelFamilies }: DesktopConfig, notes: ImportNotes): ImportedObject[] {
  const families = Object.entries(modelFamilies ?? {}).flatMap(([type, globs]) => {
    const place = ['modelFamilies', type]
    if (!REQUEST_TYPES.includes(type)) {
      notes.add(place, 'is not a request type; its models were left out')
      return []
    }
    const patterns = globs.filter((glob, index) => {
      const valid = MODEL_GLOB.test(glob)
      if (!valid) notes.add([...place, index], `${JSON.stringify(glob)} is no pattern of model names; it was left out`)
      return valid
    })
    const name = kebabName(`desktop-${type}`, type)
    return patterns.length === 0 ? [] : [{ name, requestType: type, patterns: [...new Set(patterns)] }]
  })
  return families.length === 0 ? [] : [resourceObject('ModelCatalog', 'desktop', { families })]
}
