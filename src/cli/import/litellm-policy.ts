import type { ImportNotes } from './import-result.ts'
import type { LitellmConfig } from './litellm-schema.ts'
import { readModelLists, readNumber, readPositive, readSeconds, readTexts } from './litellm-values.ts'

/** What LiteLLM says for all models at once. */
export interface LitellmPolicy {
  /** Fields of every ProviderGroup. */
  readonly group: Readonly<Record<string, unknown>>
  readonly strategy: string
  readonly fallbacks: ReadonlyMap<string, readonly string[]>
  /** Field of the imported file that they stand in. */
  readonly fallbacksPath: readonly string[]
  readonly defaultFallbacks: readonly string[]
  /** Other names of public names. */
  readonly aliases: ReadonlyMap<string, string>
}

const STRATEGIES: Readonly<Record<string, string>> = {
  'simple-shuffle': 'Random',
  'least-busy': 'LeastInFlight',
  'latency-based-routing': 'LatencyAware',
  'cost-based-routing': 'LowestCost',
}

const ROUTER = [
  'routing_strategy',
  'num_retries',
  'timeout',
  'stream_timeout',
  'allowed_fails',
  'cooldown_time',
  'fallbacks',
  'default_fallbacks',
  'model_group_alias',
]
const LITELLM = [
  'num_retries',
  'request_timeout',
  'allowed_fails',
  'fallbacks',
  'default_fallbacks',
  'model_alias_map',
  'drop_params',
]

type Settings = Readonly<Record<string, unknown>>

/** Settings of the router; those without counterpart become notes. */
export function readPolicy(config: LitellmConfig, notes: ImportNotes): LitellmPolicy {
  const router = config.router_settings ?? {}
  const litellm = config.litellm_settings ?? {}
  notes.unknownFields(router, ROUTER, ['router_settings'])
  notes.unknownFields(litellm, LITELLM, ['litellm_settings'])
  const fallbacks = readModelLists(router['fallbacks'] ?? litellm['fallbacks'])
  return {
    group: groupFields(router, litellm),
    strategy: readStrategy(router, notes),
    fallbacks,
    fallbacksPath: [router['fallbacks'] == null ? 'litellm_settings' : 'router_settings', 'fallbacks'],
    defaultFallbacks: [
      ...readTexts(router['default_fallbacks'] ?? litellm['default_fallbacks']),
      ...(fallbacks.get('*') ?? []),
    ],
    aliases: readAliases(router['model_group_alias'] ?? litellm['model_alias_map'] ?? {}),
  }
}

function readStrategy(router: Settings, notes: ImportNotes): string {
  const wanted = router['routing_strategy'] ?? 'simple-shuffle'
  const strategy = STRATEGIES[String(wanted)]
  if (strategy !== undefined) return strategy
  notes.add(['router_settings', 'routing_strategy'], `${String(wanted)} has no counterpart; Weighted is used`)
  return 'Weighted'
}

function groupFields(router: Settings, litellm: Settings): Record<string, unknown> {
  const retries = readNumber(router['num_retries'] ?? litellm['num_retries'])
  const request = readSeconds(router['timeout'] ?? litellm['request_timeout'])
  const firstByte = readSeconds(router['stream_timeout'])
  const fails = readNumber(router['allowed_fails'] ?? litellm['allowed_fails'])
  const cooldown = readSeconds(router['cooldown_time'])
  const timeouts = { ...(firstByte === undefined ? {} : { firstByte }), ...(request === undefined ? {} : { request }) }
  const health = {
    // LiteLLM counts the failures that are still allowed.
    ...(fails === undefined ? {} : { failureThreshold: clamp(fails + 1, 1, 100) }),
    ...(cooldown === undefined ? {} : { backoff: { initial: cooldown } }),
  }
  return {
    ...(retries === undefined ? {} : { retry: { maxAttempts: clamp(retries + 1, 1, 10) } }),
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
    ...(Object.keys(health).length === 0 ? {} : { health }),
    ...(litellm['drop_params'] === true ? { onUnsupported: 'Drop' } : {}),
  }
}

/** `{alias: name}` or `{alias: {model: name, hidden: true}}` */
function readAliases(value: unknown): ReadonlyMap<string, string> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return new Map(
    entries.flatMap(([alias, target]: [string, unknown]): [string, string][] => {
      const name = typeof target === 'object' && target !== null && 'model' in target ? target.model : target
      return typeof name === 'string' ? [[alias, name]] : []
    }),
  )
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, readPositive(Math.max(least, value)) ?? least)
}
