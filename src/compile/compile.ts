import { KINDS } from '#resources/kinds.ts'
import { parseByteQuantity } from '#resources/quantity.ts'
import type { Problem, ResourceObject, ResourceSet, Unread } from '#resources/resource.ts'
import {
  type Account,
  type Credential,
  type Group,
  IMPLIED_GROUP,
  type Profile,
  type RoutingTable,
  TABLE_FORMAT,
  type Tenant,
} from '#table/routing-table.ts'
import { type Sha256, tableVersion } from '#table/table-version.ts'
import { compileAccount } from './compile-account.ts'
import { compileCatalogs } from './compile-catalog.ts'
import { ClientsBuilder } from './compile-clients.ts'
import { compileCredential } from './compile-credential.ts'
import { compileGroup, impliedGroup } from './compile-group.ts'
import { compileProfile, DEFAULT_PROFILE } from './compile-profile.ts'
import { NamespaceObjects, namespacesOf } from './namespace-objects.ts'
import { ProblemList } from './problem-list.ts'
import { warnOfRules } from './warn-of-rules.ts'

export interface CompileOptions {
  /** Namespace that serves requests without a client key. */
  readonly defaultNamespace: string
  readonly sha256: Sha256
  /** Nothing without it. */
  readonly unread?: Unread
}

export interface CompileResult {
  readonly table: RoutingTable
  readonly problems: readonly Problem[]
}

/**
 * Turns resources into the routing table. Pure: the same objects always give the same table. It goes object by object: what is
 * wrong with one is reported and left out, the rest goes on.
 */
export function compile(set: ResourceSet, options: CompileOptions): CompileResult {
  const { unread = { objects: [], credentials: [] } } = options
  const problems = new ProblemList()
  const clients = new ClientsBuilder(options.sha256, problems)
  const tenants: Record<string, Tenant> = {}
  const credentials: Record<string, Credential> = {}
  const namespaces = new Set([options.defaultNamespace, ...namespacesOf(set)])
  for (const namespace of [...namespaces].toSorted()) {
    const objects = new NamespaceObjects(namespace, set, unread)
    const compiled = compileTenant(objects, problems)
    tenants[namespace] = compiled.tenant
    for (const [account, credential] of compiled.credentials) credentials[`${namespace}/${account}`] = credential
    for (const client of objects.ofKind('GatewayClient')) clients.add(client, objects)
  }
  if (!hasAccount(set, unread)) problems.addNoAccount(options.defaultNamespace)
  const content = {
    format: TABLE_FORMAT,
    core: { defaultTenant: options.defaultNamespace, tenants },
    clients: clients.build(),
    credentials,
  } as const
  return { table: { ...content, version: tableVersion(content, options.sha256) }, problems: problems.all }
}

/** What could not be read counts too, unless it is surely something else. */
function hasAccount({ resources }: ResourceSet, { objects }: Unread): boolean {
  const others = [...Object.keys(KINDS), 'Secret'].filter((kind) => kind !== 'ProviderAccount')
  return resources.some(({ kind }) => kind === 'ProviderAccount') || objects.some(({ kind }) => !others.includes(kind))
}

interface CompiledTenant {
  readonly tenant: Tenant
  readonly credentials: ReadonlyMap<string, Credential>
}

function compileTenant(objects: NamespaceObjects, problems: ProblemList): CompiledTenant {
  const config = activeConfig(objects, problems)
  const spec = config?.spec ?? KINDS.GatewayConfig.spec.parse({})
  const accounts: Record<string, Account> = {}
  const credentials = new Map<string, Credential>()
  for (const account of objects.ofKind('ProviderAccount')) {
    const credential = compileCredential(account, objects, problems)
    if (credential === undefined) continue
    accounts[account.metadata.name] = compileAccount(account)
    credentials.set(account.metadata.name, credential)
  }
  const groups = compileGroups(objects, new Set(credentials.keys()), problems)
  const profiles = compileProfiles(objects, problems)
  const catalog = compileCatalogs(referencedCatalogs(objects, config, problems))
  warnOfRules(objects, { profiles, families: catalog.families }, problems)
  const tenant: Tenant = {
    name: objects.name,
    activeProfile: activeProfile(objects, config, profiles, problems),
    clientAuth: spec.clientAuth.mode,
    safeMode: safeMode(objects, config, groups, problems),
    profiles,
    groups,
    accounts,
    families: catalog.families,
    models: catalog.models,
    modelAliases: catalog.aliases,
    requestLimits: {
      maxBodyBytes: parseByteQuantity(spec.requestLimits.maxBodySize),
      maxDepth: spec.requestLimits.maxDepth,
    },
    requestHeaders: spec.headers.requestAllow ?? [],
    featureFlags: spec.featureFlags ?? {},
  }
  return { tenant, credentials }
}

function compileGroups(
  objects: NamespaceObjects,
  usable: ReadonlySet<string>,
  problems: ProblemList,
): Record<string, Group> {
  const groups: Record<string, Group> = { [IMPLIED_GROUP]: impliedGroup(usable) }
  for (const group of objects.ofKind('ProviderGroup')) {
    groups[group.metadata.name] = compileGroup(group, objects, usable, problems)
  }
  return groups
}

function compileProfiles(objects: NamespaceObjects, problems: ProblemList): Record<string, Profile> {
  const profiles: Record<string, Profile> = { default: DEFAULT_PROFILE }
  const namedBy = new Map<string, string>()
  for (const profile of objects.ofKind('RoutingProfile')) {
    const compiled = compileProfile(profile, objects, problems)
    const other = namedBy.get(compiled.displayName.toLowerCase())
    if (other !== undefined) {
      problems.add(profile, 'spec.displayName', 'KP-CONF-208', `RoutingProfile ${other} has the same display name`)
    }
    namedBy.set(compiled.displayName.toLowerCase(), compiled.name)
    profiles[compiled.name] = compiled
  }
  return profiles
}

/** The one named `default` counts, or the only one. */
function activeConfig(objects: NamespaceObjects, problems: ProblemList): ResourceObject<'GatewayConfig'> | undefined {
  const configs = objects.ofKind('GatewayConfig')
  const active = objects.find('GatewayConfig', 'default') ?? (configs.length === 1 ? configs[0] : undefined)
  for (const config of configs) {
    for (const [at, { name }] of (config.spec.defaultUsagePolicyRefs ?? []).entries()) {
      if (objects.find('UsagePolicy', name) !== undefined) continue
      const path = `spec.defaultUsagePolicyRefs[${at}].name`
      problems.add(config, path, 'KP-CONF-207', objects.absenceOf('UsagePolicy', name))
    }
    if (config === active) continue
    const counts = 'it has no effect: of several GatewayConfigs only the one named default counts'
    problems.add(config, 'metadata.name', 'KP-CONF-224', counts)
  }
  return active
}

/** As GatewayConfig says; else the one named `default`, else the only one. */
function activeProfile(
  objects: NamespaceObjects,
  config: ResourceObject<'GatewayConfig'> | undefined,
  profiles: Readonly<Record<string, Profile>>,
  problems: ProblemList,
): string {
  const named = config?.spec.activeProfileRef?.name
  if (config !== undefined && named !== undefined) {
    if (Object.hasOwn(profiles, named)) return named
    problems.add(
      config,
      'spec.activeProfileRef.name',
      'KP-CONF-207',
      `${objects.absenceOf('RoutingProfile', named)}; default is active`,
    )
    return 'default'
  }
  const own = objects.ofKind('RoutingProfile')
  if (own.some(({ metadata }) => metadata.name === 'default')) return 'default'
  return own.length === 1 ? (own[0]?.metadata.name ?? 'default') : 'default'
}

function safeMode(
  objects: NamespaceObjects,
  config: ResourceObject<'GatewayConfig'> | undefined,
  groups: Readonly<Record<string, Group>>,
  problems: ProblemList,
): Tenant['safeMode'] {
  if (config?.spec.safeMode.providerGroupRef === undefined) return null
  const { state, providerGroupRef, model } = config.spec.safeMode
  if (!Object.hasOwn(groups, providerGroupRef.name)) {
    const path = 'spec.safeMode.providerGroupRef.name'
    problems.add(config, path, 'KP-CONF-207', objects.absenceOf('ProviderGroup', providerGroupRef.name))
    return null
  }
  return { state, group: providerGroupRef.name, ...(model === undefined ? {} : { model }) }
}

/** Those that GatewayConfig names, in its order; without any all of the namespace, by name. */
function referencedCatalogs(
  objects: NamespaceObjects,
  config: ResourceObject<'GatewayConfig'> | undefined,
  problems: ProblemList,
): ResourceObject<'ModelCatalog'>[] {
  const references = config?.spec.modelCatalogRefs
  if (config === undefined || references === undefined) return objects.ofKind('ModelCatalog')
  return references.flatMap(({ name }, at) => {
    const catalog = objects.find('ModelCatalog', name)
    if (catalog !== undefined) return [catalog]
    problems.add(config, `spec.modelCatalogRefs[${at}].name`, 'KP-CONF-207', objects.absenceOf('ModelCatalog', name))
    return []
  })
}
