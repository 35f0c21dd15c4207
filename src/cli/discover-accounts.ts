import { parseResource } from '#resources/parse-resource.ts'
import type { ExternalCredential, Resource, ResourceSet } from '#resources/resource.ts'

interface Discoverable {
  readonly variable: string
  readonly name: string
  readonly spec: Readonly<Record<string, unknown>>
}

/** Well-known variables of the vendors' own SDKs. */
const KNOWN: readonly Discoverable[] = [
  {
    variable: 'OPENAI_API_KEY',
    name: 'openai',
    spec: { provider: 'OpenAI', models: { allow: ['gpt-*', 'o*', 'chatgpt-*', 'text-embedding-*'] } },
  },
  {
    variable: 'ANTHROPIC_API_KEY',
    name: 'anthropic',
    spec: { provider: 'Anthropic', models: { allow: ['claude-*'] } },
  },
  { variable: 'GEMINI_API_KEY', name: 'gemini', spec: { provider: 'Gemini', models: { allow: ['gemini-*'] } } },
  { variable: 'OPENROUTER_API_KEY', name: 'openrouter', spec: { provider: 'OpenRouter', models: { allow: ['*/*'] } } },
  {
    variable: 'GROQ_API_KEY',
    name: 'groq',
    spec: {
      provider: 'OpenAICompatible',
      preset: 'Groq',
      models: { allow: ['llama-*', 'openai/gpt-oss-*', 'moonshotai/*'] },
    },
  },
  {
    variable: 'MISTRAL_API_KEY',
    name: 'mistral',
    spec: { provider: 'OpenAICompatible', preset: 'Mistral', models: { allow: ['mistral-*', 'codestral-*'] } },
  },
  {
    variable: 'DEEPSEEK_API_KEY',
    name: 'deepseek',
    spec: { provider: 'OpenAICompatible', preset: 'DeepSeek', models: { allow: ['deepseek-*'] } },
  },
]
const OLLAMA_URL = 'http://127.0.0.1:11434'
const OLLAMA_PATIENCE_MS = 300

/** Accounts for the keys of this environment and an Ollama on this machine, all labelled `korproxy.dev/discovered: "true"`. */
export async function discoverAccounts(
  environment: Readonly<Record<string, string | undefined>>,
  namespace: string,
): Promise<ResourceSet> {
  const found = KNOWN.filter(({ variable }) => (environment[variable] ?? '') !== '')
  const ollama = await listOllamaModels()
  const resources = found.map(({ name, variable, spec }) =>
    account(name, { ...spec, auth: { valueFrom: { env: variable } } }, namespace),
  )
  if (ollama.length > 0) {
    resources.push(account('ollama', { provider: 'Ollama', baseURL: OLLAMA_URL, models: { allow: ollama } }, namespace))
  }
  const externalCredentials = found.map(
    ({ name, variable }): ExternalCredential => ({
      namespace,
      account: name,
      value: environment[variable] ?? '',
      resourceVersion: '1',
    }),
  )
  return { resources, secrets: [], externalCredentials }
}

function account(name: string, spec: Readonly<Record<string, unknown>>, namespace: string): Resource {
  const parsed = parseResource(
    {
      apiVersion: 'korproxy.dev/v1alpha1',
      kind: 'ProviderAccount',
      metadata: { name, labels: { 'korproxy.dev/discovered': 'true' } },
      spec,
    },
    { namespace },
  )
  if ('problems' in parsed) throw new Error(parsed.problems.map(({ message }) => message).join('; '))
  return parsed.resource
}

async function listOllamaModels(): Promise<string[]> {
  try {
    const reply = await fetch(`${OLLAMA_URL}/api/tags`, { signal: AbortSignal.timeout(OLLAMA_PATIENCE_MS) })
    const body: unknown = await reply.json()
    const models =
      typeof body === 'object' && body !== null && 'models' in body && Array.isArray(body.models) ? body.models : []
    return models.flatMap((model: unknown) =>
      typeof model === 'object' && model !== null && 'name' in model && typeof model.name === 'string'
        ? [model.name]
        : [],
    )
  } catch {
    // No Ollama on this machine is the ordinary case.
    return []
  }
}
