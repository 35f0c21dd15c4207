/**
 * What a gateway needs to serve, and nothing else: the contract between who compiles and who serves.
 * Immutable, canonical (`canonicalJson`), named by its content (`tableVersion`). Durations are milliseconds, sizes bytes,
 * money pico-USD (10^-12 USD): every known price per token is a whole number of them.
 */
export const TABLE_FORMAT = 1

/** The group of all accounts, which every tenant has: requests without a group of their own go there. */
export const IMPLIED_GROUP = 'all-accounts'

export interface RoutingTable {
  readonly format: typeof TABLE_FORMAT
  /** `sha256:` over the canonical sections; of credentials only their versions count. */
  readonly version: string
  readonly core: CoreSection
  readonly clients: ClientsSection
  readonly credentials: CredentialsSection
}

export interface CoreSection {
  /** Serves requests that carry no client key. */
  readonly defaultTenant: string
  /** By namespace. */
  readonly tenants: Readonly<Record<string, Tenant>>
}

export interface Tenant {
  readonly name: string
  readonly activeProfile: string
  readonly clientAuth: 'Required' | 'Optional' | 'Disabled'
  /** Present while safe mode is on for the whole tenant, or may be switched on for a client. */
  readonly safeMode: { readonly state: 'Enabled' | 'Disabled'; readonly group: string; readonly model?: string } | null
  readonly profiles: Readonly<Record<string, Profile>>
  readonly groups: Readonly<Record<string, Group>>
  readonly accounts: Readonly<Record<string, Account>>
  /** In order of precedence; the first pattern that matches decides. */
  readonly families: readonly ModelFamily[]
  /** Facts by model name, built-in catalogue and ModelCatalogs merged. */
  readonly models: Readonly<Record<string, ModelFacts>>
  /** Alias → model, from ModelCatalogs. */
  readonly modelAliases: Readonly<Record<string, string>>
  readonly requestLimits: { readonly maxBodyBytes: number; readonly maxDepth: number }
  /** Extra request headers that pass to providers, lower case. */
  readonly requestHeaders: readonly string[]
  readonly featureFlags: Readonly<Record<string, 'Enabled' | 'Disabled'>>
}

export type RequestType = 'chat' | 'completion' | 'embedding' | 'other'

export interface ModelFamily {
  readonly name: string
  readonly requestType?: RequestType
  /** Globs with `*`, which crosses `/`. */
  readonly patterns: readonly string[]
}

export interface Profile {
  readonly name: string
  readonly displayName: string
  readonly rules: readonly Rule[]
  /** Where requests go that no rule matches; empty = every account of the tenant (implied group). */
  readonly defaultTargets: readonly GroupTarget[]
}

export interface Rule {
  readonly name: string
  readonly match: RuleMatch
  /** Ascending priority; equal priorities share by weight. */
  readonly targets: readonly GroupTarget[]
  /** Rewrites the model for all targets. */
  readonly modelOverride?: string
  readonly retry?: Partial<RetryPolicy>
  readonly timeouts?: Partial<Timeouts>
}
/** All given conditions must hold; within a list one suffices. Absent = any. */
export interface RuleMatch {
  readonly requestTypes?: readonly RequestType[]
  readonly models?: readonly string[]
  readonly modelFamilies?: readonly string[]
  readonly clients?: readonly string[]
  readonly headers?: readonly HeaderMatch[]
}
export interface HeaderMatch {
  /** Lower case. */
  readonly name: string
  readonly type: 'Exact' | 'Prefix' | 'Glob' | 'Present'
  readonly value?: string
}
export interface GroupTarget {
  readonly group: string
  readonly priority: number
  readonly weight: number
  readonly modelOverride?: string
}

export type Strategy =
  | 'RoundRobin'
  | 'Weighted'
  | 'Random'
  | 'Priority'
  | 'LeastInFlight'
  | 'LatencyAware'
  | 'LowestCost'
  | 'Sticky'

export interface Group {
  readonly name: string
  readonly displayName: string
  readonly strategy: Strategy
  readonly members: readonly GroupMember[]
  readonly affinity: Affinity
  readonly health: HealthPolicy
  readonly retry: RetryPolicy
  readonly timeouts: Timeouts
  readonly fallbackGroups: readonly string[]
  /** What a translation does with parameters that it cannot carry and that change the answer's shape. */
  readonly onUnsupported: 'Error' | 'Drop'
}
export interface GroupMember {
  readonly account: string
  /** 0 = only when nothing else is left. */
  readonly weight: number
  /** Tier: 0 is used first. */
  readonly priority: number
}
export interface Affinity {
  readonly by: 'None' | 'Client' | 'Header' | 'PromptPrefix' | 'Session'
  /** Lower case; with `Header`. */
  readonly header?: string
}
export interface HealthPolicy {
  readonly failureThreshold: number
  /** The strikes must be spread over this time or over two connections, so that one blip ejects nothing. */
  readonly minimumSpreadMs: number
  /** Longest wait between half-open probes. */
  readonly erroringTimeoutMs: number
  readonly backoff: {
    readonly initialMs: number
    readonly maxMs: number
    readonly multiplier: number
    readonly jitterPercent: number
    readonly retryAfter: 'Honor' | 'Ignore'
  }
  readonly halfOpenRequests: number
  readonly whenAllUnavailable: 'LeastRecentlyLimited' | 'FailFast'
}
export type RetryCondition = 'RateLimited' | 'ServerError' | 'ConnectError' | 'Timeout' | 'Reset'
export interface RetryPolicy {
  /** Attempts in all, the first included, over all groups. */
  readonly maxAttempts: number
  readonly conditions: readonly RetryCondition[]
  /** Retries in flight may be this share of the requests in flight, but always `budgetMinimum`. */
  readonly budgetPercent: number
  readonly budgetMinimum: number
  /** Wait before the same account is tried again. */
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
  /** A `Retry-After` up to this long is waited for when no other account is left; 0 = never. */
  readonly maxRetryAfterWaitMs: number
}
export interface Timeouts {
  readonly connectMs: number
  /** Until the first content event of a stream. */
  readonly firstByteMs: number
  /** Until the first byte of a reply that is not a stream. */
  readonly firstByteWholeMs: number
  /** Between two reads of a reply. */
  readonly idleMs: number
  /** The whole request, all attempts. */
  readonly requestMs: number
}

export const PROVIDER_NAMES = [
  'OpenAI',
  'Anthropic',
  'Gemini',
  'Ollama',
  'OpenRouter',
  'AzureOpenAI',
  'OpenAICompatible',
  'Codex',
  'Mock',
] as const
export type ProviderName = (typeof PROVIDER_NAMES)[number]

export interface Account {
  readonly name: string
  readonly displayName: string
  readonly provider: ProviderName
  /** A named set of defaults for OpenAICompatible, e.g. `Groq`. */
  readonly preset?: string
  /** Absent = the provider's or the preset's own. */
  readonly baseUrl?: string
  readonly auth: 'APIKey' | 'OAuth2' | 'None'
  readonly organization?: string
  readonly project?: string
  /** Azure `api-version`. */
  readonly apiVersion?: string
  /** Extra headers of every request, lower case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly models: {
    /** Globs; empty = all. */
    readonly allow: readonly string[]
    readonly deny: readonly string[]
    /** Names clients use → the provider's name. */
    readonly aliases: Readonly<Record<string, string>>
    /** What `/v1/models` shows of this account besides aliases and plain names in `allow`. */
    readonly list: readonly string[]
  }
  readonly limits: {
    readonly requestsPerMinute?: number
    readonly tokensPerMinute?: number
    readonly maxInFlight?: number
  }
  readonly state: 'Enabled' | 'Draining' | 'Disabled'
  /** Decimal text, e.g. `0.85`; prices of the catalogue times this. */
  readonly priceMultiplier?: string
  readonly healthCheck: {
    readonly state: 'Enabled' | 'Disabled'
    readonly intervalMs: number
    readonly timeoutMs: number
    /** Slower than this counts as degraded. */
    readonly degradedLatencyMs: number
    readonly model?: string
  }
  readonly connections: {
    readonly maxIdle: number
    readonly maxIdlePerHost: number
    readonly idleTimeoutMs: number
  }
  readonly proxyUrl?: string
  /** Ollama context size, tokens. */
  readonly numCtx?: number
}

/** Facts about a model. Absent = unknown. */
export interface ModelFacts {
  readonly name: string
  readonly displayName?: string
  /** Vendor, e.g. `openai`; for `owned_by`. */
  readonly vendor?: string
  readonly requestTypes?: readonly RequestType[]
  readonly contextWindow?: number
  readonly maxOutputTokens?: number
  /** `true` = has it, `false` = has it not. Names as in `ModelCapabilities` of the formats. */
  readonly capabilities?: Readonly<Record<string, boolean>>
  readonly pricing?: ModelPricing
  /** RFC 3339 date after which the vendor retires it. */
  readonly deprecatedAt?: string
}
/** pico-USD per token. */
export interface TokenPrices {
  readonly input?: number
  readonly cachedInput?: number
  readonly cacheWrite?: number
  readonly cacheWrite1h?: number
  readonly output?: number
  readonly reasoning?: number
}
export interface ModelPricing extends TokenPrices {
  /** pico-USD for each request. */
  readonly perRequest?: number
  /** The highest tier whose bound the prompt passes prices the whole request. Ascending. */
  readonly tiers?: readonly PriceTier[]
  /** By the tier of service that an answer names. One that is not here has no known price. */
  readonly serviceTiers?: { readonly [Tier in 'flex' | 'priority']?: TierPricing }
}
export interface PriceTier extends TokenPrices {
  readonly aboveInputTokens: number
}
export type TierPricing = Omit<ModelPricing, 'perRequest' | 'serviceTiers'>

export interface ClientsSection {
  /** SHA-256 of the whole key, lower-case hex → whose it is. */
  readonly digests: Readonly<Record<string, ClientCredential>>
  /** By `namespace/name`. */
  readonly clients: Readonly<Record<string, Client>>
}
export interface ClientCredential {
  readonly client: string
  readonly name: string
  /** Unix time in milliseconds. */
  readonly expiresAtMs?: number
}
export interface Client {
  readonly tenant: string
  readonly name: string
  readonly displayName: string
  readonly profile?: string
  readonly profileOverride: 'Allow' | 'Deny'
  readonly allowedModels: readonly string[]
  readonly allowedTypes: readonly RequestType[]
  readonly safeMode: 'Inherit' | 'Enabled' | 'Disabled'
  readonly state: 'Active' | 'Suspended' | 'Revoked'
}

/** By `namespace/account`. Values never enter the hash, a log or a status. */
export type CredentialsSection = Readonly<Record<string, Credential>>
export type Credential =
  | { readonly type: 'APIKey'; readonly version: string; readonly apiKey: string; readonly caPem?: string }
  | {
      readonly type: 'OAuth2'
      readonly version: string
      readonly tokenUrl: string
      readonly clientId: string
      readonly clientSecret?: string
      readonly refreshToken: string
      readonly scopes: readonly string[]
      readonly clientAuthentication: 'Basic' | 'Post' | 'None'
      readonly bodyFormat: 'Form' | 'JSON'
      readonly headers: Readonly<Record<string, string>>
      /** Refresh this long before expiry; absent = max(5 min, 10 % of the lifetime). */
      readonly refreshLeadMs?: number
      readonly caPem?: string
    }
  /** Of an OAuth 2 account whose tokens the controller refreshes: what gateways send, and nothing to get more with. */
  | {
      readonly type: 'AccessToken'
      readonly version: string
      /** Empty while there is none. */
      readonly accessToken: string
      /** Unix time, milliseconds. */
      readonly expiresAtMs: number
      readonly caPem?: string
    }
  | { readonly type: 'None'; readonly version: string; readonly caPem?: string }
