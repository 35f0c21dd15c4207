import { parseDuration } from '#resources/duration.ts'
import type { Resource, ResourceObject } from '#resources/resource.ts'
import type { LogLevelName } from '#table/messages.ts'
import type { RoutingTable } from '#table/routing-table.ts'
import type { CanaryPlan } from './rollout.ts'

type GatewayConfig = ResourceObject<'GatewayConfig'>

/** Most words first. */
const LEVELS: readonly LogLevelName[] = ['debug', 'info', 'warn', 'error']

/**
 * What the GatewayConfigs of all namespaces say of the gateways that they share. That of the gateways' own namespace speaks for the
 * namespaces that have none.
 */
export class FleetSettings {
  readonly #configs: ReadonlyMap<string, GatewayConfig>
  readonly #home: string

  /** @param home namespace of the gateways */
  constructor(resources: readonly Resource[], home: string) {
    this.#home = home
    const configs = resources.filter((resource) => resource.kind === 'GatewayConfig')
    this.#configs = new Map(
      [...Map.groupBy(configs, ({ metadata }) => metadata.namespace)].flatMap(
        ([namespace, found]): [string, GatewayConfig][] => {
          const effective = effectiveOf(found)
          return effective === undefined ? [] : [[namespace, effective]]
        },
      ),
    )
  }

  /** That of the gateways' namespace. Where it has none, the level with most words that any namespace wants. */
  get logLevel(): LogLevelName {
    const home = this.#configs.get(this.#home)
    if (home !== undefined) return home.spec.logging.level
    const wanted = [...this.#configs.values()].map(({ spec }) => spec.logging.level)
    return LEVELS.find((level) => wanted.includes(level)) ?? 'info'
  }

  /** The most careful of what the namespaces want whose part of the table changes; undefined = all gateways at once. */
  canaryPlan(before: RoutingTable | undefined, after: RoutingTable): CanaryPlan | undefined {
    const careful = [...this.#configs.values()].some(({ spec }) => spec.rollout.strategy === 'Canary')
    if (!careful) return undefined
    const plans = changedNamespaces(before, after).flatMap((namespace) => {
      const rollout = (this.#configs.get(namespace) ?? this.#configs.get(this.#home))?.spec.rollout
      return rollout?.strategy === 'Canary' ? [rollout.canary] : []
    })
    if (plans.length === 0) return undefined
    return {
      gateways: Math.max(...plans.map(({ gateways }) => gateways)),
      observeMs: Math.max(...plans.map(({ observe }) => parseDuration(observe))),
    }
  }
}

/** The one named `default` counts, or the only one; as the compiler has it. */
function effectiveOf(configs: readonly GatewayConfig[]): GatewayConfig | undefined {
  return configs.find(({ metadata }) => metadata.name === 'default') ?? (configs.length === 1 ? configs[0] : undefined)
}

function changedNamespaces(before: RoutingTable | undefined, after: RoutingTable): string[] {
  const [was, is] = [before === undefined ? new Map<string, string>() : partsOf(before), partsOf(after)]
  return [...new Set([...was.keys(), ...is.keys()])].filter((namespace) => was.get(namespace) !== is.get(namespace))
}

/** What a table holds of each namespace, as text. Credentials count by their version. */
function partsOf({ core, clients, credentials }: RoutingTable): Map<string, string> {
  const parts = new Map<string, unknown[]>()
  const add = (namespace: string, part: unknown): void => {
    parts.set(namespace, [...(parts.get(namespace) ?? []), part])
  }
  for (const [namespace, tenant] of Object.entries(core.tenants)) add(namespace, tenant)
  const namespaceOf = (key: string): string => key.slice(0, key.indexOf('/'))
  const ownKeys = Object.groupBy(Object.entries(clients.digests), ([, { client }]) => namespaceOf(client))
  const ownClients = Object.groupBy(Object.entries(clients.clients), ([key]) => namespaceOf(key))
  const ownCredentials = Object.groupBy(Object.entries(credentials), ([key]) => namespaceOf(key))
  for (const [namespace, digests] of Object.entries(ownKeys)) add(namespace, digests)
  for (const [namespace, own] of Object.entries(ownClients)) add(namespace, own)
  for (const [namespace, own] of Object.entries(ownCredentials)) {
    add(
      namespace,
      own?.map(([key, { version }]) => [key, version]),
    )
  }
  return new Map([...parts].map(([namespace, own]) => [namespace, JSON.stringify(own)]))
}
