import { compile } from '#compile/compile.ts'
import type { ObservedObject } from '#controller/sources/observed-objects.ts'
import { readConditions } from '#controller/status/conditions.ts'
import type { Resource, ResourceSet, SecretObject } from '#resources/resource.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import { sha256 } from '../sha256.ts'
import { listObjects } from './list-objects.ts'
import type { Cluster } from './open-cluster.ts'

/** A value of a Secret that an object names. */
export interface NamedKey {
  readonly namespace: string
  readonly secret: string
  readonly key: string
}

/**
 * The objects of a cluster as the compiler wants them, without reading a Secret: what stands in for one is of no use but to tell
 * that it is there. Where a status says that a Secret is missing, nothing stands in for it.
 */
export function clusterSet(objects: readonly ObservedObject[]): ResourceSet {
  const served = objects.filter(({ status }) => !lacksSecret(status))
  return {
    resources: resourcesOf(objects),
    secrets: standInSecrets(keysNamedBy(resourcesOf(served))),
    externalCredentials: [],
  }
}

/** The table that these objects make, and how many of them are not valid. */
export async function routingOfCluster(cluster: Cluster): Promise<{
  readonly table: RoutingTable
  readonly objects: readonly ObservedObject[]
  readonly invalid: number
}> {
  const objects = await listObjects(cluster)
  const { table } = compile(clusterSet(objects), { defaultNamespace: cluster.namespace, sha256 })
  return { table, objects, invalid: objects.filter(({ problems }) => problems.length > 0).length }
}

export function resourcesOf(objects: readonly ObservedObject[]): Resource[] {
  return objects.flatMap(({ resource }) => (resource === undefined ? [] : [resource]))
}

function lacksSecret(status: unknown): boolean {
  return readConditions(status).some(({ type, reason }) => type === 'ResolvedRefs' && reason === 'SecretNotFound')
}

/** Each value is a text of its own, so that no two keys look the same. */
export function standInSecrets(keys: readonly NamedKey[]): SecretObject[] {
  const groups = Map.groupBy(keys, ({ namespace, secret }) => `${namespace}/${secret}`)
  return [...groups].flatMap(([id, group]): SecretObject[] => {
    const [first] = group
    if (first === undefined) return []
    const data = Object.fromEntries(group.map(({ key }) => [key, `${id}/${key}`]))
    return [{ namespace: first.namespace, name: first.secret, labels: {}, uid: id, resourceVersion: '0', data }]
  })
}

/** Every value of a Secret that the objects name. */
export function keysNamedBy(resources: readonly Resource[]): NamedKey[] {
  return resources.flatMap((resource) =>
    referencesIn(resource).flatMap((reference) =>
      reference === undefined
        ? []
        : [{ namespace: resource.metadata.namespace, secret: reference.name, key: reference.key }],
    ),
  )
}

type Reference = { readonly name: string; readonly key: string } | undefined

function referencesIn(resource: Resource): readonly Reference[] {
  if (resource.kind === 'GatewayClient') return resource.spec.credentials.map(({ secretKeyRef }) => secretKeyRef)
  if (resource.kind !== 'ProviderAccount') return []
  const { auth, tls } = resource.spec
  return [auth?.secretKeyRef, auth?.oauth2?.clientSecretRef, auth?.oauth2?.refreshTokenRef, tls?.caSecretKeyRef]
}
