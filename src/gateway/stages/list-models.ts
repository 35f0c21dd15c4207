import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ModelEntry } from '#formats/format.ts'
import { listModels, resolveModel } from '#routing/model-access.ts'
import type { Client } from '#table/routing-table.ts'
import type { ServingTenant } from '../serving-table.ts'
import { findModelFacts } from './encode.ts'

/** The models a caller may use, for the lists of every API (R1.8). */
export function modelEntries(tenant: ServingTenant, client: Client | undefined): ModelEntry[] {
  return listModels(tenant.tenant, client).map((id) => modelEntry(tenant, id))
}

/** @throws KorProxyError KP-PROV-103 when no account serves it */
export function findModelEntry(tenant: ServingTenant, client: Client | undefined, id: string): ModelEntry {
  const name = id.replace(/^models\//, '')
  const listed = listModels(tenant.tenant, client).includes(name)
  const served = [...tenant.accounts.values()].some(({ account }) => resolveModel(account, name) !== undefined)
  const known = findModelFacts(tenant.tenant, name) !== undefined
  if (!listed && !(served && known)) throw new KorProxyError('KP-PROV-103', { model: name, group: '*' })
  return modelEntry(tenant, name)
}

function modelEntry(tenant: ServingTenant, id: string): ModelEntry {
  const facts = findModelFacts(tenant.tenant, tenant.tenant.modelAliases[id] ?? upstreamName(tenant, id))
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

function upstreamName(tenant: ServingTenant, id: string): string {
  for (const { account } of tenant.accounts.values()) {
    const name = resolveModel(account, id)
    if (name !== undefined) return name
  }
  return id
}
