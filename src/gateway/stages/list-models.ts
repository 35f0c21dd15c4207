import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ModelEntry } from '#formats/format.ts'
import { anyGlob } from '#routing/glob.ts'
import { listModels, resolveModel } from '#routing/model-access.ts'
import type { Client } from '#table/routing-table.ts'
import type { ServingTenant } from '../serving-table.ts'

/** The models a caller may use, for the lists of every API (R1.8). */
export function modelEntries(tenant: ServingTenant, client: Client | undefined): ModelEntry[] {
  return listModels(tenant.tenant, client).map((id) => modelEntry(tenant, id))
}

/** @throws KorProxyError KP-PROV-103 when no account serves it */
export function findModelEntry(tenant: ServingTenant, client: Client | undefined, id: string): ModelEntry {
  const name = id.replace(/^models\//, '')
  const listed = listModels(tenant.tenant, client).includes(name)
  const served = upstreamName(tenant, name) !== undefined
  const known = tenant.catalogue.find(name) !== undefined
  if (!listed && !(served && known && mayUse(client, name)))
    throw new KorProxyError('KP-PROV-103', { model: name, group: '*' })
  return modelEntry(tenant, name)
}

function mayUse(client: Client | undefined, name: string): boolean {
  const allowed = client?.allowedModels ?? []
  return allowed.length === 0 || anyGlob(allowed)(name)
}

function modelEntry(tenant: ServingTenant, id: string): ModelEntry {
  const facts = tenant.catalogue.find(upstreamName(tenant, id) ?? id)
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

/** What the first account that serves it calls the model. */
function upstreamName({ tenant, accounts }: ServingTenant, id: string): string | undefined {
  const naming = { aliases: tenant.modelAliases, accounts: [...accounts.keys()] }
  for (const { account } of accounts.values()) {
    const name = resolveModel(account, id, naming)
    if (name !== undefined) return name
  }
  return undefined
}
