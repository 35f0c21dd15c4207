import { compile } from '#compile/compile.ts'
import type { ObservedObject } from '#controller/sources/observed-objects.ts'
import type { Resource } from '#resources/resource.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import { renderTable } from '../output.ts'
import { sha256 } from '../sha256.ts'
import { resourcesOf } from './cluster-set.ts'
import { type ObjectProgress, progressOf } from './object-progress.ts'

export interface ListedProfile {
  readonly namespace: string
  readonly name: string
  readonly displayName: string
  readonly active: boolean
  readonly rules: number
  readonly defaultProviderGroup?: string
  /** Only of a cluster: how far it has come. */
  readonly state?: ObjectProgress['state']
  /** Only of a cluster: gateways that run it / gateways known. */
  readonly gateways?: string
  readonly problem?: string
}

/** The profile that requests of a namespace go to by these objects, whether or not the gateways have got so far. */
export function activeProfileOf(objects: readonly ObservedObject[], namespace: string): string {
  return compileProfiles(objects, namespace).core.tenants[namespace]?.activeProfile ?? 'default'
}

function compileProfiles(objects: readonly ObservedObject[], defaultNamespace: string): RoutingTable {
  // What profiles lead to is not asked here, so it need not be there.
  const set = { resources: resourcesOf(objects), secrets: [], externalCredentials: [] }
  return compile(set, { defaultNamespace, sha256 }).table
}

/** @param objects RoutingProfiles and GatewayConfigs */
export function profilesOfCluster(objects: readonly ObservedObject[], namespace: string): ListedProfile[] {
  const table = compileProfiles(objects, namespace)
  const profiles = objects.filter(({ kind }) => kind === 'RoutingProfile')
  return profiles.map((object): ListedProfile => {
    const { namespace: own, name } = object.ref
    const { state, gateways, message } = progressOf(object)
    return {
      namespace: own,
      name,
      ...describe(object.resource, name),
      active: table.core.tenants[own]?.activeProfile === name,
      state,
      ...(gateways !== undefined && { gateways }),
      ...(message !== undefined && { problem: message }),
    }
  })
}

export function profilesOfFolder(resources: readonly Resource[], table: RoutingTable): ListedProfile[] {
  return resources.flatMap((resource): ListedProfile[] => {
    if (resource.kind !== 'RoutingProfile') return []
    const { namespace, name } = resource.metadata
    const active = table.core.tenants[namespace]?.activeProfile === name
    return [{ namespace, name, ...describe(resource, name), active }]
  })
}

function describe(
  resource: Resource | undefined,
  name: string,
): Pick<ListedProfile, 'displayName' | 'rules' | 'defaultProviderGroup'> {
  if (resource?.kind !== 'RoutingProfile') return { displayName: name, rules: 0 }
  const { displayName = name, rules = [], defaultProviderGroup } = resource.spec
  return {
    displayName,
    rules: rules.length,
    ...(defaultProviderGroup !== undefined && { defaultProviderGroup: defaultProviderGroup.name }),
  }
}

export function profileTable(profiles: readonly ListedProfile[]): string {
  const heads = [
    'namespace',
    'profile',
    'display name',
    'active',
    'rules',
    'default group',
    'state',
    'gateways',
    'because',
  ]
  const rows = profiles.map((profile) => [
    profile.namespace,
    profile.name,
    profile.displayName,
    profile.active ? 'yes' : 'no',
    String(profile.rules),
    profile.defaultProviderGroup ?? '-',
    profile.state ?? '-',
    profile.gateways ?? '-',
    profile.problem ?? '-',
  ])
  return renderTable(heads, rows)
}
