import type { Problem, Resource, ResourceObject, ResourceSet } from '#resources/resource.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import { ProblemList } from './problem-list.ts'

/** A model that an object names, and where. */
type Mention = readonly [path: string, model: string | undefined]

/**
 * Warns of models whose provider has retired them by the catalogue. Apart from `compile`, whose result does not depend on the time.
 * @param nowMs Unix time, milliseconds
 */
export function deprecatedModels(set: ResourceSet, table: RoutingTable, nowMs: number): readonly Problem[] {
  const problems = new ProblemList()
  for (const resource of set.resources) {
    const models = table.core.tenants[resource.metadata.namespace]?.models ?? {}
    for (const [path, model] of mentionsOf(resource)) {
      const retiredAt = model !== undefined && Object.hasOwn(models, model) ? models[model]?.deprecatedAt : undefined
      if (retiredAt === undefined || Date.parse(retiredAt) > nowMs) continue
      problems.add(resource, path, 'KP-CONF-221', `${model} was retired by its provider on ${retiredAt.slice(0, 10)}`)
    }
  }
  return problems.all
}

function mentionsOf(resource: Resource): readonly Mention[] {
  switch (resource.kind) {
    case 'ProviderAccount':
      return accountMentions(resource)
    case 'RoutingProfile':
      return profileMentions(resource)
    case 'GatewayConfig':
      return [['spec.safeMode.model', resource.spec.safeMode.model]]
    case 'ProviderGroup':
    case 'GatewayClient':
    case 'UsagePolicy':
    case 'ModelCatalog':
      return []
  }
}

function accountMentions({ spec }: ResourceObject<'ProviderAccount'>): readonly Mention[] {
  const { aliases = [], allow = [], list = [] } = spec.models
  return [
    ...aliases.map(({ upstream }, at): Mention => [`spec.models.aliases[${at}].upstream`, upstream]),
    ...allow.map((model, at): Mention => [`spec.models.allow[${at}]`, model]),
    ...list.map((model, at): Mention => [`spec.models.list[${at}]`, model]),
    ['spec.healthCheck.model', spec.healthCheck.model],
  ]
}

function profileMentions({ spec }: ResourceObject<'RoutingProfile'>): readonly Mention[] {
  const mentions: Mention[] = []
  for (const [at, rule] of (spec.rules ?? []).entries()) {
    if (rule.modelOverride !== undefined) mentions.push([`spec.rules[${at}].modelOverride`, rule.modelOverride])
    for (const [group, { modelOverride }] of rule.providerGroups.entries()) {
      if (modelOverride === undefined) continue
      mentions.push([`spec.rules[${at}].providerGroups[${group}].modelOverride`, modelOverride])
    }
  }
  return mentions
}
