import type { Account, Client, ModelFacts, ProviderName, Tenant } from '#table/routing-table.ts'
import { isForeignModel } from './foreign-models.ts'
import { anyGlob, type GlobMatcher } from './glob.ts'

/** What the accounts of a tenant share about model names. */
export interface ModelNaming {
  /** Alias → model, from the catalogue. */
  readonly aliases: Readonly<Record<string, string>>
  /** Names of all accounts: `name/model` addresses one of them. */
  readonly accounts: readonly string[]
}

/** Requested name → the provider's name; undefined = this account does not serve it. */
export type ModelResolver = (requested: string) => string | undefined

const NO_NAMING: ModelNaming = { aliases: {}, accounts: [] }

const PROVIDER_PREFIXES = new Map<string, ProviderName>([
  ['openai', 'OpenAI'],
  ['anthropic', 'Anthropic'],
  ['gemini', 'Gemini'],
  ['ollama', 'Ollama'],
  ['openrouter', 'OpenRouter'],
  ['azureopenai', 'AzureOpenAI'],
  ['openaicompatible', 'OpenAICompatible'],
  ['codex', 'Codex'],
  ['mock', 'Mock'],
])

/** Their own model names may begin like `openai/…` or `meta-llama/…`. */
const NAMES_WITH_SLASHES: ReadonlySet<ProviderName> = new Set(['OpenRouter', 'OpenAICompatible', 'Ollama', 'Mock'])

/** What `/v1/models` takes from the catalogue for an account without an `allow` list. */
const VENDOR_OF: Partial<Record<ProviderName, string>> = {
  OpenAI: 'openai',
  Codex: 'openai',
  Anthropic: 'anthropic',
  Gemini: 'google',
}

/** One look-up; `compileModelAccess` is for many. */
export function resolveModel(account: Account, requested: string, naming: ModelNaming = NO_NAMING): string | undefined {
  return compileModelAccess(account, naming)(requested)
}

/**
 * Order: the account's alias; `provider/model` or `account/model` that addresses this account; an alias of the catalogue; the name itself.
 * A name that addresses another account is not this one's. `deny` wins over `allow`; an alias needs no `allow`.
 */
export function compileModelAccess(account: Account, naming: ModelNaming = NO_NAMING): ModelResolver {
  const { models } = account
  const aliases = new Map(Object.entries(models.aliases))
  const catalogue = new Map(Object.entries(naming.aliases))
  const others = new Set(naming.accounts.filter((name) => name !== account.name))
  const isDenied = anyGlob(models.deny)
  const serves = compileAllow(account)
  const named = (name: string): string | undefined => {
    const alias = aliases.get(name)
    if (alias !== undefined) return isDenied(alias) || isDenied(name) ? undefined : alias
    const model = catalogue.get(name) ?? name
    const upstream = aliases.get(model) ?? model
    const allowed = upstream !== model || serves(upstream)
    return allowed && !isDenied(upstream) && !isDenied(name) ? upstream : undefined
  }
  return (requested) => {
    if (aliases.has(requested)) return named(requested)
    const slash = requested.indexOf('/')
    if (slash <= 0) return named(requested)
    const prefix = requested.slice(0, slash)
    const rest = requested.slice(slash + 1)
    if (addresses(account, prefix, rest)) return named(rest)
    return belongsToAnother(account, prefix, others) ? undefined : named(requested)
  }
}

/** What a caller may ask for, sorted: names only, as `/v1/models` lists them (R1.8). */
export function listModels(tenant: Tenant, client: Client | undefined): string[] {
  const facts = Object.values(tenant.models)
  const served = Object.values(tenant.accounts).filter(({ state }) => state === 'Enabled')
  const accounts = served.map(({ name }) => name)
  const resolvers = served.map((account) => compileModelAccess(account, { aliases: {}, accounts }))
  const names = new Set(served.flatMap((account) => namesOf(account, facts)))
  for (const [alias, model] of Object.entries(tenant.modelAliases)) {
    if (
      names.has(model) ||
      resolvers.some((resolve) => tenant.models[model] !== undefined && resolve(model) !== undefined)
    ) {
      names.add(alias)
    }
  }
  const allowed = client?.allowedModels ?? []
  const mayUse = allowed.length === 0 ? () => true : anyGlob(allowed)
  return [...names].filter((name) => mayUse(name)).sort()
}

function compileAllow(account: Account): GlobMatcher | ((model: string) => boolean) {
  const { allow } = account.models
  return allow.length === 0 ? (model: string) => !isForeignModel(account, model) : anyGlob(allow)
}

/** OpenRouter's own names have two parts (`openrouter/auto` is one of them), so a prefix stands before two parts. */
function addresses(account: Account, prefix: string, rest: string): boolean {
  if (prefix === account.name) return true
  const isOwn = PROVIDER_PREFIXES.get(prefix) === account.provider || prefix === account.preset?.toLowerCase()
  return isOwn && (account.provider !== 'OpenRouter' || rest.includes('/'))
}

/** An `allow` list says by itself which names with a slash are meant. */
function belongsToAnother(account: Account, prefix: string, others: ReadonlySet<string>): boolean {
  if (!NAMES_WITH_SLASHES.has(account.provider)) return others.has(prefix) || PROVIDER_PREFIXES.has(prefix)
  return account.models.allow.length === 0 && others.has(prefix)
}

/** Aliases, plain names in `allow`, `list`, and what the catalogue knows of this account. */
function namesOf(account: Account, facts: readonly ModelFacts[]): string[] {
  const { allow, aliases, list } = account.models
  const resolve = compileModelAccess(account)
  const plain = [...allow.filter((pattern) => !/[*?]/.test(pattern)), ...list]
  const vendor = VENDOR_OF[account.provider]
  const fromCatalogue = facts.filter((fact) =>
    allow.length === 0 ? vendor !== undefined && fact.vendor === vendor : true,
  )
  const candidates = [...Object.keys(aliases), ...plain, ...fromCatalogue.map(({ name }) => name)]
  return candidates.filter((name) => resolve(name) !== undefined)
}
