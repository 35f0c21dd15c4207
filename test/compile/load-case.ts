import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BUILTIN_FAMILIES } from '#compile/catalog/builtin-families.ts'
import { BUILTIN_MODELS } from '#compile/catalog/builtin-models.ts'
import { compile } from '#compile/compile.ts'
import type { Problem, ResourceSet } from '#resources/resource.ts'
import { IMPLIED_GROUP, type RoutingTable, type Tenant } from '#table/routing-table.ts'
import { readFolder } from '../../src/controller/sources/folder.ts'
import { formatProblem } from '../../src/controller/sources/format-problem.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const ENVIRONMENT = { OPENAI_API_KEY: 'sk-from-environment' }

/** The objects of a manifest, as a standalone gateway reads them. All of them must be valid by themselves. */
export async function readManifests(text: string): Promise<ResourceSet> {
  const folder = mkdtempSync(join(tmpdir(), 'korproxy-test-'))
  try {
    const file = join(folder, 'in.yaml')
    writeFileSync(file, text)
    const set = await readFolder(file, { namespace: 'default', environment: ENVIRONMENT })
    // What the source of credentials finds missing is a matter of `compile` too.
    const unread = set.problems.filter(({ code }) => code !== 'KP-CONF-206')
    if (unread.length > 0) throw new Error(unread.map(formatProblem).join('\n'))
    return set
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function compileSet(set: ResourceSet): { readonly table: RoutingTable; readonly problems: readonly Problem[] } {
  return compile(set, { defaultNamespace: 'default', sha256 })
}

/** One problem a line; the folder is not part of it. */
export function toldProblems(problems: readonly Problem[]): string {
  return problems.map((problem) => `${formatProblem(problem).replace(/^\S*\/(?=in\.yaml:)/, '')}\n`).join('')
}

/** Members of a group, an account or a tenant that are what every case has: `cases/defaults.json`. */
export interface Defaults {
  readonly group: Readonly<Record<string, unknown>>
  readonly account: Readonly<Record<string, unknown>>
  readonly tenant: Readonly<Record<string, unknown>>
  readonly defaultProfile: unknown
}

/** The table without its version, the built-in catalogue and the defaults, so that a case shows what is its own. */
export function ownPart(table: RoutingTable, defaults: Defaults): unknown {
  const { format, core, clients, credentials } = table
  const tenants = Object.entries(core.tenants).map(([name, tenant]) => [name, ownTenant(tenant, defaults)])
  return { format, core: { ...core, tenants: Object.fromEntries(tenants) }, clients, credentials }
}

function ownTenant(tenant: Tenant, defaults: Defaults): unknown {
  const { groups, accounts, families, models, profiles, ...rest } = tenant
  const { [IMPLIED_GROUP]: implied, ...others } = groups
  return {
    ...without(rest, defaults.tenant),
    profiles: without(profiles, { default: defaults.defaultProfile }),
    groups: each({ [IMPLIED_GROUP]: implied, ...others }, defaults.group),
    accounts: each(accounts, defaults.account),
    families: families.slice(0, families.length - BUILTIN_FAMILIES.length),
    models: Object.fromEntries(Object.entries(models).filter(([name, facts]) => facts !== BUILTIN_MODELS[name])),
  }
}

function each(values: Readonly<Record<string, object | undefined>>, usual: Readonly<Record<string, unknown>>): unknown {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, without(value ?? {}, usual)]))
}

function without(value: object, usual: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).filter(([key, member]) => JSON.stringify(member) !== JSON.stringify(usual[key])),
  )
}
