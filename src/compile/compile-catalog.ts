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
  const models = new Map(Object.entries(BUILTIN_MODELS))
  const aliases = new Map<string, string>()
  for (const { spec } of catalogs) {
    for (const model of spec.models ?? []) {
      models.set(model.name, { ...models.get(model.name), ...compileModel(model) })
      for (const alias of model.aliases ?? []) aliases.set(alias, model.name)
    }
  }
  // Names of models may be any text, also a word such as __proto__.
  return {
    families: compileFamilies(catalogs),
    models: Object.fromEntries(models),
    aliases: Object.fromEntries(aliases),
  }
}

/** In order of precedence: what a model says of itself, the patterns of the namespace, the built-in ones. */
function compileFamilies(catalogs: readonly CatalogObject[]): ModelFamily[] {
  const laterFirst = catalogs.toReversed()
  const patterns = [...laterFirst.flatMap(({ spec }) => (spec.families ?? []).map(compileFamily)), ...BUILTIN_FAMILIES]
  const own = laterFirst.flatMap(({ spec }) =>
    (spec.models ?? []).flatMap(({ name, family }): ModelFamily[] => {
      if (family === undefined) return []
      const requestType = patterns.find((known) => known.name === family)?.requestType
      return [{ name: family, patterns: [name], ...(requestType === undefined ? {} : { requestType }) }]
    }),
  )
  return [...own, ...patterns]
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
