import type { AccountRegistry } from './account-registry.ts'
import type { CountedIds } from './counted-ids.ts'
import type { GatewayDependencies, GatewayOptions } from './options.ts'
import type { AllowLists } from './reply/forwarded-headers.ts'
import type { BodyMemory } from './stages/receive-body.ts'
import type { Sweeper } from './sweep.ts'
import type { CallPlans } from './upstream/call-plans.ts'
import type { UpstreamPools } from './upstream/pools.ts'

/** What all exchanges of a gateway have in common. */
export interface GatewayRuntime extends GatewayDependencies {
  readonly options: GatewayOptions
  readonly registry: AccountRegistry
  readonly pools: UpstreamPools
  readonly plans: CallPlans
  readonly sweeper: Sweeper
  readonly allowLists: AllowLists
  readonly bodyMemory: BodyMemory
  readonly correlationIds: CountedIds
}
