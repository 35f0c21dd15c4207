/** What a provider prefix of LiteLLM is here. */
interface LitellmProvider {
  readonly provider: 'OpenAI' | 'Anthropic' | 'Gemini' | 'Ollama' | 'OpenRouter' | 'AzureOpenAI' | 'OpenAICompatible'
  readonly preset?: string
  /** Environment variable that LiteLLM reads when the entry names no key. */
  readonly keyVariable?: string
  /** Address where LiteLLM has one and the account must give it. */
  readonly baseURL?: string
  /** Servers of one's own need neither. */
  readonly auth?: 'Optional'
}

const compatible = (preset: string, keyVariable: string): LitellmProvider => ({
  provider: 'OpenAICompatible',
  preset,
  keyVariable,
})
const ownServer = (preset: string, baseURL?: string): LitellmProvider => ({
  provider: 'OpenAICompatible',
  preset,
  auth: 'Optional',
  ...(baseURL === undefined ? {} : { baseURL }),
})
const ollama: LitellmProvider = { provider: 'Ollama', baseURL: 'http://localhost:11434', auth: 'Optional' }
const openai: LitellmProvider = { provider: 'OpenAI', keyVariable: 'OPENAI_API_KEY' }
const azure: LitellmProvider = { provider: 'AzureOpenAI', keyVariable: 'AZURE_API_KEY' }
const plain: LitellmProvider = { provider: 'OpenAICompatible', keyVariable: 'OPENAI_API_KEY' }

/** Prefix of a model name → provider. @see https://docs.litellm.ai/docs/providers */
const PROVIDERS: Readonly<Record<string, LitellmProvider>> = {
  openai,
  'text-completion-openai': openai,
  anthropic: { provider: 'Anthropic', keyVariable: 'ANTHROPIC_API_KEY' },
  gemini: { provider: 'Gemini', keyVariable: 'GEMINI_API_KEY' },
  azure,
  azure_text: azure,
  ollama,
  ollama_chat: ollama,
  openrouter: { provider: 'OpenRouter', keyVariable: 'OPENROUTER_API_KEY' },
  groq: compatible('Groq', 'GROQ_API_KEY'),
  mistral: compatible('Mistral', 'MISTRAL_API_KEY'),
  codestral: compatible('Mistral', 'CODESTRAL_API_KEY'),
  deepseek: compatible('DeepSeek', 'DEEPSEEK_API_KEY'),
  xai: compatible('XAI', 'XAI_API_KEY'),
  together_ai: compatible('Together', 'TOGETHERAI_API_KEY'),
  fireworks_ai: compatible('Fireworks', 'FIREWORKS_API_KEY'),
  cerebras: compatible('Cerebras', 'CEREBRAS_API_KEY'),
  nvidia_nim: compatible('Nvidia', 'NVIDIA_NIM_API_KEY'),
  moonshot: compatible('Moonshot', 'MOONSHOT_API_KEY'),
  zai: compatible('Zhipu', 'ZAI_API_KEY'),
  dashscope: compatible('QwenInternational', 'DASHSCOPE_API_KEY'),
  hosted_vllm: ownServer('VLLM'),
  vllm: ownServer('VLLM'),
  lm_studio: ownServer('LMStudio', 'http://localhost:1234/v1'),
  llamafile: ownServer('LlamaCpp', 'http://localhost:8080/v1'),
  litellm_proxy: ownServer('LiteLLM'),
  openai_like: plain,
  custom_openai: plain,
}

/** Names without a prefix that LiteLLM knows. */
const BARE_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^(gpt-|chatgpt-|o\d|text-embedding-|davinci|babbage|ft:gpt-|omni-)/, 'openai'],
  [/^claude-/, 'anthropic'],
]

export interface FoundProvider {
  readonly prefix: string
  readonly provider: LitellmProvider
  /** The provider's name of the model. */
  readonly model: string
}

/** Undefined = KorProxy has no such provider, or the name alone does not say which. */
export function findLitellmProvider(model: string, custom: string | undefined): FoundProvider | undefined {
  const slash = model.indexOf('/')
  const first = slash > 0 ? model.slice(0, slash) : undefined
  if (custom !== undefined) {
    return found(custom, first === custom ? model.slice(slash + 1) : model)
  }
  if (first !== undefined) return found(first, model.slice(slash + 1))
  const bare = BARE_NAMES.find(([pattern]) => pattern.test(model))
  return bare === undefined ? undefined : found(bare[1], model)
}

function found(prefix: string, model: string): FoundProvider | undefined {
  const provider = Object.hasOwn(PROVIDERS, prefix) ? PROVIDERS[prefix] : undefined
  return provider === undefined ? undefined : { prefix, provider, model }
}
