import type { Resource } from '#resources/resource.ts'
import { referenceOf } from '#resources/resource.ts'
import { canonicalJson } from '#table/canonical-json.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import type { Sha256 } from '#table/table-version.ts'
import { objectKey } from './gateway-acks.ts'

/**
 * What a table makes of each object, as a hash: two tables with the same hash do the same with it. Objects that the table leaves
 * out have none. Secrets count by their version, never by their value.
 */
export function objectHashes(
  table: RoutingTable,
  resources: readonly Resource[],
  sha256: Sha256,
): ReadonlyMap<string, string> {
  const digests = digestsByClient(table)
  return new Map(
    resources.flatMap((resource): [string, string][] => {
      const part = partOf(resource, table, digests)
      return part === undefined ? [] : [[objectKey(referenceOf(resource)), sha256(canonicalJson(part))]]
    }),
  )
}

function partOf(resource: Resource, table: RoutingTable, digests: ReadonlyMap<string, string[]>): unknown {
  const { namespace, name } = resource.metadata
  const tenant = table.core.tenants[namespace]
  switch (resource.kind) {
    case 'ProviderAccount': {
      const account = tenant?.accounts[name]
      return account && { account, credential: table.credentials[`${namespace}/${name}`]?.version ?? '' }
    }
    case 'ProviderGroup':
      return tenant?.groups[name]
    case 'RoutingProfile':
      return tenant?.profiles[name]
    case 'GatewayClient': {
      const client = table.clients.clients[`${namespace}/${name}`]
      return client && { client, digests: digests.get(`${namespace}/${name}`) ?? [] }
    }
    case 'GatewayConfig': {
      if (tenant === undefined) return undefined
      const { profiles: _profiles, groups: _groups, accounts: _accounts, families: _, models: __, ...switches } = tenant
      return { switches, spec: resource.spec }
    }
    case 'ModelCatalog':
    case 'UsagePolicy':
      return resource.spec
  }
}

/** Digest, name and expiry of each key, by client. */
function digestsByClient(table: RoutingTable): ReadonlyMap<string, string[]> {
  const byClient = new Map<string, string[]>()
  for (const [digest, { client, name, expiresAtMs }] of Object.entries(table.clients.digests)) {
    const known = byClient.get(client) ?? []
    byClient.set(client, [...known, `${digest} ${name} ${expiresAtMs ?? ''}`].toSorted())
  }
  return byClient
}
