import { RetryBudget } from '#routing/retry-budget.ts'
import { buildRouter, type Router } from '#routing/route.ts'
import { GroupSelector } from '#routing/select-account.ts'
import {
  type Client,
  type ClientCredential,
  type Credential,
  type Group,
  type HealthPolicy,
  IMPLIED_GROUP,
  type RoutingTable,
  type Tenant,
} from '#table/routing-table.ts'
import type { AccountRegistry } from './account-registry.ts'
import { ModelCatalogue } from './model-catalogue.ts'
import type { ServingAccount } from './serving-account.ts'

/** A routing table with its indexes, swapped as one reference. Requests under way keep the one they began with. */
export interface ServingTable {
  readonly version: string
  readonly defaultTenant: ServingTenant
  readonly tenants: ReadonlyMap<string, ServingTenant>
  readonly digests: ReadonlyMap<string, ClientCredential>
  readonly clients: ReadonlyMap<string, Client>
}

export interface ServingTenant {
  readonly tenant: Tenant
  readonly router: Router
  readonly catalogue: ModelCatalogue
  readonly groups: ReadonlyMap<string, ServingGroup>
  readonly accounts: ReadonlyMap<string, ServingAccount>
}

export interface ServingGroup {
  readonly group: Group
  readonly selector: GroupSelector<ServingAccount>
  readonly retryBudget: RetryBudget
  /** Of all tables together: a request counts down where it counted up, whatever table came meanwhile. */
  readonly load: { active: number }
}

const NO_CREDENTIAL: Credential = { type: 'None', version: '' }

/** Builds the indexes of a table; `previous` lends the counters of groups that did not change. */
export function buildServingTable(
  table: RoutingTable,
  registry: AccountRegistry,
  previous: ServingTable | undefined,
): ServingTable {
  const tenants = new Map<string, ServingTenant>()
  const accountIds = new Set<string>()
  for (const tenant of Object.values(table.core.tenants)) {
    for (const name of Object.keys(tenant.accounts)) accountIds.add(`${tenant.name}/${name}`)
    tenants.set(tenant.name, buildTenant(tenant, table, registry, previous?.tenants.get(tenant.name)))
  }
  registry.keepOnly(accountIds)
  const defaultTenant = tenants.get(table.core.defaultTenant)
  if (defaultTenant === undefined) throw new Error(`table names no tenant ${table.core.defaultTenant}`)
  return {
    version: table.version,
    defaultTenant,
    tenants,
    digests: new Map(Object.entries(table.clients.digests)),
    clients: new Map(Object.entries(table.clients.clients)),
  }
}

function buildTenant(
  tenant: Tenant,
  table: RoutingTable,
  registry: AccountRegistry,
  previous: ServingTenant | undefined,
): ServingTenant {
  const policies = healthPolicies(tenant)
  const accounts = new Map<string, ServingAccount>()
  for (const account of Object.values(tenant.accounts)) {
    const policy = policies.get(account.name)
    if (policy === undefined) continue
    const credential = table.credentials[`${tenant.name}/${account.name}`] ?? NO_CREDENTIAL
    accounts.set(account.name, registry.apply({ tenant: tenant.name, account, credential, policy }))
  }
  const groups = new Map<string, ServingGroup>()
  for (const group of Object.values(tenant.groups))
    groups.set(group.name, buildGroup(group, { tenant, accounts }, previous?.groups.get(group.name)))
  return { tenant, router: buildRouter(tenant), catalogue: new ModelCatalogue(tenant), groups, accounts }
}

function buildGroup(
  group: Group,
  { tenant, accounts }: { readonly tenant: Tenant; readonly accounts: ReadonlyMap<string, ServingAccount> },
  previous: ServingGroup | undefined,
): ServingGroup {
  return {
    group,
    selector: new GroupSelector(group, accounts, tenant.modelAliases),
    retryBudget: new RetryBudget(group.retry.budgetPercent, group.retry.budgetMinimum),
    load: previous?.load ?? { active: 0 },
  }
}

/** An account has one health; the first group that lists it (by name) gives the policy, the implied group only when no other does. */
function healthPolicies(tenant: Tenant): Map<string, HealthPolicy> {
  const policies = new Map<string, HealthPolicy>()
  const implied = ({ name }: Group): number => (name === IMPLIED_GROUP ? 1 : 0)
  for (const group of Object.values(tenant.groups).toSorted((a, b) => implied(a) - implied(b))) {
    for (const { account } of group.members) if (!policies.has(account)) policies.set(account, group.health)
  }
  return policies
}
