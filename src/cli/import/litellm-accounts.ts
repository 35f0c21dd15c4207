import { type ImportedObject, type ImportNotes, resourceObject, secretObject } from './import-result.ts'
import type { Deployment } from './litellm-deployments.ts'
import { ObjectNames } from './object-names.ts'

/** The environment of the gateway, which a cluster has none of, or a Secret that somebody makes. */
export type KeyPlace = 'environment' | 'secret'

/** Deployments that one ProviderAccount serves. */
export interface PlannedAccount {
  readonly name: string
  readonly deployments: readonly Deployment[]
  /** Names that clients use → names of the provider. */
  readonly names: ReadonlyMap<string, string>
}

interface Draft extends PlannedAccount {
  readonly deployments: Deployment[]
  readonly names: Map<string, string>
  readonly identity: string
}

const MODEL_GLOB = /^[A-Za-z0-9._:/@*+-]{1,128}$/

/**
 * One account for each credential at each address. A deployment with limits of its own, or whose name the account has already, gets an
 * account of its own: limits, weights and names belong to accounts here.
 */
export function planAccounts(deployments: readonly Deployment[]): readonly PlannedAccount[] {
  const names = new ObjectNames()
  const drafts: Draft[] = []
  for (const deployment of deployments) {
    const identity = identityOf(deployment)
    const known = hasLimits(deployment)
      ? undefined
      : drafts.find((draft) => draft.identity === identity && !draft.names.has(deployment.publicName))
    if (known === undefined) {
      drafts.push({
        name: names.take(nameOf(deployment), 'account'),
        identity: hasLimits(deployment) ? '' : identity,
        deployments: [deployment],
        names: new Map([[deployment.publicName, deployment.upstream]]),
      })
    } else {
      known.deployments.push(deployment)
      known.names.set(deployment.publicName, deployment.upstream)
    }
  }
  return drafts
}

function identityOf({ found, baseURL, apiVersion, organization, key }: Deployment): string {
  const { provider, preset } = found.provider
  return JSON.stringify([provider, preset, baseURL, apiVersion, organization, key])
}

/** A server of one's own is known by its host. */
function nameOf({ found, baseURL }: Deployment): string {
  const { provider, preset } = found.provider
  if (preset !== undefined) return preset
  return provider === 'OpenAICompatible' && baseURL !== undefined ? new URL(baseURL).hostname : found.prefix
}

function hasLimits({ requestsPerMinute, tokensPerMinute, maxInFlight }: Deployment): boolean {
  return requestsPerMinute !== undefined || tokensPerMinute !== undefined || maxInFlight !== undefined
}

/** @param aliases other names of public names: `gpt-4` → `gpt-4o` */
export function accountObjects(
  planned: PlannedAccount,
  aliases: ReadonlyMap<string, string>,
  keys: KeyPlace,
  notes: ImportNotes,
): ImportedObject[] {
  const [first] = planned.deployments
  if (first === undefined) return []
  const { found, baseURL, apiVersion, organization, key } = first
  const { provider, preset, auth } = found.provider
  const isMissing = key === undefined && auth !== 'Optional'
  if (isMissing) {
    notes.add(
      ['model_list', first.index, 'litellm_params'],
      `no api_key is given; create Secret ${planned.name} with the key apiKey`,
    )
  }
  if (key?.from === 'environment' && keys === 'secret') {
    const command = `kubectl create secret generic ${planned.name} --from-literal=apiKey="$${key.variable}"`
    notes.add(['model_list', first.index, 'litellm_params'], `create its Secret: ${command}`)
  }
  const credential =
    key?.from === 'environment' && keys === 'environment'
      ? { valueFrom: { env: key.variable } }
      : { secretKeyRef: { name: planned.name } }
  const spec = {
    provider,
    ...(preset === undefined ? {} : { preset }),
    ...(baseURL === undefined ? {} : { baseURL }),
    ...(key === undefined && auth === 'Optional' ? {} : { auth: credential }),
    ...(organization === undefined ? {} : { organization }),
    ...(apiVersion === undefined ? {} : { azure: { apiVersion } }),
    ...modelsOf(planned, aliases, notes),
    ...limitsOf(first),
  }
  const account = resourceObject('ProviderAccount', planned.name, spec)
  return key?.from === 'file' ? [secretObject(planned.name, { apiKey: key.text }), account] : [account]
}

function limitsOf({ requestsPerMinute, tokensPerMinute, maxInFlight }: Deployment): Record<string, unknown> {
  const limits = { requestsPerMinute, tokensPerMinute, maxInFlight }
  const given = Object.entries(limits).filter(([, value]) => value !== undefined)
  return given.length === 0 ? {} : { limits: Object.fromEntries(given) }
}

/** LiteLLM serves the listed names and no others, so `allow` is never empty unless a wildcard opens the whole provider. */
function modelsOf(
  { deployments, names }: PlannedAccount,
  aliases: ReadonlyMap<string, string>,
  notes: ImportNotes,
): Record<string, unknown> {
  const allow = new Set(deployments.flatMap((deployment) => allowedName(deployment, notes) ?? []))
  const renamed = [...names].filter(([name, upstream]) => name !== upstream && !isWildcard(name, upstream))
  const aliased = [...aliases].flatMap(([alias, target]): [string, string][] => {
    const upstream = names.get(target)
    return upstream === undefined || isWildcard(target, upstream) ? [] : [[alias, upstream]]
  })
  const all = new Map([...renamed, ...aliased])
  const models = {
    ...(allow.has('*') || allow.size === 0 ? {} : { allow: [...allow] }),
    ...(all.size === 0 ? {} : { aliases: [...all].map(([name, upstream]) => ({ name, upstream })) }),
  }
  return Object.keys(models).length === 0 ? {} : { models }
}

function isWildcard(publicName: string, upstream: string): boolean {
  return publicName.includes('*') || upstream.includes('*')
}

/** What `allow` says of a deployment; undefined for a wildcard that renames, which an account cannot do. */
function allowedName({ publicName, upstream, found, index }: Deployment, notes: ImportNotes): string | undefined {
  if (!isWildcard(publicName, upstream)) return MODEL_GLOB.test(publicName) ? publicName : upstream
  const bare = publicName.startsWith(`${found.prefix}/`) ? publicName.slice(found.prefix.length + 1) : publicName
  if (bare === upstream) return upstream
  const place = ['model_list', index, 'model_name']
  notes.add(place, `${publicName} renames a wildcard, which has no counterpart; it was left out`)
  return undefined
}
