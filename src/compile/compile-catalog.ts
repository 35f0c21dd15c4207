import { parseDecimal } from '#resources/decimal.ts'
import type { ResourceObject } from '#resources/resource.ts'
import type { ModelFacts, ModelFamily, ModelPricing, TokenPrices } from '#table/routing-table.ts'
import { BUILTIN_FAMILIES } from './catalog/builtin-families.ts'
import { BUILTIN_MODELS } from './catalog/builtin-models.ts'

type CatalogObject = ResourceObject<'ModelCatalog'>
type ModelSpec = NonNullable<CatalogObject['spec']['models']>[number]
type PricingSpec = NonNullable<ModelSpec['pricing']>

export interface CompiledCatalog {
  readonly families: readonly ModelFamily[]
  readonly models: Readonly<Record<string, ModelFacts>>
  readonly aliases: Readonly<Record<string, string>>
}

/** The built-in catalogue with the namespace's own over it; a later one wins, field by field. */
export function compileCatalogs(catalogs: readonly CatalogObject[]): CompiledCatalog {
  const models: Record<string, ModelFacts> = { ...BUILTIN_MODELS }
  const aliases: Record<string, string> = {}
  const families: ModelFamily[] = []
  for (const { spec } of catalogs) {
    for (const model of spec.models ?? []) {
      models[model.name] = { ...models[model.name], ...compileModel(model) }
      for (const alias of model.aliases ?? []) aliases[alias] = model.name
      if (model.family !== undefined) families.push({ name: model.family, patterns: [model.name] })
    }
  }
  for (const { spec } of catalogs.toReversed()) families.push(...(spec.families ?? []).map(compileFamily))
  return { families: [...families, ...BUILTIN_FAMILIES], models, aliases }
}

function compileFamily({
  name,
  requestType,
  patterns,
}: NonNullable<CatalogObject['spec']['families']>[number]): ModelFamily {
  return { name, patterns, ...(requestType === undefined ? {} : { requestType }) }
}

function compileModel(model: ModelSpec): ModelFacts {
  const capabilities = {
    ...Object.fromEntries((model.lacksCapabilities ?? []).map((name) => [capabilityKey(name), false])),
    ...Object.fromEntries((model.capabilities ?? []).map((name) => [capabilityKey(name), true])),
  }
  return {
    name: model.name,
    ...(model.displayName === undefined ? {} : { displayName: model.displayName }),
    ...(model.vendor === undefined ? {} : { vendor: model.vendor }),
    ...(model.requestTypes === undefined ? {} : { requestTypes: model.requestTypes }),
    ...(model.contextWindow === undefined ? {} : { contextWindow: model.contextWindow }),
    ...(model.maxOutputTokens === undefined ? {} : { maxOutputTokens: model.maxOutputTokens }),
    ...(Object.keys(capabilities).length === 0 ? {} : { capabilities }),
    ...(model.pricing === undefined ? {} : { pricing: compilePricing(model.pricing) }),
    ...(model.deprecatedAt === undefined ? {} : { deprecatedAt: model.deprecatedAt }),
  }
}

/** `ForcedToolUse` → `forcedToolUse`. */
function capabilityKey(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

function compilePricing(pricing: PricingSpec): ModelPricing {
  return {
    ...tokenPrices(pricing),
    ...(pricing.perRequest === undefined ? {} : { perRequest: Number(parseDecimal(pricing.perRequest, 9) * 1_000n) }),
    ...(pricing.tiers === undefined
      ? {}
      : {
          tiers: pricing.tiers
            .map((tier) => ({ ...tokenPrices(tier), aboveInputTokens: tier.aboveInputTokens }))
            .toSorted((a, b) => a.aboveInputTokens - b.aboveInputTokens),
        }),
  }
}

function tokenPrices(prices: Omit<PricingSpec, 'perRequest' | 'tiers'>): TokenPrices {
  const pico = (text: string): number => Math.round(Number(parseDecimal(text, 9)) / 1_000)
  return {
    ...(prices.inputPerMillion === undefined ? {} : { input: pico(prices.inputPerMillion) }),
    ...(prices.cachedInputPerMillion === undefined ? {} : { cachedInput: pico(prices.cachedInputPerMillion) }),
    ...(prices.cacheWritePerMillion === undefined ? {} : { cacheWrite: pico(prices.cacheWritePerMillion) }),
    ...(prices.cacheWrite1hPerMillion === undefined ? {} : { cacheWrite1h: pico(prices.cacheWrite1hPerMillion) }),
    ...(prices.outputPerMillion === undefined ? {} : { output: pico(prices.outputPerMillion) }),
    ...(prices.reasoningPerMillion === undefined ? {} : { reasoning: pico(prices.reasoningPerMillion) }),
  }
}
