import { resourceOfKind } from '#controller/kube/api-resource.ts'
import { type ObservedObject, ObservedObjects } from '#controller/sources/observed-objects.ts'
import { KINDS, type Kind } from '#resources/kinds.ts'
import type { Cluster } from './open-cluster.ts'

// The keys of KINDS are its kinds.
const ALL_KINDS = Object.keys(KINDS) as readonly Kind[]

/** The objects of these kinds, of all if none are named, with their status; by kind, namespace and name. */
export async function listObjects(
  { client, listed }: Pick<Cluster, 'client' | 'listed'>,
  kinds: readonly Kind[] = ALL_KINDS,
): Promise<readonly ObservedObject[]> {
  const observed = new ObservedObjects()
  const lists = await Promise.all(
    kinds.map((kind) =>
      client.list({ resource: resourceOfKind(kind), ...(listed !== undefined && { namespace: listed }) }),
    ),
  )
  for (const [at, kind] of kinds.entries()) {
    observed.apply(
      kind,
      (lists[at]?.items ?? []).map((after) => ({ after })),
    )
  }
  return observed.all()
}
