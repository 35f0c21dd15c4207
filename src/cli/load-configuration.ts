import { compile } from '#compile/compile.ts'
import { deprecatedModels } from '#compile/deprecated-models.ts'
import { readFolder } from '#controller/sources/folder.ts'
import { ERRORS } from '#errors/registry.ts'
import { type Problem, type Resource, type ResourceSet, referenceOf } from '#resources/resource.ts'
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

/** Reads and compiles manifests exactly as `serve` does. @throws KorProxyError KP-CONF-215 when a path cannot be read */
export async function loadConfiguration(paths: readonly string[], options: LoadOptions): Promise<Configuration> {
  const sets = await Promise.all(paths.map((path) => readFolder(path, options)))
  const set: ResourceSet = {
    resources: sets.flatMap(({ resources }) => resources),
    secrets: sets.flatMap(({ secrets }) => secrets),
    externalCredentials: sets.flatMap(({ externalCredentials }) => externalCredentials),
  }
  const { table, problems } = compile(set, { defaultNamespace: options.namespace, sha256 })
  const found = sets.flatMap((each) => each.problems)
  const unread = found.filter((problem) => severityOf(problem) === 'error')
  const all = [...found, ...repeated(set.resources), ...problems, ...deprecatedModels(set, table, Date.now())]
  return { set, table, unread, problems: all.toSorted(byPlace) }
}

export function severityOf({ code }: Problem): 'warning' | 'error' {
  return ERRORS[code].severity === 'warning' ? 'warning' : 'error'
}

/** A folder finds its own duplicates; these are between the paths of one command line. */
function repeated(resources: readonly Resource[]): Problem[] {
  const seen = new Map<string, Resource>()
  return resources.flatMap((resource): Problem[] => {
    const ref = referenceOf(resource)
    const key = `${ref.kind}/${ref.namespace}/${ref.name}`
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

function byPlace({ position: left }: Problem, { position: right }: Problem): number {
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined)
  if (left.file !== right.file) return left.file < right.file ? -1 : 1
  return left.line - right.line || left.column - right.column
}
