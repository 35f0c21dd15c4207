import type { z } from 'zod'
import { gatewayClient } from './gateway-client.ts'
import { gatewayConfig } from './gateway-config.ts'
import type { KindDefinition } from './kind-definition.ts'
import { modelCatalog } from './model-catalog.ts'
import { providerAccount } from './provider-account.ts'
import { providerGroup } from './provider-group.ts'
import { routingProfile } from './routing-profile.ts'
import { usagePolicy } from './usage-policy.ts'

/** Every kind, in the order in which the docs tell of them. */
export const KINDS = {
  ProviderAccount: providerAccount,
  ProviderGroup: providerGroup,
  RoutingProfile: routingProfile,
  GatewayClient: gatewayClient,
  UsagePolicy: usagePolicy,
  ModelCatalog: modelCatalog,
  GatewayConfig: gatewayConfig,
} as const satisfies Record<string, KindDefinition>

export type Kind = keyof typeof KINDS
/** A spec with all defaults filled in. */
export type SpecOf<K extends Kind> = z.output<(typeof KINDS)[K]['spec']>

export function isKind(name: string): name is Kind {
  return Object.hasOwn(KINDS, name)
}
