import {
  type Account,
  type Affinity,
  type Client,
  type ClientCredential,
  type ClientsSection,
  type CoreSection,
  type Credential,
  type Group,
  type GroupMember,
  type GroupTarget,
  type HeaderMatch,
  type HealthPolicy,
  type ModelFacts,
  type ModelFamily,
  type ModelPricing,
  PROVIDER_NAMES,
  type PriceTier,
  type Profile,
  type RetryPolicy,
  type Rule,
  type RuleMatch,
  type Tenant,
  type TierPricing,
  type Timeouts,
} from './routing-table.ts'
import { flag, integer, listOf, mapOf, nullable, objectOf, oneOf, type Shape, taggedBy, text } from './shape.ts'

/** The shapes of the three sections. Counts are far above what the resources allow in one namespace: they end what is absurd. */

const MAX_TENANTS = 1_000
const MAX_OBJECTS = 10_000
const MAX_MODELS = 20_000
const MAX_RULES = 1_000
const MAX_CLIENTS = 200_000
/** Keys, tokens and certificates. */
const MAX_SECRET = 1_048_576

const name = text({ minLength: 1, maxLength: 253 })
const names = (max: number): Shape => listOf(name, max)
const glob = text({ minLength: 1, maxLength: 1_024 })
const globs = (max: number): Shape => listOf(glob, max)
const label = text({ minLength: 1, maxLength: 1_024 })
const milliseconds = integer(0)
const picoUsd = integer(0)
const switchState = oneOf('Enabled', 'Disabled')
const requestType = oneOf('chat', 'completion', 'embedding', 'other')

const retryFields = {
  maxAttempts: integer(1, 100),
  conditions: listOf(oneOf('RateLimited', 'ServerError', 'ConnectError', 'Timeout', 'Reset'), 5),
  budgetPercent: integer(0, 100),
  budgetMinimum: integer(0),
  backoffBaseMs: milliseconds,
  backoffMaxMs: milliseconds,
  maxRetryAfterWaitMs: milliseconds,
}
const timeoutFields = {
  connectMs: milliseconds,
  firstByteMs: milliseconds,
  firstByteWholeMs: milliseconds,
  idleMs: milliseconds,
  requestMs: milliseconds,
}

const target = objectOf<GroupTarget>(
  { group: name, priority: integer(0), weight: integer(0) },
  { modelOverride: label },
)
const rule = objectOf<Rule>(
  {
    name,
    match: objectOf<RuleMatch>(
      {},
      {
        requestTypes: listOf(requestType, 4),
        models: globs(256),
        modelFamilies: names(256),
        clients: names(256),
        headers: listOf(
          objectOf<HeaderMatch>({ name, type: oneOf('Exact', 'Prefix', 'Glob', 'Present') }, { value: text() }),
          64,
        ),
      },
    ),
    targets: listOf(target, 64),
  },
  {
    modelOverride: label,
    retry: objectOf<Partial<RetryPolicy>>({}, retryFields),
    timeouts: objectOf<Partial<Timeouts>>({}, timeoutFields),
  },
)
const profile = objectOf<Profile>(
  { name, displayName: text(), rules: listOf(rule, MAX_RULES), defaultTargets: listOf(target, 64) },
  {},
)

const health = objectOf<HealthPolicy>(
  {
    failureThreshold: integer(1),
    minimumSpreadMs: milliseconds,
    erroringTimeoutMs: milliseconds,
    backoff: objectOf<HealthPolicy['backoff']>(
      {
        initialMs: milliseconds,
        maxMs: milliseconds,
        multiplier: integer(1),
        jitterPercent: integer(0, 100),
        retryAfter: oneOf('Honor', 'Ignore'),
      },
      {},
    ),
    halfOpenRequests: integer(1),
    whenAllUnavailable: oneOf('LeastRecentlyLimited', 'FailFast'),
  },
  {},
)
const group = objectOf<Group>(
  {
    name,
    displayName: text(),
    strategy: oneOf(
      'RoundRobin',
      'Weighted',
      'Random',
      'Priority',
      'LeastInFlight',
      'LatencyAware',
      'LowestCost',
      'Sticky',
    ),
    members: listOf(
      objectOf<GroupMember>({ account: name, weight: integer(0), priority: integer(0) }, {}),
      MAX_OBJECTS,
    ),
    affinity: objectOf<Affinity>(
      { by: oneOf('None', 'Client', 'Header', 'PromptPrefix', 'Session') },
      { header: name },
    ),
    health,
    retry: objectOf<RetryPolicy>(retryFields, {}),
    timeouts: objectOf<Timeouts>(timeoutFields, {}),
    fallbackGroups: names(64),
    onUnsupported: oneOf('Error', 'Drop'),
  },
  {},
)

const account = objectOf<Account>(
  {
    name,
    displayName: text(),
    provider: oneOf(...PROVIDER_NAMES),
    auth: oneOf('APIKey', 'OAuth2', 'None'),
    headers: mapOf(text(), 64),
    models: objectOf<Account['models']>(
      { allow: globs(512), deny: globs(512), aliases: mapOf(label, 2_048), list: listOf(label, 2_048) },
      {},
    ),
    limits: objectOf<Account['limits']>(
      {},
      { requestsPerMinute: integer(0), tokensPerMinute: integer(0), maxInFlight: integer(0) },
    ),
    state: oneOf('Enabled', 'Draining', 'Disabled'),
    healthCheck: objectOf<Account['healthCheck']>(
      {
        state: switchState,
        intervalMs: milliseconds,
        timeoutMs: milliseconds,
        degradedLatencyMs: milliseconds,
      },
      { model: label },
    ),
    connections: objectOf<Account['connections']>(
      { maxIdle: integer(0), maxIdlePerHost: integer(0), idleTimeoutMs: milliseconds },
      {},
    ),
  },
  {
    preset: name,
    baseUrl: label,
    organization: text(),
    project: text(),
    apiVersion: text(),
    priceMultiplier: text(),
    proxyUrl: label,
    numCtx: integer(1),
  },
)

const prices = {
  input: picoUsd,
  cachedInput: picoUsd,
  cacheWrite: picoUsd,
  cacheWrite1h: picoUsd,
  output: picoUsd,
  reasoning: picoUsd,
}
const tierPricing = { ...prices, tiers: listOf(objectOf<PriceTier>({ aboveInputTokens: integer(0) }, prices), 64) }
const modelFacts = objectOf<ModelFacts>(
  { name: label },
  {
    displayName: text(),
    vendor: text(),
    requestTypes: listOf(requestType, 4),
    contextWindow: integer(0),
    maxOutputTokens: integer(0),
    capabilities: mapOf(flag(), 256),
    pricing: objectOf<ModelPricing>(
      {},
      {
        ...tierPricing,
        perRequest: picoUsd,
        serviceTiers: objectOf<NonNullable<ModelPricing['serviceTiers']>>(
          {},
          { flex: objectOf<TierPricing>({}, tierPricing), priority: objectOf<TierPricing>({}, tierPricing) },
        ),
      },
    ),
    deprecatedAt: text(),
  },
)

const tenant = objectOf<Tenant>(
  {
    name,
    activeProfile: name,
    clientAuth: oneOf('Required', 'Optional', 'Disabled'),
    safeMode: nullable(
      objectOf<NonNullable<Tenant['safeMode']>>({ state: switchState, group: name }, { model: label }),
    ),
    profiles: mapOf(profile, MAX_OBJECTS),
    groups: mapOf(group, MAX_OBJECTS),
    accounts: mapOf(account, MAX_OBJECTS),
    families: listOf(objectOf<ModelFamily>({ name, patterns: globs(1_024) }, { requestType }), 1_024),
    models: mapOf(modelFacts, MAX_MODELS),
    modelAliases: mapOf(label, MAX_MODELS),
    requestLimits: objectOf<Tenant['requestLimits']>({ maxBodyBytes: integer(1), maxDepth: integer(1, 10_000) }, {}),
    requestHeaders: names(256),
    featureFlags: mapOf(switchState, 256),
  },
  {},
)

const CORE_SHAPE = objectOf<CoreSection>({ defaultTenant: name, tenants: mapOf(tenant, MAX_TENANTS) }, {})

const CLIENTS_SHAPE = objectOf<ClientsSection>(
  {
    digests: mapOf(
      objectOf<ClientCredential>({ client: text({ minLength: 3, maxLength: 512 }), name }, { expiresAtMs: integer(0) }),
      MAX_CLIENTS,
    ),
    clients: mapOf(
      objectOf<Client>(
        {
          tenant: name,
          name,
          displayName: text(),
          profileOverride: oneOf('Allow', 'Deny'),
          allowedModels: globs(256),
          allowedTypes: listOf(requestType, 4),
          safeMode: oneOf('Inherit', 'Enabled', 'Disabled'),
          state: oneOf('Active', 'Suspended', 'Revoked'),
        },
        { profile: name },
      ),
      MAX_CLIENTS,
    ),
  },
  {},
)

const secret = text({ minLength: 1, maxLength: MAX_SECRET })
const version = text({ maxLength: 512 })
const CREDENTIALS_SHAPE = mapOf(
  taggedBy('type', {
    APIKey: objectOf<Extract<Credential, { type: 'APIKey' }>>(
      { type: oneOf('APIKey'), version, apiKey: secret },
      { caPem: secret },
    ),
    OAuth2: objectOf<Extract<Credential, { type: 'OAuth2' }>>(
      {
        type: oneOf('OAuth2'),
        version,
        tokenUrl: label,
        clientId: text({ minLength: 1 }),
        refreshToken: secret,
        scopes: listOf(text(), 256),
        clientAuthentication: oneOf('Basic', 'Post', 'None'),
        bodyFormat: oneOf('Form', 'JSON'),
        headers: mapOf(text(), 64),
      },
      { clientSecret: secret, refreshLeadMs: milliseconds, caPem: secret },
    ),
    AccessToken: objectOf<Extract<Credential, { type: 'AccessToken' }>>(
      { type: oneOf('AccessToken'), version, accessToken: text({ maxLength: MAX_SECRET }), expiresAtMs: milliseconds },
      { caPem: secret },
    ),
    None: objectOf<Extract<Credential, { type: 'None' }>>({ type: oneOf('None'), version }, { caPem: secret }),
  }),
  MAX_TENANTS * 100,
)

export const SECTION_SHAPES = { core: CORE_SHAPE, clients: CLIENTS_SHAPE, credentials: CREDENTIALS_SHAPE } as const
