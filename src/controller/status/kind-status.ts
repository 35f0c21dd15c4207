import type { Resource, ResourceObject } from '#resources/resource.ts'
import { timestampOf } from '../kube/time-and-chance.ts'
import type { ObservedObject } from '../sources/observed-objects.ts'
import { accountStatus } from './account-status.ts'
import type { Verdict } from './conditions.ts'
import { groupStatus } from './group-status.ts'
import { type KindStatus, ofKind, READY } from './kind-facts.ts'
import { gatewayState, refusalOf } from './programmed.ts'
import type { StatusFacts } from './status-facts.ts'

/** Fine enough for people, coarse enough not to write with every request. */
const LAST_USED_STEP_MS = 300_000
const MAX_GATEWAYS = 256

/** @param object as the cluster has it; what is said is of its last valid form */
export function kindStatus(object: ObservedObject, facts: StatusFacts): KindStatus {
  const { resource } = object
  if (resource === undefined) return { ready: READY, fields: {} }
  switch (resource.kind) {
    case 'ProviderAccount':
      return accountStatus(resource, facts)
    case 'ProviderGroup':
      return groupStatus(resource, facts)
    case 'RoutingProfile': {
      const active = facts.table.core.tenants[resource.metadata.namespace]?.activeProfile === resource.metadata.name
      return { ready: READY, fields: { active, rules: resource.spec.rules?.length ?? 0 } }
    }
    case 'GatewayClient':
      return clientStatus(resource, facts)
    case 'UsagePolicy':
      return policyStatus(resource, facts)
    case 'ModelCatalog': {
      const { models = [], families = [] } = resource.spec
      return { ready: READY, fields: { models: models.length, families: families.length } }
    }
    case 'GatewayConfig':
      return configStatus(resource, facts)
  }
}

function clientStatus({ metadata, spec }: ResourceObject<'GatewayClient'>, facts: StatusFacts): KindStatus {
  const {
    lastUsedMs,
    limitsExceeded = [],
    safeMode,
  } = facts.clients.get(`${metadata.namespace}/${metadata.name}`) ?? {}
  const usedMs = lastUsedMs === undefined ? undefined : Math.floor(lastUsedMs / LAST_USED_STEP_MS) * LAST_USED_STEP_MS
  const refuses: Verdict = { status: 'False', reason: spec.state, message: 'Every request of the client is refused.' }
  return {
    ready: spec.state === 'Active' ? READY : refuses,
    fields: {
      ...(usedMs !== undefined && { lastUsedTime: timestampOf(usedMs) }),
      ...(limitsExceeded.length > 0 && { limitsExceeded: [...limitsExceeded].toSorted() }),
      ...(safeMode !== undefined && { safeMode }),
    },
  }
}

function policyStatus({ metadata, spec }: ResourceObject<'UsagePolicy'>, facts: StatusFacts): KindStatus {
  const { namespace, name } = metadata
  const resources = facts.resources.get(namespace) ?? []
  const config = effectiveConfig(resources)
  const isDefault = config?.spec.defaultUsagePolicyRefs?.some((policy) => policy.name === name) === true
  const clients = ofKind(resources, 'GatewayClient').filter(
    ({ spec: { usagePolicyRefs } }) => usagePolicyRefs?.some((policy) => policy.name === name) ?? isDefault,
  )
  const use = facts.policies.get(`${namespace}/${name}`)
  const usage = use?.usage.map(({ name: limit, used, resetMs }) => ({
    name: limit,
    used,
    ...(resetMs !== undefined && { resetTime: timestampOf(resetMs) }),
  }))
  return {
    ready: READY,
    fields: {
      limits: spec.limits.length,
      clients: clients.length,
      exceeded: use?.exceeded ?? 0,
      ...(usage && usage.length > 0 && { usage }),
    },
  }
}

function configStatus({ metadata }: ResourceObject<'GatewayConfig'>, facts: StatusFacts): KindStatus {
  const effective = effectiveConfig(facts.resources.get(metadata.namespace) ?? [])
  if (effective?.metadata.name !== metadata.name) {
    const message = 'Of several GatewayConfigs only the one named default counts.'
    return { ready: { status: 'False', reason: 'NotInUse', message }, fields: {} }
  }
  const tenant = facts.table.core.tenants[metadata.namespace]
  return {
    ready: READY,
    fields: {
      activeProfile: tenant?.activeProfile ?? 'default',
      safeMode: tenant?.safeMode?.state ?? 'Disabled',
      gateways: gatewayList(facts),
    },
  }
}

function gatewayList({ programmed }: StatusFacts): readonly object[] {
  return programmed.gateways
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, MAX_GATEWAYS)
    .map((gateway) => {
      const state = gatewayState(gateway, programmed)
      return {
        name: gateway.name,
        ...(gateway.version !== undefined && { configVersion: gateway.version }),
        state,
        ...(gateway.lastAckTimeMs !== undefined && { lastAckTime: timestampOf(gateway.lastAckTimeMs) }),
        ...(state === 'Rejected' && { message: refusalOf(gateway).slice(0, 1024) }),
      }
    })
}

/** The one named `default` counts, or the only one; as the compiler has it. */
function effectiveConfig(resources: readonly Resource[]): ResourceObject<'GatewayConfig'> | undefined {
  const configs = ofKind(resources, 'GatewayConfig')
  return configs.find(({ metadata }) => metadata.name === 'default') ?? (configs.length === 1 ? configs[0] : undefined)
}
