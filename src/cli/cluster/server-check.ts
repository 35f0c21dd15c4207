import { readFile } from 'node:fs/promises'
import { isRefusal } from '#controller/kube/api-error.ts'
import { resourceOfKind, SECRETS } from '#controller/kube/api-resource.ts'
import { listManifests } from '#controller/sources/list-manifests.ts'
import { readSecret } from '#controller/sources/named-secrets.ts'
import { readYaml } from '#controller/sources/read-yaml.ts'
import { objectKey } from '#controller/status/gateway-acks.ts'
import { isRecord } from '#resources/finding.ts'
import { isKind } from '#resources/kinds.ts'
import { nameOfObject } from '#resources/parse-resource.ts'
import {
  type ObjectReference,
  type Problem,
  type ResourceSet,
  referenceOf,
  type SecretObject,
} from '#resources/resource.ts'
import { byPlace, type Configuration, compileManifests, readManifests } from '../load-configuration.ts'
import { clusterSet, keysNamedBy, standInSecrets } from './cluster-set.ts'
import { listObjects } from './list-objects.ts'
import { type Cluster, notAllowed } from './open-cluster.ts'
import { type FieldFault, faultsOf } from './refused-fields.ts'

const FIELD_MANAGER = 'korproxy-validate'
/** Requests under way at once. */
const LANES = 8

export interface ServerCheck {
  readonly configuration: Configuration
  /** `namespace/name` of Secrets that this user may not look at; they count as there. */
  readonly unseenSecrets: readonly string[]
}

/**
 * What would become of the manifests if they were applied: together with the objects that the cluster has, and by the word of the
 * API server itself (server-side apply, dry run), which is asked for each object that is valid so far.
 * @throws KorProxyError KP-CONF-215, KP-AUTH-011, KP-SYS-530, KP-SYS-531
 */
export async function checkOnServer(cluster: Cluster, paths: readonly string[]): Promise<ServerCheck> {
  const { namespace } = cluster
  // Variables of this machine are no credentials over there.
  const manifests = await readManifests(paths, { namespace, environment: {} })
  const { set, unseen } = await presentSet(cluster, manifests.set)
  const offline = compileManifests(
    {
      ...manifests,
      set: { ...manifests.set, externalCredentials: [] },
      unread: { ...manifests.unread, credentials: [] },
    },
    namespace,
    set,
  )
  const valid = new Set(manifests.set.resources.map((resource) => objectKey(referenceOf(resource))))
  const objects = (await readObjects(paths, namespace)).filter(({ ref }) => valid.has(objectKey(ref)))
  const refused: Problem[] = []
  for (let at = 0; at < objects.length; at += LANES) {
    const lanes = objects.slice(at, at + LANES).map((object) => askServer(cluster, object))
    refused.push(...(await Promise.all(lanes)).flat())
  }
  const told = new Set(offline.problems.map(({ ref, code }) => `${objectKey(ref)} ${code}`))
  const more = refused.filter(({ ref, code }) => !told.has(`${objectKey(ref)} ${code}`))
  return {
    configuration: { ...offline, problems: [...offline.problems, ...more].toSorted(byPlace) },
    unseenSecrets: unseen,
  }
}

interface RawObject {
  readonly ref: ObjectReference
  /** As the file says it, before any default. */
  readonly value: Readonly<Record<string, unknown>>
  readonly locate: (path: string) => NonNullable<Problem['position']>
}

async function readObjects(paths: readonly string[], namespace: string): Promise<RawObject[]> {
  const listings = await Promise.all(paths.map((path) => listManifests(path)))
  const read = listings
    .flatMap(({ files }) => files)
    .map(async (file): Promise<RawObject[]> => {
      const { objects } = readYaml(await readFile(file, 'utf8'), file.endsWith('.json') ? 'JSON' : 'YAML')
      return objects.flatMap(({ value, locate }) =>
        isRecord(value)
          ? [{ ref: nameOfObject(value, namespace), value, locate: (path) => ({ file, ...locate(path) }) }]
          : [],
      )
    })
  return (await Promise.all(read)).flat()
}

async function askServer({ client }: Cluster, { ref, value, locate }: RawObject): Promise<Problem[]> {
  const { kind, namespace, name } = ref
  if (!isKind(kind)) return []
  const metadata = { ...(isRecord(value['metadata']) ? value['metadata'] : {}), namespace }
  try {
    await client.rehearseApply(
      { resource: resourceOfKind(kind), namespace, name },
      { ...value, metadata },
      { fieldManager: FIELD_MANAGER },
    )
    return []
  } catch (error) {
    const faults = isRefusal(error) && notAllowed(error) === undefined ? faultsOf(error) : undefined
    if (faults === undefined) throw error
    return faults.map((fault: FieldFault): Problem => ({ ref, ...fault, position: locate(fault.path) }))
  }
}

/** What the cluster has in the namespaces of the manifests, and the Secrets that these name. */
async function presentSet(
  cluster: Cluster,
  manifests: ResourceSet,
): Promise<{ readonly set: ResourceSet; readonly unseen: readonly string[] }> {
  const namespaces = new Set([cluster.namespace, ...manifests.resources.map(({ metadata }) => metadata.namespace)])
  const lists = await Promise.all([...namespaces].map((listed) => listObjects({ client: cluster.client, listed })))
  const present = clusterSet(lists.flat())
  const own = new Set(manifests.secrets.map(idOf))
  const named = Map.groupBy(keysNamedBy(manifests.resources), ({ namespace, secret }) => `${namespace}/${secret}`)
  const secrets = new Map(present.secrets.map((secret) => [idOf(secret), secret]))
  const unseen: string[] = []
  for (const [id, keys] of named) {
    if (own.has(id)) continue
    const found = await lookAtSecret(cluster, id)
    if (found === 'Forbidden') unseen.push(id)
    const known = Object.keys(secrets.get(id)?.data ?? {})
    secrets.delete(id)
    const there = found === 'Forbidden' ? [...known, ...keys.map(({ key }) => key)] : found
    for (const secret of standIns(id, there)) secrets.set(id, secret)
  }
  return { set: { ...present, secrets: [...secrets.values()] }, unseen }
}

/** Names of the keys that have a value. Values are looked at for being there, and go nowhere. */
async function lookAtSecret({ client }: Cluster, id: string): Promise<readonly string[] | 'Forbidden'> {
  const [namespace = '', name = ''] = id.split('/')
  try {
    const { data } = readSecret(await client.get({ resource: SECRETS, namespace, name }))
    return Object.keys(data).filter((key) => (data[key] ?? '').trim() !== '')
  } catch (error) {
    if (isRefusal(error, 404)) return []
    if (isRefusal(error, 403)) return 'Forbidden'
    throw error
  }
}

function standIns(id: string, keys: readonly string[]): readonly SecretObject[] {
  const [namespace = '', secret = ''] = id.split('/')
  return standInSecrets(keys.map((key) => ({ namespace, secret, key })))
}

function idOf({ namespace, name }: SecretObject): string {
  return `${namespace}/${name}`
}
