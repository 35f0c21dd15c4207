import { isRefusal } from '#controller/kube/api-error.ts'
import { SECRETS } from '#controller/kube/api-resource.ts'
import { readSecret, secretsNamedBy } from '#controller/sources/named-secrets.ts'
import type { Problem, Resource, ResourceSet, SecretObject } from '#resources/resource.ts'
import { resourcesOf } from './cluster-set.ts'
import { listObjects } from './list-objects.ts'
import type { Cluster } from './open-cluster.ts'

/** Written by kubectl for itself; it repeats the whole object as it once was. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** What people said, of all that the cluster has; Secrets that the objects name only when they are asked for. */
export async function exportedSet(
  cluster: Cluster,
  secrets: 'Read' | 'LeaveOut',
): Promise<{ readonly set: ResourceSet; readonly unread: readonly Problem[]; readonly namespace: string }> {
  const objects = await listObjects(cluster)
  const resources = resourcesOf(objects).map(withoutMarks)
  const named = secrets === 'Read' ? await readSecrets(cluster, resources) : []
  return {
    set: { resources, secrets: named, externalCredentials: [] },
    unread: objects.flatMap(({ problems }) => problems),
    // With all namespaces every object names its own.
    namespace: cluster.listed ?? '',
  }
}

function withoutMarks(resource: Resource): Resource {
  const { [LAST_APPLIED]: _, ...annotations } = resource.metadata.annotations
  return { ...resource, metadata: { ...resource.metadata, annotations } }
}

async function readSecrets({ client }: Cluster, resources: readonly Resource[]): Promise<SecretObject[]> {
  const found: SecretObject[] = []
  for (const id of secretsNamedBy(resources)) {
    const [namespace = '', name = ''] = id.split('/')
    try {
      found.push(readSecret(await client.get({ resource: SECRETS, namespace, name })))
    } catch (error) {
      // One that is named but missing is no part of what there is.
      if (!isRefusal(error, 404)) throw error
    }
  }
  return found
}
