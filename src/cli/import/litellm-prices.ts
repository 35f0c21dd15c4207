import { type ImportedObject, resourceObject } from './import-result.ts'
import type { LitellmConfig } from './litellm-schema.ts'
import { readNumber, readPositive } from './litellm-values.ts'

const PRICES = {
  inputPerMillion: 'input_cost_per_token',
  cachedInputPerMillion: 'cache_read_input_token_cost',
  cacheWritePerMillion: 'cache_creation_input_token_cost',
  outputPerMillion: 'output_cost_per_token',
} as const

const MODES: Readonly<Record<string, string>> = { chat: 'chat', completion: 'completion', embedding: 'embedding' }

type Facts = Readonly<Record<string, unknown>>

/** Prices and sizes that the file gives for its models, as a catalogue over the built-in one. */
export function catalogObjects(
  config: LitellmConfig,
  deployments: readonly { readonly index: number; readonly upstream: string }[],
): ImportedObject[] {
  const models = new Map<string, Facts>()
  for (const { index, upstream } of deployments) {
    const entry = config.model_list?.[index]
    const facts = modelFacts({ ...entry?.litellm_params, ...entry?.model_info })
    if (Object.keys(facts).length > 0 && !models.has(upstream)) models.set(upstream, facts)
  }
  if (models.size === 0) return []
  return [
    resourceObject('ModelCatalog', 'litellm', { models: [...models].map(([name, facts]) => ({ name, ...facts })) }),
  ]
}

function modelFacts(given: Facts): Facts {
  const prices = Object.entries(PRICES).flatMap(([name, field]) => {
    const price = perMillion(given[field])
    return price === undefined ? [] : [[name, price] as const]
  })
  const requestType = MODES[String(given['mode'])]
  const contextWindow = readPositive(given['max_input_tokens'])
  const maxOutputTokens = readPositive(given['max_output_tokens'])
  return {
    ...(requestType === undefined ? {} : { requestTypes: [requestType] }),
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(prices.length === 0 ? {} : { pricing: Object.fromEntries(prices) }),
  }
}

/** US dollars a token → a million tokens, as decimal text. */
function perMillion(value: unknown): string | undefined {
  const price = readNumber(value)
  if (price === undefined || price < 0) return undefined
  return (price * 1e6).toFixed(9).replace(/\.?0+$/, '')
}
