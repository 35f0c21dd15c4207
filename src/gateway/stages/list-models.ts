import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ModelEntry } from '#formats/format.ts'
import { anyGlob } from '#routing/glob.ts'
import { listModels } from '#routing/model-access.ts'
import type { ModelReach } from '#routing/route.ts'
import type { Client } from '#table/routing-table.ts'
import type { Exchange } from '../exchange.ts'
import { readHeader } from '../read-header.ts'
import type { ServingTenant } from '../serving-table.ts'

type Caller = Pick<Exchange, 'tenant' | 'client' | 'request'>

/** The models a caller may use, for the lists of every API (R1.8). @throws KorProxyError KP-AUTH-007, KP-CONF-219 */
export function modelEntries(caller: Caller): ModelEntry[] {
  const { tenant, client } = caller
  const reach = reachOf(caller)
  return listModels(tenant.tenant, client).flatMap((id) => {
    const upstream = upstreamName(tenant, reach, id)
    return upstream === undefined ? [] : [modelEntry(tenant, id, upstream)]
  })
}

/** @throws KorProxyError KP-PROV-103 when no account that the caller reaches serves it; KP-AUTH-007, KP-CONF-219 */
export function findModelEntry(caller: Caller, id: string): ModelEntry {
  const { tenant, client } = caller
  const name = id.replace(/^models\//, '')
  const upstream = mayUse(client, name) ? upstreamName(tenant, reachOf(caller), name) : undefined
  const known = tenant.catalogue.find(name) !== undefined || listModels(tenant.tenant, client).includes(name)
  if (upstream === undefined || !known) throw new KorProxyError('KP-PROV-103', { model: name, group: '*' })
  return modelEntry(tenant, name, upstream)
}

function mayUse(client: Client | undefined, name: string): boolean {
  const allowed = client?.allowedModels ?? []
  return allowed.length === 0 || anyGlob(allowed)(name)
}

function reachOf({ tenant, client, request }: Caller): ModelReach {
  return tenant.router.reach({ client, profileHeader: readHeader(request.headers, 'x-korproxy-profile') })
}

function modelEntry({ catalogue }: ServingTenant, id: string, upstream: string): ModelEntry {
  const facts = catalogue.find(upstream)
  return {
    id,
    displayName: facts?.displayName ?? id,
    ownedBy: facts?.vendor ?? 'korproxy',
    createdAt: 0,
    contextWindow: facts?.contextWindow,
    maxOutputTokens: facts?.maxOutputTokens,
    capabilities: facts?.capabilities ?? {},
    requestTypes: facts?.requestTypes ?? ['chat'],
  }
}

/**
 * What the first account that may get a request for the model calls it; the client's own name where every route puts another model in its
 * place. Undefined = nobody would serve it.
 */
function upstreamName({ groups, catalogue }: ServingTenant, reach: ModelReach, id: string): string | undefined {
  let replaced: string | undefined
  for (const { group, modelOverride } of reach(id, catalogue.find(id)?.requestTypes)) {
    const upstream = groups.get(group)?.selector.upstreamModel(modelOverride ?? id)
    if (upstream === undefined) continue
    if (modelOverride === undefined) return upstream
    replaced = id
  }
  return replaced
}
