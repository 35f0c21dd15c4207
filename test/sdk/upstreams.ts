/** One account at the simulator for every provider type. */
export interface Upstream {
  /** Name of the account and, with `sk-` in front, its key; clients ask for `<name>-chat`. */
  readonly name: string
  readonly spec: string
  /** The provider's name of the model. */
  readonly model: string
  /** What the simulator calls itself there. */
  readonly label: string
  readonly embeddingModel?: string
}

export const UPSTREAMS: readonly Upstream[] = [
  {
    name: 'openai',
    spec: 'provider: OpenAI\n  baseURL: "{simulator}/v1"',
    model: 'gpt-4o-mini',
    label: 'openai',
    embeddingModel: 'text-embedding-3-small',
  },
  {
    name: 'anthropic',
    spec: 'provider: Anthropic\n  baseURL: "{simulator}"',
    model: 'claude-haiku-4-5',
    label: 'anthropic',
  },
  // Not `gemini`: Google's Python SDK joins the inputs of embedding models with that word in their name.
  {
    name: 'google',
    spec: 'provider: Gemini\n  baseURL: "{simulator}"',
    model: 'gemini-2.5-flash',
    label: 'gemini',
    embeddingModel: 'gemini-embedding-001',
  },
  {
    name: 'ollama',
    spec: 'provider: Ollama\n  baseURL: "{simulator}/ollama"',
    model: 'llama3.2',
    label: 'ollama',
    embeddingModel: 'nomic-embed-text',
  },
  {
    name: 'openrouter',
    spec: 'provider: OpenRouter\n  baseURL: "{simulator}/openrouter/api/v1"',
    model: 'qwen/qwen3-32b',
    label: 'openrouter',
    embeddingModel: 'openai/text-embedding-3-small',
  },
  {
    name: 'azure',
    spec: 'provider: AzureOpenAI\n  baseURL: "{simulator}"\n  azure: {apiVersion: "2024-10-21"}',
    model: 'my-deployment',
    label: 'azure',
    embeddingModel: 'my-embeddings',
  },
  {
    name: 'compatible',
    spec: 'provider: OpenAICompatible\n  preset: VLLM\n  baseURL: "{simulator}/vllm/v1"',
    model: 'Qwen/Qwen3-8B',
    label: 'vllm',
    embeddingModel: 'BAAI/bge-m3',
  },
  // Not `codex`: LangChain takes another API for a model with that word in its name.
  { name: 'coder', spec: 'provider: Codex\n  baseURL: "{simulator}/v1"', model: 'gpt-5-codex', label: 'openai' },
]

/** The simulator as a provider of its own type speaks every client's format. */
export const MOCK: Upstream = {
  name: 'mock',
  spec: 'provider: Mock\n  baseURL: "{simulator}/mock"',
  model: 'mock-model',
  label: 'mock',
  embeddingModel: 'mock-embedding',
}

/** Key of the only client; no provider may ever see it. */
export const CLIENT_KEY = 'kp-client-5f0c2b7a9d1e4386'

const CLIENT = `
apiVersion: v1
kind: Secret
metadata: {name: client-key}
stringData: {apiKey: ${CLIENT_KEY}}
---
apiVersion: korproxy.dev/v1alpha1
kind: GatewayClient
metadata: {name: tester}
spec:
  credentials: [{name: current, secretKeyRef: {name: client-key}}]
---`

/**
 * Accounts for these upstreams and one client with a key. `scenario` is one of the simulator's (`429r30`, `errorevent` …), which
 * the accounts named `<upstream>-<scenario>` then play for the model `<upstream>-<scenario>-chat`.
 */
export function manifests(upstreams: readonly Upstream[], scenarios: readonly string[] = []): string {
  const all = upstreams.flatMap((upstream) => [
    account(upstream, upstream.name, ''),
    ...scenarios.map((scenario) => account(upstream, `${upstream.name}-${scenario}`, `--${scenario}`)),
  ])
  const names = upstreams.flatMap(({ name }) => [name, ...scenarios.map((scenario) => `${name}-${scenario}`)])
  return CLIENT + all.join('') + group(names)
}

/** All accounts, with retries that do not make a test wait. */
function group(names: readonly string[]): string {
  return `
apiVersion: korproxy.dev/v1alpha1
kind: ProviderGroup
metadata: {name: all}
spec:
  accountRefs: [${names.map((name) => `{name: ${name}}`).join(', ')}]
  retry: {sameAccountBackoff: {base: 10ms, max: 20ms}}
---
apiVersion: korproxy.dev/v1alpha1
kind: RoutingProfile
metadata: {name: default}
spec:
  defaultProviderGroup: {name: all}
---`
}

function account({ spec, model, embeddingModel }: Upstream, name: string, suffix: string): string {
  const embedding = embeddingModel === undefined ? '' : `, {name: ${name}-embed, upstream: ${embeddingModel}${suffix}}`
  return `
apiVersion: v1
kind: Secret
metadata: {name: ${name}}
stringData: {apiKey: sk-${name}}
---
apiVersion: korproxy.dev/v1alpha1
kind: ProviderAccount
metadata: {name: ${name}}
spec:
  ${spec}
  auth: {secretKeyRef: {name: ${name}}}
  models:
    allow: ["${model}${suffix}"]
    aliases: [{name: ${name}-chat, upstream: "${model}${suffix}"}${embedding}]
---`
}
