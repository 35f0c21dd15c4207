import { z } from 'zod'
import { decimal } from './decimal.ts'
import { duration } from './duration.ts'
import { extraHeader, httpURL } from './http.ts'
import { AGE, type KindDefinition, READY } from './kind-definition.ts'
import { mapOf, setOf } from './list.ts'
import { displayName, modelGlob, modelName } from './name.ts'
import { accountAuth } from './provider-auth.ts'
import { secretKeyReference } from './reference.ts'
import { withRules, withTransitionRules } from './rule.ts'
import { baseStatus, count, timestamp } from './status.ts'

const PROVIDERS = [
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

/** Presets of services with an address of their own. */
const HOSTED_PRESETS = [
  'Qwen',
  'QwenInternational',
  'IFlow',
  'Groq',
  'Mistral',
  'DeepSeek',
  'XAI',
  'Together',
  'Fireworks',
  'Cerebras',
  'Nvidia',
  'Moonshot',
  'Zhipu',
] as const
/** Presets of servers that people run themselves: they need a baseURL and often no key. */
const OWN_SERVER_PRESETS = ['VLLM', 'LMStudio', 'LlamaCpp', 'SGLang', 'LiteLLM'] as const
const PRESETS = [...HOSTED_PRESETS, ...OWN_SERVER_PRESETS] as const

const HOSTED: ReadonlySet<string | undefined> = new Set(HOSTED_PRESETS)
const OWN_SERVER: ReadonlySet<string | undefined> = new Set(OWN_SERVER_PRESETS)
const celList = (names: readonly string[]) => `[${names.map((name) => `'${name}'`).join(', ')}]`

const models = z
  .strictObject({
    allow: setOf(modelGlob(), 128)
      .optional()
      .describe('Globs of the models this account serves, e.g. `claude-*`. Absent or empty: all.'),
    deny: setOf(modelGlob(), 128)
      .optional()
      .describe('Globs of models this account never serves; stronger than `allow`.'),
    aliases: mapOf(
      z.strictObject({
        name: modelName().describe('Name that clients use.'),
        upstream: modelName().describe('Name that the provider knows.'),
      }),
      'name',
      128,
    )
      .optional()
      .describe('Other names for models. An alias is allowed without being in `allow`.'),
    list: setOf(modelName(), 512)
      .optional()
      .describe(
        'Models that `GET /v1/models` shows for this account, besides its aliases and the plain names in `allow`.',
      ),
  })
  .prefault({})
  .describe('Which models this account serves, and by which names.')

const limits = z
  .strictObject({
    requestsPerMinute: z
      .int()
      .min(1)
      .max(1e12)
      .optional()
      .describe('Requests a minute that this account may get. Absent: no limit.'),
    tokensPerMinute: z
      .int()
      .min(1)
      .max(1e12)
      .optional()
      .describe('Tokens a minute, input and output, that this account may get. Absent: no limit.'),
    maxInFlight: z.int32().min(1).max(100_000).optional().describe('Requests at the same time. Absent: no limit.'),
  })
  .prefault({})
  .describe('What may be sent to this account; what is more goes to other accounts.')

const healthCheck = z
  .strictObject({
    state: z
      .enum(['Disabled', 'Enabled'])
      .default('Disabled')
      .describe('Enabled asks the provider regularly for its list of models, or for one token of `model`.'),
    interval: duration().default('30s').describe('Time between two checks.'),
    timeout: duration().default('10s').describe('A check that takes longer has failed.'),
    degradedLatency: duration().default('5s').describe('An account whose check takes longer is reported as degraded.'),
    model: modelName()
      .optional()
      .describe('Checks with a request of one token to this model. Costs money where tokens do.'),
  })
  .prefault({})
  .describe('Active checks. Real requests are watched always.')

const connections = z
  .strictObject({
    maxIdle: z
      .int32()
      .min(0)
      .max(10_000)
      .default(100)
      .describe('Idle connections kept to all hosts together; of all accounts the largest limit counts.'),
    maxIdlePerHost: z
      .int32()
      .min(0)
      .max(10_000)
      .default(10)
      .describe('Idle connections kept to one host; of the accounts that share it the largest limit counts.'),
    idleTimeout: duration().default('90s').describe('An idle connection is closed after this time.'),
  })
  .prefault({})
  .describe('Connections kept open to the provider.')

const azure = z
  .strictObject({
    apiVersion: z
      .string()
      .min(1)
      .max(32)
      .regex(/^[A-Za-z0-9.-]+$/, 'must be an API version such as 2024-10-21')
      .optional()
      .describe('Value of `api-version`. Absent: the v1 API, which needs none.'),
    deployments: mapOf(
      z.strictObject({
        model: modelName().describe('Model name that clients use.'),
        deployment: modelName().describe('Name of the deployment.'),
      }),
      'model',
      128,
    )
      .optional()
      .describe('Deployments by model. A model that is not listed is taken for the name of its deployment.'),
  })
  .describe('Only for provider AzureOpenAI.')

const spec = z.strictObject({
  provider: z.enum(PROVIDERS).describe('Service that this account belongs to. Cannot be changed later.'),
  preset: z
    .enum(PRESETS)
    .optional()
    .describe('Only for OpenAICompatible: sets the base URL (where the service has one) and known peculiarities.'),
  displayName: displayName().optional(),
  baseURL: httpURL()
    .optional()
    .describe(
      'Address of the API. Needed for Ollama, AzureOpenAI, and OpenAICompatible unless its preset has one; otherwise the public address of the provider.',
    ),
  auth: accountAuth()
    .optional()
    .describe('Credential. Needed unless the provider is Ollama or Mock or the preset is a server of your own.'),
  organization: z.string().min(1).max(128).optional().describe('OpenAI organization, sent as `OpenAI-Organization`.'),
  project: z.string().min(1).max(128).optional().describe('OpenAI project, sent as `OpenAI-Project`.'),
  azure: azure.optional(),
  ollama: z
    .strictObject({
      numCtx: z
        .int32()
        .min(256)
        .max(16_777_216)
        .optional()
        .describe('Context size to ask for (`options.num_ctx`), in tokens.'),
    })
    .optional()
    .describe('Only for provider Ollama.'),
  headers: mapOf(extraHeader(), 'name', 16)
    .optional()
    .describe('Headers added to every request to this account. Credentials go into `auth`.'),
  models,
  prices: z
    .strictObject({
      multiplier: decimal()
        .default('1')
        .describe('Prices of the catalogue times this, for negotiated rates, e.g. "0.85".'),
    })
    .prefault({})
    .describe('What this account pays.'),
  limits,
  state: z
    .enum(['Enabled', 'Draining', 'Disabled'])
    .default('Enabled')
    .describe('Draining: no new request, those in flight finish. Disabled: never used.'),
  healthCheck,
  connections,
  tls: z
    .strictObject({
      caSecretKeyRef: secretKeyReference('ca.crt')
        .optional()
        .describe('Certificate authorities (PEM) trusted besides the public ones.'),
    })
    .optional()
    .describe('TLS towards the provider.'),
  proxyURL: httpURL().optional().describe('HTTP proxy for requests to this account.'),
})

type AccountSpec = z.output<typeof spec>

function needsBaseURL({ provider, preset }: AccountSpec): boolean {
  return provider === 'Ollama' || provider === 'AzureOpenAI' || (provider === 'OpenAICompatible' && !HOSTED.has(preset))
}

function mayGoWithoutAuth({ provider, preset }: AccountSpec): boolean {
  return provider === 'Ollama' || provider === 'Mock' || OWN_SERVER.has(preset)
}

const checkedSpec = withTransitionRules(
  withRules(spec, [
    {
      message: 'baseURL is required for this provider',
      cel: `has(self.baseURL) || !(self.provider in ['Ollama', 'AzureOpenAI', 'OpenAICompatible']) || (self.provider == 'OpenAICompatible' && has(self.preset) && self.preset in ${celList(HOSTED_PRESETS)})`,
      field: 'baseURL',
      holds: (value) => value.baseURL !== undefined || !needsBaseURL(value),
    },
    {
      message: 'auth is required for this provider',
      cel: `has(self.auth) || self.provider in ['Ollama', 'Mock'] || (has(self.preset) && self.preset in ${celList(OWN_SERVER_PRESETS)})`,
      field: 'auth',
      holds: (value) => value.auth !== undefined || mayGoWithoutAuth(value),
    },
    {
      message: 'preset is only for provider OpenAICompatible',
      cel: "!has(self.preset) || self.provider == 'OpenAICompatible'",
      field: 'preset',
      holds: ({ preset, provider }) => preset === undefined || provider === 'OpenAICompatible',
    },
    {
      message: 'azure is only for provider AzureOpenAI',
      cel: "!has(self.azure) || self.provider == 'AzureOpenAI'",
      field: 'azure',
      holds: (value) => value.azure === undefined || value.provider === 'AzureOpenAI',
    },
    {
      message: 'ollama is only for provider Ollama',
      cel: "!has(self.ollama) || self.provider == 'Ollama'",
      field: 'ollama',
      holds: ({ ollama, provider }) => ollama === undefined || provider === 'Ollama',
    },
  ]),
  [
    {
      message: 'provider is immutable; create a new account',
      cel: 'self.provider == oldSelf.provider',
      field: 'provider',
    },
  ],
)

const status = z.strictObject({
  ...baseStatus,
  health: z
    .enum(['available', 'rate_limited', 'erroring', 'disabled', 'unknown'])
    .optional()
    .describe('The worst that any gateway sees.'),
  healthSince: timestamp().optional().describe('When `health` last changed.'),
  backoffUntil: timestamp().optional().describe('No request is sent before this time.'),
  lastErrorCode: z.string().max(16).optional().describe('KP code of the last failure.'),
  lastErrorMessage: z.string().max(512).optional().describe('What the last failure was, without secrets.'),
  lastErrorTime: timestamp().optional().describe('When the last failure was.'),
  groups: count().optional().describe('ProviderGroups that use this account.'),
  gatewayHealth: z
    .strictObject({
      available: count().optional().describe('Gateways that see it as available.'),
      rateLimited: count().optional().describe('Gateways that see it as rate-limited.'),
      erroring: count().optional().describe('Gateways that see it as erroring.'),
    })
    .optional()
    .describe('How the gateways see this account.'),
})

export const providerAccount = {
  kind: 'ProviderAccount',
  plural: 'provideraccounts',
  shortName: 'pacct',
  description: 'One credential at one provider: the unit of health, quota and cost. The only kind that is needed.',
  spec: checkedSpec,
  status,
  columns: [
    { name: 'Provider', type: 'string', jsonPath: '.spec.provider' },
    { name: 'Health', type: 'string', jsonPath: '.status.health' },
    { name: 'Groups', type: 'integer', jsonPath: '.status.groups' },
    READY,
    { name: 'Until', type: 'string', jsonPath: '.status.backoffUntil', priority: 1 },
    { name: 'Last-Error', type: 'string', jsonPath: '.status.lastErrorCode', priority: 1 },
    AGE,
  ],
  selectableFields: ['.spec.provider', '.spec.state'],
} as const satisfies KindDefinition
