import { compile } from '#compile/compile.ts'
import { deprecatedModels } from '#compile/deprecated-models.ts'
import { readFolder } from '#controller/sources/folder.ts'
import { objectKey } from '#controller/status/gateway-acks.ts'
import { ERRORS } from '#errors/registry.ts'
import { type Problem, type Resource, type ResourceSet, referenceOf, type Unread } from '#resources/resource.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import { sha256 } from './sha256.ts'

export interface Configuration {
  readonly set: ResourceSet
  readonly table: RoutingTable
  /** Objects and files that could not be read: they are missing in `set`. */
  readonly unread: readonly Problem[]
  /** By file, line and column; those without a place come last. */
  readonly problems: readonly Problem[]
}

export interface LoadOptions {
  /** Of objects that name none, and of requests without a key. */
  readonly namespace: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** What files say, before anybody asks whether it fits together. */
export interface Manifests {
  readonly set: ResourceSet
  /** What could not be read, and what is strange about the rest. */
  readonly problems: readonly Problem[]
  readonly unread: Unread
}

/** Reads and compiles manifests exactly as `serve` does. @throws KorProxyError KP-CONF-215 when a path cannot be read */
export async function loadConfiguration(paths: readonly string[], options: LoadOptions): Promise<Configuration> {
  return compileManifests(await readManifests(paths, options), options.namespace)
}

/** @throws KorProxyError KP-CONF-215 when a path cannot be read */
export async function readManifests(paths: readonly string[], options: LoadOptions): Promise<Manifests> {
  const sets = await Promise.all(paths.map((path) => readFolder(path, options)))
  return {
    set: {
      resources: sets.flatMap(({ resources }) => resources),
      secrets: sets.flatMap(({ secrets }) => secrets),
      externalCredentials: sets.flatMap(({ externalCredentials }) => externalCredentials),
    },
    problems: sets.flatMap(({ problems }) => problems),
    unread: {
      objects: sets.flatMap(({ unread }) => unread.objects),
      credentials: sets.flatMap(({ unread }) => unread.credentials),
    },
  }
}

/** @param base what is there already; its objects give way to those of the files, and what is wrong with them is not told */
export function compileManifests(
  { set, problems: found, unread }: Manifests,
  namespace: string,
  base?: ResourceSet,
): Configuration {
  const own = new Set(set.resources.map((resource) => objectKey(referenceOf(resource))))
  const others = (base?.resources ?? []).filter((resource) => !own.has(objectKey(referenceOf(resource))))
  const notOwn = new Set(others.map((resource) => objectKey(referenceOf(resource))))
  const secrets = new Map([...(base?.secrets ?? []), ...set.secrets].map((it) => [`${it.namespace}/${it.name}`, it]))
  const whole = { ...set, resources: [...others, ...set.resources], secrets: [...secrets.values()] }
  const { table, problems } = compile(whole, { defaultNamespace: namespace, sha256, unread })
  const told = [...problems, ...deprecatedModels(whole, table, Date.now())].filter(
    ({ ref }) => !notOwn.has(objectKey(ref)),
  )
  return {
    set,
    table,
    unread: found.filter((problem) => severityOf(problem) === 'error'),
    problems: [...found, ...repeated(set.resources), ...told].toSorted(byPlace),
  }
}

export function severityOf({ code }: Problem): 'warning' | 'error' {
  return ERRORS[code].severity === 'warning' ? 'warning' : 'error'
}

/** A folder finds its own duplicates; these are between the paths of one command line. */
function repeated(resources: readonly Resource[]): Problem[] {
  const seen = new Map<string, Resource>()
  return resources.flatMap((resource): Problem[] => {
    const ref = referenceOf(resource)
    const key = objectKey(ref)
    const other = seen.get(key)
    if (other === undefined) {
      seen.set(key, resource)
      return []
    }
    const position = resource.source?.locate('metadata.name')
    const message = `${ref.kind} ${ref.name} is already defined in ${other.source?.file ?? 'another path'}`
    return [{ ref, path: 'metadata.name', message, code: 'KP-CONF-205', ...(position && { position }) }]
  })
}

export function byPlace({ position: left }: Problem, { position: right }: Problem): number {
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined)
  if (left.file !== right.file) return left.file < right.file ? -1 : 1
  return left.line - right.line || left.column - right.column
}
