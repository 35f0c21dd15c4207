// Writes src/compile/catalog/builtin-models.ts from LiteLLM's table of models (MIT, see NOTICE):
//   pip download litellm==1.109.1 --no-deps && unzip litellm-*.whl litellm/model_prices_and_context_window_backup.json
//   node scripts/generate-catalog.ts litellm/model_prices_and_context_window_backup.json
// The build needs neither: the result is committed.
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import type {
  ModelFacts,
  ModelPricing,
  PriceTier,
  RequestType,
  TierPricing,
  TokenPrices,
} from '../src/table/routing-table.ts'

/** Key in the source; what stands before the slash is the source's name of the provider. */
const MODELS = [
  ...['opus-5-5', 'sonnet-5-5', 'haiku-5-5', 'opus-5', 'sonnet-5', 'fable-5', 'opus-4-8', 'opus-4-7', 'opus-4-6'].map(
    claude,
  ),
  ...['opus-4-5', 'sonnet-4-6', 'sonnet-4-5', 'haiku-4-5'].map(claude),
  ...[
    'gpt-5.6-sol',
    'gpt-5.6-terra',
    'gpt-5.6-luna',
    'gpt-5.5',
    'gpt-5.4',
    'gpt-5.4-mini',
    'gpt-5.4-nano',
    'gpt-5.3-codex',
  ],
  ...['gpt-5.2', 'gpt-5.1', 'gpt-5', 'gpt-5-mini', 'gpt-5-nano', 'gpt-4.1', 'gpt-4.1-mini', 'gpt-4.1-nano', 'gpt-4o'],
  ...['gpt-4o-mini', 'o3', 'o4-mini', 'gpt-3.5-turbo-instruct', 'text-embedding-3-small', 'text-embedding-3-large'],
  ...['4-argon', '3.8-flash', '3.7-flash', '3.6-flash', '3.5-flash', '3.5-flash-lite', '3.1-pro-preview'].map(gemini),
  ...['2.5-pro', '2.5-flash', '2.5-flash-lite', 'embedding-001', 'embedding-2'].map(gemini),
  ...['qwen3.7-max', 'qwen3.7-plus', 'qwen3-coder-plus', 'qwen3-max', 'qwen-plus', 'qwen-flash'].map(dashScope),
  ...['deepseek/deepseek-chat', 'xai/grok-4.5', 'mistral/mistral-large-latest'],
]

function claude(name: string): string {
  return `claude-${name}`
}
function gemini(name: string): string {
  return `gemini/gemini-${name}`
}
function dashScope(name: string): string {
  return `dashscope/${name}`
}

const VENDORS: Readonly<Record<string, string>> = {
  anthropic: 'anthropic',
  openai: 'openai',
  'text-completion-openai': 'openai',
  gemini: 'google',
  dashscope: 'alibaba',
  deepseek: 'deepseek',
  xai: 'xai',
  mistral: 'mistral',
}

const REQUEST_TYPES: Readonly<Record<string, RequestType>> = {
  chat: 'chat',
  responses: 'chat',
  completion: 'completion',
  embedding: 'embedding',
}

const CAPABILITIES: Readonly<Record<string, string>> = {
  supports_function_calling: 'tools',
  supports_forced_tool_use: 'forcedToolUse',
  supports_vision: 'vision',
  supports_pdf_input: 'pdf',
  supports_audio_input: 'audioIn',
  supports_reasoning: 'reasoning',
  supports_adaptive_thinking: 'adaptiveThinking',
  thinking_always_on: 'thinkingAlwaysOn',
  supports_xhigh_reasoning_effort: 'effortXhigh',
  supports_max_reasoning_effort: 'effortMax',
  supports_sampling_params: 'sampling',
  supports_mid_conversation_system: 'midSystem',
  supports_response_schema: 'jsonSchema',
  supports_assistant_prefill: 'prefill',
}

/** Price in the source → ours. */
const PRICES: Readonly<Record<string, keyof TokenPrices>> = {
  input_cost_per_token: 'input',
  cache_read_input_token_cost: 'cachedInput',
  cache_creation_input_token_cost: 'cacheWrite',
  cache_creation_input_token_cost_above_1hr: 'cacheWrite1h',
  output_cost_per_token: 'output',
  output_cost_per_reasoning_token: 'reasoning',
}

const Entry = z.looseObject({
  litellm_provider: z.string(),
  mode: z.string(),
  max_input_tokens: z.number().int().positive(),
  max_output_tokens: z.number().int().positive().optional(),
  deprecation_date: z.string().optional(),
  tiered_pricing: z.array(z.looseObject({ range: z.tuple([z.number(), z.number()]) })).optional(),
})
type Entry = z.infer<typeof Entry>

function modelFacts(key: string, entry: Entry): ModelFacts {
  const name = key.slice(key.lastIndexOf('/') + 1)
  const vendor = VENDORS[entry.litellm_provider]
  const requestType = REQUEST_TYPES[entry.mode]
  if (vendor === undefined || requestType === undefined) throw new Error(`${key}: unknown provider or mode`)
  const { max_input_tokens: contextWindow, max_output_tokens: maxOutput } = entry
  const capabilities = booleans(entry)
  const pricing = modelPricing(entry)
  return {
    name,
    displayName: displayName(name),
    vendor,
    requestTypes: [requestType],
    contextWindow,
    // Where both are equal the source only repeats the context window.
    ...(maxOutput === undefined || maxOutput === contextWindow || requestType === 'embedding'
      ? {}
      : { maxOutputTokens: maxOutput }),
    ...(Object.keys(capabilities).length === 0 ? {} : { capabilities }),
    ...(pricing === undefined ? {} : { pricing }),
    ...(entry.deprecation_date === undefined ? {} : { deprecatedAt: entry.deprecation_date }),
  }
}

function booleans(entry: Entry): Record<string, boolean> {
  const pairs = Object.entries(CAPABILITIES).flatMap(([theirs, ours]) => {
    const value = entry[theirs]
    return typeof value === 'boolean' ? [[ours, value] as const] : []
  })
  // Google's word for a model that cannot stop thinking is one that lacks its lowest level.
  const alwaysThinks = entry.litellm_provider === 'gemini' && entry['supports_minimal_reasoning_effort'] === false
  // The source marks every model that thinks; of one with tools its silence is a no.
  const isPlain = entry['supports_function_calling'] === true && entry['supports_reasoning'] === undefined
  return {
    ...Object.fromEntries(pairs),
    ...(isPlain && { reasoning: false }),
    ...(alwaysThinks && { thinkingAlwaysOn: true }),
  }
}

function modelPricing(entry: Entry): ModelPricing | undefined {
  const [first, ...others] = entry.tiered_pricing ?? []
  if (first !== undefined) {
    return withTiers(
      tokenPrices(first, ''),
      others.map(({ range, ...prices }) => ({ ...tokenPrices(prices, ''), aboveInputTokens: range[0] })),
    )
  }
  const standard = tierPricing(entry, '')
  if (standard === undefined) return undefined
  const serviceTiers = Object.fromEntries(
    SERVICE_TIERS.flatMap((tier) => {
      const pricing = tierPricing(entry, `_${tier}`)
      return pricing === undefined ? [] : [[tier, pricing] as const]
    }),
  )
  return Object.keys(serviceTiers).length === 0 ? standard : { ...standard, serviceTiers }
}

const SERVICE_TIERS = ['flex', 'priority'] as const

/** Prices of a tier of service; `''` is the standard one. */
function tierPricing(entry: Entry, suffix: string): TierPricing | undefined {
  const bounds = Object.keys(entry).flatMap(
    (name) => name.match(new RegExp(`^input_cost_per_token_above_(\\d+)k_tokens${suffix}$`))?.[1] ?? [],
  )
  const tiers = bounds.map((thousands) => ({
    ...tokenPrices(entry, `_above_${thousands}k_tokens${suffix}`),
    aboveInputTokens: Number(thousands) * 1000,
  }))
  const base = tokenPrices(entry, suffix)
  return Object.keys(base).length === 0 ? undefined : withTiers(base, tiers)
}

function withTiers(base: TokenPrices, tiers: readonly PriceTier[]): TierPricing {
  if (tiers.length === 0) return base
  return { ...base, tiers: tiers.toSorted((a, b) => a.aboveInputTokens - b.aboveInputTokens) }
}

function tokenPrices(entry: Readonly<Record<string, unknown>>, suffix: string): TokenPrices {
  const prices: Partial<Record<keyof TokenPrices, number>> = {}
  for (const [theirs, ours] of Object.entries(PRICES)) {
    const price = entry[theirs + suffix]
    // Zero stands for what is not charged apart (output of embeddings, writes to a cache that costs nothing extra).
    if (typeof price === 'number' && price > 0) prices[ours] = picoUsd(price)
  }
  if (prices.reasoning === prices.output) delete prices.reasoning
  return prices
}

/** Floats such as 5.000000000000001e-08 USD are meant as a whole number of pico-USD. */
function picoUsd(usd: number): number {
  const pico = usd * 1e12
  const whole = Math.round(pico)
  if (Math.abs(pico - whole) > 1e-3) throw new Error(`${usd} USD is no whole number of pico-USD`)
  return whole
}

const SPELLINGS: Readonly<Record<string, string>> = { gpt: 'GPT', deepseek: 'DeepSeek' }

/** `claude-sonnet-4-5` → `Claude Sonnet 4.5`, `gpt-5.4-mini` → `GPT-5.4 Mini`. */
function displayName(name: string): string {
  return name
    .replace(/-(\d)-(\d)$/, '-$1.$2')
    .split('-')
    .map((word) => SPELLINGS[word] ?? (/^o\d/.test(word) ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join(' ')
    .replace(/^GPT /, 'GPT-')
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value === 'number') return String(value).replace(/\B(?=(?:\d{3})+$)/g, '_')
  if (typeof value === 'string') return `'${value}'`
  if (typeof value !== 'object' || value === null) return String(value)
  return `{ ${Object.entries(value)
    .map(([key, member]) => `${key}: ${literal(member)}`)
    .join(', ')} }`
}

const [path] = process.argv.slice(2)
if (path === undefined)
  throw new Error('usage: node scripts/generate-catalog.ts <model_prices_and_context_window.json>')
const source: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(path, 'utf8'))
const lines = MODELS.map((key) => {
  const facts = modelFacts(key, Entry.parse(source[key], { reportInput: true }))
  return `  '${facts.name}': ${literal(facts)},`
})
writeFileSync(
  new URL('../src/compile/catalog/builtin-models.ts', import.meta.url),
  `import type { ModelFacts } from '#table/routing-table.ts'

/**
 * Facts about current models; prices are pico-USD per token (1 USD per million tokens = 1_000_000). Capabilities and limits that are not
 * here are unknown. Made by scripts/generate-catalog.ts from LiteLLM's table of models (see NOTICE); a ModelCatalog overrides it.
 */
// biome-ignore format: a table, one line a model
export const BUILTIN_MODELS: Readonly<Record<string, ModelFacts>> = {
${lines.join('\n')}
}
`,
)
