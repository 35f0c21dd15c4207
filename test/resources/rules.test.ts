import t from 'tap'
import { z } from 'zod'
import { KINDS, type Kind } from '../../src/resources/kinds.ts'
import { parseResource } from '../../src/resources/parse-resource.ts'
import { VALIDATIONS, withRules } from '../../src/resources/rule.ts'

interface Case {
  readonly kind: Kind
  readonly rule: string
  readonly good: readonly object[]
  readonly bad: readonly object[]
}

const key = { secretKeyRef: { name: 'a' } }
const oauth2 = { tokenURL: 'https://a.example/token', clientID: 'a', refreshTokenRef: { name: 'b' } }
const group = { accountRefs: [{ name: 'a' }] }
const rule = { name: 'a', providerGroups: [{ name: 'x' }] }
const headers = (name: string) => ({ provider: 'Mock', headers: [{ name, value: 'a' }] })
const match = (header: object) => ({ rules: [{ ...rule, match: { headers: [{ name: 'x-team', ...header }] } }] })
const limit = (window: object) => ({ limits: [{ name: 'a', metric: 'Requests', max: '1', ...window }] })
const RESERVED =
  'must not carry a credential, frame the message, belong to the connection, or start with x-korproxy-, x-forwarded-, sec-'

/** Both sides of every rule. The corpus holds the same for the API server. */
const CASES: readonly Case[] = [
  {
    kind: 'ProviderAccount',
    rule: 'baseURL is required for this provider',
    good: [
      { provider: 'Ollama', baseURL: 'http://a' },
      { provider: 'OpenAI', auth: key },
      { provider: 'OpenAICompatible', preset: 'Groq', auth: key },
    ],
    bad: [
      { provider: 'Ollama' },
      { provider: 'AzureOpenAI', auth: key },
      { provider: 'OpenAICompatible', auth: key },
      { provider: 'OpenAICompatible', preset: 'VLLM' },
    ],
  },
  {
    kind: 'ProviderAccount',
    rule: 'auth is required for this provider',
    good: [{ provider: 'Mock' }, { provider: 'OpenAICompatible', preset: 'SGLang', baseURL: 'http://a' }],
    bad: [
      { provider: 'OpenAI' },
      { provider: 'OpenAICompatible', baseURL: 'http://a' },
      { provider: 'OpenAICompatible', preset: 'Groq' },
    ],
  },
  {
    kind: 'ProviderAccount',
    rule: 'preset is only for provider OpenAICompatible',
    good: [{ provider: 'OpenAICompatible', preset: 'XAI', auth: key }],
    bad: [{ provider: 'Mock', preset: 'XAI' }],
  },
  {
    kind: 'ProviderAccount',
    rule: 'azure is only for provider AzureOpenAI',
    good: [{ provider: 'AzureOpenAI', baseURL: 'https://a', auth: key, azure: {} }],
    bad: [{ provider: 'Mock', azure: {} }],
  },
  {
    kind: 'ProviderAccount',
    rule: 'ollama is only for provider Ollama',
    good: [{ provider: 'Ollama', baseURL: 'http://a', ollama: { numCtx: 4096 } }],
    bad: [{ provider: 'Mock', ollama: { numCtx: 4096 } }],
  },
  {
    kind: 'ProviderAccount',
    rule: 'APIKey needs exactly one of secretKeyRef, valueFrom',
    good: [
      { provider: 'OpenAI', auth: key },
      { provider: 'OpenAI', auth: { valueFrom: { env: 'A' } } },
    ],
    bad: [
      { provider: 'OpenAI', auth: {} },
      { provider: 'OpenAI', auth: { ...key, valueFrom: { env: 'A' } } },
    ],
  },
  {
    kind: 'ProviderAccount',
    rule: 'set exactly one of env, file',
    good: [{ provider: 'OpenAI', auth: { valueFrom: { file: 'a' } } }],
    bad: [
      { provider: 'OpenAI', auth: { valueFrom: {} } },
      { provider: 'OpenAI', auth: { valueFrom: { env: 'A', file: 'a' } } },
    ],
  },
  {
    kind: 'ProviderAccount',
    rule: 'oauth2 is required for OAuth2 and only allowed there',
    good: [{ provider: 'Codex', auth: { type: 'OAuth2', oauth2 } }],
    bad: [
      { provider: 'Codex', auth: { type: 'OAuth2' } },
      { provider: 'Codex', auth: { ...key, oauth2 } },
    ],
  },
  {
    kind: 'ProviderAccount',
    rule: 'secretKeyRef and valueFrom are only for APIKey',
    good: [{ provider: 'Mock', auth: { type: 'None' } }],
    bad: [
      { provider: 'Mock', auth: { type: 'None', ...key } },
      { provider: 'Codex', auth: { type: 'OAuth2', oauth2, valueFrom: { env: 'A' } } },
    ],
  },
  {
    kind: 'ProviderAccount',
    rule: RESERVED,
    good: [headers('x-title'), headers('openai-beta')],
    bad: [
      'authorization',
      'x-api-key',
      'x-goog-api-key',
      'cookie',
      'host',
      'content-length',
      'transfer-encoding',
      'x-forwarded-for',
      'x-korproxy-profile',
      'sec-fetch-mode',
    ].map(headers),
  },
  {
    kind: 'ProviderGroup',
    rule: 'set accountRefs or accountSelector',
    good: [group, { accountSelector: { matchLabels: { a: 'b' } } }],
    bad: [{}, { accountRefs: [] }],
  },
  {
    kind: 'ProviderGroup',
    rule: 'header is required when by is Header',
    good: [
      { ...group, affinity: { by: 'Header', header: 'x-session' } },
      { ...group, affinity: {} },
    ],
    bad: [{ ...group, affinity: { by: 'Header' } }],
  },
  {
    kind: 'ProviderGroup',
    rule: 'fallback groups must be different',
    good: [{ ...group, fallbackGroupRefs: [{ name: 'b' }, { name: 'c' }] }],
    bad: [{ ...group, fallbackGroupRefs: [{ name: 'b' }, { name: 'b' }] }],
  },
  {
    kind: 'RoutingProfile',
    rule: 'set rules or defaultProviderGroup',
    good: [{ rules: [rule] }, { rules: [], defaultProviderGroup: { name: 'a' } }],
    bad: [{}, { rules: [] }],
  },
  {
    kind: 'RoutingProfile',
    rule: 'at least one provider group needs weight > 0',
    good: [{ rules: [{ ...rule, providerGroups: [{ name: 'x', weight: 0 }, { name: 'y' }] }] }],
    bad: [{ rules: [{ ...rule, providerGroups: [{ name: 'x', weight: 0 }] }] }],
  },
  {
    kind: 'RoutingProfile',
    rule: 'value is required unless type is Present',
    good: [match({ value: 'a' }), match({ type: 'Present' })],
    bad: [match({}), match({ type: 'Glob' }), match({ type: 'Present', value: 'a' })],
  },
  {
    kind: 'GatewayClient',
    rule: 'set exactly one of secretKeyRef, sha256',
    good: [{ credentials: [{ name: 'a', ...key }] }, { credentials: [{ name: 'a', sha256: 'ab'.repeat(32) }] }],
    bad: [{ credentials: [{ name: 'a' }] }, { credentials: [{ name: 'a', ...key, sha256: 'ab'.repeat(32) }] }],
  },
  {
    kind: 'UsagePolicy',
    rule: 'window is required unless metric is InFlight',
    good: [{ limits: [{ name: 'a', metric: 'InFlight', max: '1' }] }, limit({ window: { duration: '1m' } })],
    bad: [limit({})],
  },
  {
    kind: 'UsagePolicy',
    rule: 'Sliding needs duration, Calendar needs period',
    good: [limit({ window: { duration: '1m' } }), limit({ window: { type: 'Calendar', period: 'Day' } })],
    bad: [
      limit({ window: {} }),
      limit({ window: { period: 'Day' } }),
      limit({ window: { type: 'Calendar', duration: '1m' } }),
      limit({ window: { type: 'Calendar', period: 'Day', duration: '1m' } }),
    ],
  },
  {
    kind: 'ModelCatalog',
    rule: 'set families or models',
    good: [{ models: [] }, { families: [] }],
    bad: [{}],
  },
  {
    kind: 'ModelCatalog',
    rule: 'each tier needs a different aboveInputTokens',
    good: [{ models: [{ name: 'a', pricing: { tiers: [{ aboveInputTokens: 1 }, { aboveInputTokens: 2 }] } }] }],
    bad: [{ models: [{ name: 'a', pricing: { tiers: [{ aboveInputTokens: 1 }, { aboveInputTokens: 1 }] } }] }],
  },
  {
    kind: 'GatewayConfig',
    rule: 'providerGroupRef is required while safeMode is Enabled',
    good: [{ safeMode: {} }, { safeMode: { state: 'Enabled', providerGroupRef: { name: 'a' } } }],
    bad: [{ safeMode: { state: 'Enabled' } }],
  },
  {
    kind: 'GatewayConfig',
    rule: RESERVED,
    good: [{ headers: { requestAllow: ['x-team'] } }],
    bad: [{ headers: { requestAllow: ['cookie'] } }],
  },
]

/** Rules between two forms of an object; nothing but the API server sees both. */
const TRANSITIONS = ['provider is immutable; create a new account']

function messagesOf(kind: Kind, spec: object): string[] {
  const result = parseResource(
    { apiVersion: 'korproxy.dev/v1alpha1', kind, metadata: { name: 'a' }, spec },
    { namespace: 'default' },
  )
  return 'problems' in result ? result.problems.map(({ message }) => message) : []
}

for (const { kind, rule, good, bad } of CASES) {
  t.test(`R4.8 ${kind}: ${rule}`, (t) => {
    for (const spec of good) t.strictSame(messagesOf(kind, spec), [], JSON.stringify(spec))
    for (const spec of bad) t.ok(messagesOf(kind, spec).includes(rule), JSON.stringify(spec))
    t.end()
  })
}

t.test('R4.8 every rule of every CRD is in the table above', (t) => {
  const rules = Object.entries(KINDS).flatMap(([kind, { spec }]) => {
    const text = JSON.stringify(z.toJSONSchema(spec, { target: 'openapi-3.0', io: 'input', reused: 'inline' }))
    return [...text.matchAll(/"rule":"(?:[^"\\]|\\.)*","message":"([^"]*)"/g)].map(
      ([, message]) => `${kind}: ${message}`,
    )
  })
  const tested = [
    ...CASES.map(({ kind, rule }) => `${kind}: ${rule}`),
    ...TRANSITIONS.map((message) => `ProviderAccount: ${message}`),
  ]
  t.strictSame([...new Set(rules)].sort(), tested.sort())
  t.end()
})

t.test('a rule is kept when a schema is described and wrapped', (t) => {
  const schema = withRules(z.strictObject({ a: z.string().optional() }), [
    { message: 'a is needed', cel: 'has(self.a)', field: 'a', holds: ({ a }) => a !== undefined },
  ])
    .prefault({})
    .describe('Something.')
  t.strictSame(z.toJSONSchema(schema)[VALIDATIONS], [{ rule: 'has(self.a)', message: 'a is needed', fieldPath: '.a' }])
  t.strictSame(
    schema.safeParse({}).error?.issues.map(({ path, message }) => [path, message]),
    [[['a'], 'a is needed']],
  )
  t.end()
})
