import t from 'tap'
import type { ImportResult } from '../../../src/cli/import/import-result.ts'
import { importLitellm } from '../../../src/cli/import/litellm.ts'
import { litellmSchema } from '../../../src/cli/import/litellm-schema.ts'

function run(config: unknown, environment: Record<string, string> = {}): ImportResult {
  return importLitellm(litellmSchema.parse(config), { environment, sha256: (text) => `digest of ${text}` })
}

function specsOf({ objects }: ImportResult, kind: string): unknown[] {
  return objects
    .filter((object) => object.kind === kind)
    .map(({ metadata, spec }) => ({ name: metadata.name, ...spec }))
}

function model(name: string, params: Record<string, unknown>): Record<string, unknown> {
  return { model_name: name, litellm_params: params }
}

t.test('R4.9 provider prefixes lead to providers and presets, with the variable that LiteLLM reads', (t) => {
  const cases: readonly (readonly [string, Record<string, unknown>])[] = [
    ['openai/gpt-4o', { provider: 'OpenAI', auth: { valueFrom: { env: 'OPENAI_API_KEY' } } }],
    ['o3', { provider: 'OpenAI', auth: { valueFrom: { env: 'OPENAI_API_KEY' } } }],
    ['anthropic/claude-opus-4-5', { provider: 'Anthropic', auth: { valueFrom: { env: 'ANTHROPIC_API_KEY' } } }],
    ['claude-opus-4-5', { provider: 'Anthropic', auth: { valueFrom: { env: 'ANTHROPIC_API_KEY' } } }],
    ['gemini/gemini-2.5-pro', { provider: 'Gemini', auth: { valueFrom: { env: 'GEMINI_API_KEY' } } }],
    ['openrouter/meta-llama/llama-4', { provider: 'OpenRouter', auth: { valueFrom: { env: 'OPENROUTER_API_KEY' } } }],
    [
      'mistral/mistral-large',
      { provider: 'OpenAICompatible', preset: 'Mistral', auth: { valueFrom: { env: 'MISTRAL_API_KEY' } } },
    ],
    [
      'deepseek/deepseek-chat',
      { provider: 'OpenAICompatible', preset: 'DeepSeek', auth: { valueFrom: { env: 'DEEPSEEK_API_KEY' } } },
    ],
    [
      'dashscope/qwen-max',
      { provider: 'OpenAICompatible', preset: 'QwenInternational', auth: { valueFrom: { env: 'DASHSCOPE_API_KEY' } } },
    ],
    ['ollama/qwen3', { provider: 'Ollama', baseURL: 'http://localhost:11434' }],
  ]
  for (const [upstream, expected] of cases) {
    const result = run({ model_list: [model('m', { model: upstream })] })
    t.match(specsOf(result, 'ProviderAccount'), [expected], upstream)
    t.strictSame(result.notes, [], upstream)
  }
  t.end()
})

t.test('R4.9 a server of one’s own needs its address', (t) => {
  const without = run({ model_list: [model('m', { model: 'hosted_vllm/qwen3' })] })
  t.strictSame(without.objects, [])
  t.strictSame(without.notes, [
    { path: 'model_list[0].litellm_params', message: 'hosted_vllm/qwen3: it has no api_base; the entry was left out' },
  ])
  const unset = run({ model_list: [model('m', { model: 'hosted_vllm/qwen3', api_base: 'os.environ/VLLM_URL' })] })
  t.strictSame(unset.notes, [
    {
      path: 'model_list[0].litellm_params',
      message: 'hosted_vllm/qwen3: its address stands in VLLM_URL, which is not set here; the entry was left out',
    },
  ])
  const set = run(
    { model_list: [model('m', { model: 'hosted_vllm/qwen3', api_base: 'os.environ/VLLM_URL' })] },
    { VLLM_URL: 'http://vllm:8000/v1' },
  )
  t.strictSame(specsOf(set, 'ProviderAccount'), [
    {
      name: 'vllm',
      provider: 'OpenAICompatible',
      preset: 'VLLM',
      baseURL: 'http://vllm:8000/v1',
      models: { allow: ['m'], aliases: [{ name: 'm', upstream: 'qwen3' }] },
    },
  ])
  t.end()
})

t.test('R4.9 one credential is one account, and limits or a name given twice make another', (t) => {
  const key = 'os.environ/KEY'
  const result = run({
    model_list: [
      model('a', { model: 'openai/a', api_key: key }),
      model('b', { model: 'openai/b', api_key: key }),
      model('a', { model: 'openai/a-new', api_key: key }),
      model('c', { model: 'openai/c', api_key: key, rpm: '60', max_parallel_requests: 4 }),
      model('d', { model: 'openai/d', api_key: 'os.environ/OTHER' }),
    ],
  })
  const auth = { valueFrom: { env: 'KEY' } }
  t.strictSame(specsOf(result, 'ProviderAccount'), [
    { name: 'openai', provider: 'OpenAI', auth, models: { allow: ['a', 'b'] } },
    {
      name: 'openai-2',
      provider: 'OpenAI',
      auth,
      models: { allow: ['a'], aliases: [{ name: 'a', upstream: 'a-new' }] },
    },
    {
      name: 'openai-3',
      provider: 'OpenAI',
      auth,
      models: { allow: ['c'] },
      limits: { requestsPerMinute: 60, maxInFlight: 4 },
    },
    { name: 'openai-4', provider: 'OpenAI', auth: { valueFrom: { env: 'OTHER' } }, models: { allow: ['d'] } },
  ])
  t.end()
})

t.test('R4.9 weights come from weight, else from rpm; order becomes tiers', (t) => {
  const byRpm = run({
    model_list: [model('m', { model: 'openai/a', rpm: 9000 }), model('m', { model: 'groq/b', rpm: 3000, order: 2 })],
  })
  t.match(specsOf(byRpm, 'ProviderGroup'), [
    {
      name: 'm',
      accountRefs: [
        { name: 'openai', weight: 1000 },
        { name: 'groq', weight: 333, priority: 1 },
      ],
    },
  ])
  const partly = run({ model_list: [model('m', { model: 'openai/a', weight: 2 }), model('m', { model: 'groq/b' })] })
  t.match(specsOf(partly, 'ProviderGroup'), [
    {
      accountRefs: [
        { name: 'openai', weight: 2 },
        { name: 'groq', weight: 0 },
      ],
    },
  ])
  t.strictSame(partly.notes, [
    {
      path: 'model_list[1]',
      message: 'gives no weight, unlike others of its name: it is used only when they are not available',
    },
  ])
  t.end()
})

t.test('R4.9 routing strategies', (t) => {
  const strategies = {
    'simple-shuffle': 'Random',
    'least-busy': 'LeastInFlight',
    'latency-based-routing': 'LatencyAware',
    'cost-based-routing': 'LowestCost',
  }
  const model_list = [model('m', { model: 'openai/a' }), model('m', { model: 'groq/b' })]
  for (const [theirs, ours] of Object.entries(strategies)) {
    const result = run({ model_list, router_settings: { routing_strategy: theirs } })
    t.match(specsOf(result, 'ProviderGroup'), [{ selectionStrategy: ours }])
    t.strictSame(result.notes, [])
  }
  const unknown = run({ model_list, router_settings: { routing_strategy: 'usage-based-routing-v2' } })
  t.match(specsOf(unknown, 'ProviderGroup'), [{ selectionStrategy: 'Weighted' }])
  t.strictSame(unknown.notes, [
    {
      path: 'router_settings.routing_strategy',
      message: 'usage-based-routing-v2 has no counterpart; Weighted is used',
    },
  ])
  t.end()
})

t.test('R4.9 wildcards open a provider, and those that rename are left out', (t) => {
  const result = run({
    model_list: [
      model('anthropic/*', { model: 'anthropic/*' }),
      model('claude-*', { model: 'anthropic/claude-*', api_key: 'os.environ/B' }),
      model('my-*', { model: 'openai/*' }),
    ],
  })
  t.strictSame(specsOf(result, 'ProviderAccount'), [
    { name: 'anthropic', provider: 'Anthropic', auth: { valueFrom: { env: 'ANTHROPIC_API_KEY' } } },
    { name: 'anthropic-2', provider: 'Anthropic', auth: { valueFrom: { env: 'B' } }, models: { allow: ['claude-*'] } },
    { name: 'openai', provider: 'OpenAI', auth: { valueFrom: { env: 'OPENAI_API_KEY' } } },
  ])
  t.strictSame(result.notes, [
    { path: 'model_list[2].model_name', message: 'my-* renames a wildcard, which has no counterpart; it was left out' },
  ])
  t.end()
})

t.test('R4.9 environment_variables and credential_list answer references within the file', (t) => {
  const result = run({
    environment_variables: { INNER_KEY: 'sk-inner' },
    credential_list: [{ credential_name: 'shared', credential_values: { api_key: 'os.environ/INNER_KEY' } }],
    model_list: [model('m', { model: 'openai/m', litellm_credential_name: 'shared' })],
  })
  t.strictSame(
    result.objects.filter(({ kind }) => kind === 'Secret'),
    [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'openai' }, stringData: { apiKey: 'sk-inner' } }],
  )
  t.strictSame(specsOf(result, 'ProviderAccount'), [
    { name: 'openai', provider: 'OpenAI', auth: { secretKeyRef: { name: 'openai' } }, models: { allow: ['m'] } },
  ])
  t.end()
})

t.test('R4.9 the master key becomes a client by its digest, or a note when it is not at hand', (t) => {
  const config = { general_settings: { master_key: 'os.environ/MASTER' } }
  t.strictSame(run(config).notes, [
    {
      path: 'general_settings.master_key',
      message: 'MASTER is not set here; import again with it, or add a GatewayClient for the key by hand',
    },
  ])
  t.strictSame(specsOf(run(config, { MASTER: 'sk-1' }), 'GatewayClient'), [
    {
      name: 'litellm-master-key',
      description: 'Master key of LiteLLM.',
      credentials: [{ name: 'imported', sha256: 'digest of sk-1' }],
    },
  ])
  t.end()
})
