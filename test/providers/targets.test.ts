import t from 'tap'
import { findProvider } from '#providers/find-provider.ts'
import type { Operation, UpstreamCall } from '#providers/provider.ts'
import type { Account, ProviderName } from '#table/routing-table.ts'
import { account } from './account.ts'

type Own = Partial<Account>

function target(provider: ProviderName, own: Own, operation: Operation, call: Partial<UpstreamCall> = {}): string {
  const of = account(provider, own)
  const { url, method } = findProvider(of).target({
    operation,
    account: of,
    model: 'm',
    stream: false,
    query: '',
    ...call,
  })
  return `${method} ${url}`
}

const chat = (format: Extract<Operation, { kind: 'chat' }>['format']): Operation => ({ kind: 'chat', format })
const embed = (format: Extract<Operation, { kind: 'embedding' }>['format']): Operation => ({
  kind: 'embedding',
  format,
})
const other = (path: string, method = 'GET'): Operation => ({ kind: 'other', method, path })
const count = (format: 'anthropic' | 'gemini'): Operation => ({ kind: 'count-tokens', format })

t.test('R3.1 where OpenAI is asked', (t) => {
  t.equal(target('OpenAI', {}, chat('openai-chat')), 'POST https://api.openai.com/v1/chat/completions')
  t.equal(target('OpenAI', {}, chat('openai-responses')), 'POST https://api.openai.com/v1/responses')
  t.equal(target('OpenAI', {}, chat('openai-completions')), 'POST https://api.openai.com/v1/completions')
  t.equal(target('OpenAI', {}, embed('openai-embeddings')), 'POST https://api.openai.com/v1/embeddings')
  t.equal(target('OpenAI', {}, other('/v1/files')), 'GET https://api.openai.com/v1/files')
  t.equal(target('OpenAI', {}, other('/openai/v1/files/f-1', 'DELETE')), 'DELETE https://api.openai.com/v1/files/f-1')
  t.equal(target('OpenAI', {}, other('/files')), 'GET https://api.openai.com/v1/files')
  t.equal(
    target('OpenAI', {}, other('/v1/files'), { query: 'limit=1&after=x' }),
    'GET https://api.openai.com/v1/files?limit=1&after=x',
  )
  t.throws(() => target('OpenAI', {}, chat('gemini')), /no OpenAI path/)
  t.end()
})

t.test('R3.1 a base URL may end with the version, a slash, or the host', (t) => {
  for (const baseUrl of ['https://x.test', 'https://x.test/', 'https://x.test/v1', 'https://x.test/v1//']) {
    t.equal(target('OpenAI', { baseUrl }, chat('openai-chat')), 'POST https://x.test/v1/chat/completions', baseUrl)
    t.equal(target('Codex', { baseUrl }, chat('openai-responses')), 'POST https://x.test/v1/responses', baseUrl)
    t.equal(target('Anthropic', { baseUrl }, chat('anthropic')), 'POST https://x.test/v1/messages', baseUrl)
    t.equal(target('Ollama', { baseUrl }, chat('ollama-chat')), 'POST https://x.test/api/chat', baseUrl)
    t.equal(
      target('OpenAICompatible', { baseUrl, preset: 'VLLM' }, chat('openai-chat')),
      'POST https://x.test/v1/chat/completions',
      baseUrl,
    )
  }
  t.equal(
    target('OpenAI', { baseUrl: 'https://x.test/proxy/openai' }, chat('openai-chat')),
    'POST https://x.test/proxy/openai/chat/completions',
    'a path that somebody wrote is meant',
  )
  t.equal(
    target('OpenAICompatible', { baseUrl: 'https://api.perplexity.ai' }, chat('openai-chat')),
    'POST https://api.perplexity.ai/chat/completions',
    'nobody knows the path of a server without preset',
  )
  t.equal(
    target('OpenRouter', { baseUrl: 'https://openrouter.ai' }, chat('openai-chat')),
    'POST https://openrouter.ai/api/v1/chat/completions',
  )
  t.equal(
    target('Ollama', { baseUrl: 'http://x.test:11434/api' }, chat('ollama-chat')),
    'POST http://x.test:11434/api/chat',
  )
  t.end()
})

t.test('R3.1 where Anthropic is asked', (t) => {
  t.equal(target('Anthropic', {}, chat('anthropic')), 'POST https://api.anthropic.com/v1/messages')
  t.equal(
    target('Anthropic', {}, chat('anthropic'), { query: 'beta=true' }),
    'POST https://api.anthropic.com/v1/messages?beta=true',
  )
  t.equal(target('Anthropic', {}, count('anthropic')), 'POST https://api.anthropic.com/v1/messages/count_tokens')
  t.equal(
    target('Anthropic', {}, other('/v1/messages/batches', 'POST')),
    'POST https://api.anthropic.com/v1/messages/batches',
  )
  t.end()
})

t.test('R3.1 where Gemini is asked', (t) => {
  const base = 'https://generativelanguage.googleapis.com/v1beta/models/m'
  t.equal(target('Gemini', {}, chat('gemini')), `POST ${base}:generateContent`)
  t.equal(target('Gemini', {}, chat('gemini'), { stream: true }), `POST ${base}:streamGenerateContent?alt=sse`)
  t.equal(
    target('Gemini', {}, chat('gemini'), { stream: true, query: 'alt=json&%24fields=a' }),
    `POST ${base}:streamGenerateContent?alt=sse&%24fields=a`,
    'the form of the stream is ours to choose',
  )
  t.equal(target('Gemini', {}, chat('gemini'), { query: 'alt=sse' }), `POST ${base}:generateContent`)
  t.equal(target('Gemini', {}, count('gemini')), `POST ${base}:countTokens`)
  t.equal(target('Gemini', {}, embed('gemini-embed')), `POST ${base}:embedContent`)
  t.equal(target('Gemini', {}, embed('gemini-batch-embed')), `POST ${base}:batchEmbedContents`)
  t.equal(
    target('Gemini', { baseUrl: 'https://x.test/v1' }, chat('gemini')),
    'POST https://x.test/v1/models/m:generateContent',
    'the base URL says the version',
  )
  t.equal(
    target('Gemini', { baseUrl: 'https://x.test/v1beta/' }, chat('gemini')),
    'POST https://x.test/v1beta/models/m:generateContent',
  )
  t.equal(
    target('Gemini', {}, chat('gemini'), { model: 'tunedModels/mine' }),
    'POST https://generativelanguage.googleapis.com/v1beta/tunedModels/mine:generateContent',
  )
  t.equal(
    target('Gemini', {}, chat('gemini'), { model: '../../evil?x=1' }),
    'POST https://generativelanguage.googleapis.com/v1beta/models/..%2F..%2Fevil%3Fx%3D1:generateContent',
    'a model cannot lead elsewhere',
  )
  t.equal(target('Gemini', {}, other('/v1beta/files')), 'GET https://generativelanguage.googleapis.com/v1beta/files')
  t.equal(
    target('Gemini', {}, other('/upload/v1beta/files', 'POST')),
    'POST https://generativelanguage.googleapis.com/upload/v1beta/files',
  )
  t.equal(
    target('Gemini', {}, other('/models/imagen-4:predict', 'POST')),
    'POST https://generativelanguage.googleapis.com/v1beta/models/imagen-4:predict',
    'a version that the client left out',
  )
  t.end()
})

t.test('R3.1 where Azure is asked', (t) => {
  const baseUrl = 'https://east.openai.azure.com'
  const apiVersion = '2024-10-21'
  const model = 'my deployment'
  for (const base of [baseUrl, `${baseUrl}/`, `${baseUrl}/openai`, `${baseUrl}/openai/v1/`]) {
    t.equal(
      target('AzureOpenAI', { baseUrl: base }, chat('openai-chat')),
      `POST ${baseUrl}/openai/v1/chat/completions`,
      base,
    )
    t.equal(
      target('AzureOpenAI', { baseUrl: base, apiVersion }, chat('openai-chat'), { model }),
      `POST ${baseUrl}/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21`,
      base,
    )
  }
  const dated = { baseUrl, apiVersion }
  t.equal(
    target('AzureOpenAI', dated, embed('openai-embeddings')),
    `POST ${baseUrl}/openai/deployments/m/embeddings?api-version=2024-10-21`,
  )
  t.equal(
    target('AzureOpenAI', dated, chat('openai-responses')),
    `POST ${baseUrl}/openai/responses?api-version=2024-10-21`,
    'Responses name the deployment in the body',
  )
  t.equal(
    target('AzureOpenAI', dated, chat('openai-chat'), { query: 'api-version=1&x=2' }),
    `POST ${baseUrl}/openai/deployments/m/chat/completions?api-version=2024-10-21&x=2`,
    "the account's version stands once",
  )
  t.equal(target('AzureOpenAI', { baseUrl }, other('/v1/files')), `GET ${baseUrl}/openai/v1/files`)
  t.equal(target('AzureOpenAI', dated, other('/v1/files')), `GET ${baseUrl}/openai/files?api-version=2024-10-21`)
  t.equal(target('AzureOpenAI', dated, other('/openai/files')), `GET ${baseUrl}/openai/files?api-version=2024-10-21`)
  t.throws(() => target('AzureOpenAI', {}, chat('openai-chat')), { code: 'KP-CONF-203' })
  t.end()
})

t.test('R3.1 where Ollama, OpenRouter and Codex are asked', (t) => {
  const ollama = 'http://localhost:11434'
  t.equal(target('Ollama', {}, chat('ollama-chat')), `POST ${ollama}/api/chat`)
  t.equal(target('Ollama', {}, chat('ollama-generate')), `POST ${ollama}/api/generate`)
  t.equal(target('Ollama', {}, chat('openai-completions')), `POST ${ollama}/v1/completions`)
  t.equal(target('Ollama', {}, embed('ollama-embed')), `POST ${ollama}/api/embed`)
  t.equal(target('Ollama', {}, embed('ollama-embeddings')), `POST ${ollama}/api/embeddings`)
  t.equal(target('Ollama', {}, embed('openai-embeddings')), `POST ${ollama}/v1/embeddings`)
  t.equal(target('Ollama', {}, other('/v1/audio/speech', 'POST')), `POST ${ollama}/v1/audio/speech`)
  t.throws(() => target('Ollama', {}, chat('anthropic')), /no Ollama path/)
  const router = 'https://openrouter.ai/api/v1'
  t.equal(target('OpenRouter', {}, chat('openai-chat')), `POST ${router}/chat/completions`)
  t.equal(target('OpenRouter', {}, embed('openai-embeddings')), `POST ${router}/embeddings`)
  t.equal(target('OpenRouter', {}, other('/v1/credits')), `GET ${router}/credits`)
  t.equal(target('Codex', {}, chat('openai-responses')), 'POST https://api.openai.com/v1/responses')
  t.end()
})

t.test('R3.1 where the presets are asked, with and without a base URL of their own', (t) => {
  const rows: readonly (readonly [string, string])[] = [
    ['Qwen', 'https://dashscope.aliyuncs.com/compatible-mode/v1'],
    ['QwenInternational', 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1'],
    ['IFlow', 'https://apis.iflow.cn/v1'],
    ['Groq', 'https://api.groq.com/openai/v1'],
    ['Mistral', 'https://api.mistral.ai/v1'],
    ['DeepSeek', 'https://api.deepseek.com/v1'],
    ['XAI', 'https://api.x.ai/v1'],
    ['Together', 'https://api.together.xyz/v1'],
    ['Fireworks', 'https://api.fireworks.ai/inference/v1'],
    ['Cerebras', 'https://api.cerebras.ai/v1'],
    ['Nvidia', 'https://integrate.api.nvidia.com/v1'],
    ['Moonshot', 'https://api.moonshot.ai/v1'],
    ['Zhipu', 'https://open.bigmodel.cn/api/paas/v4'],
    ['LMStudio', 'http://localhost:1234/v1'],
    ['LlamaCpp', 'http://localhost:8080/v1'],
  ]
  for (const [preset, base] of rows) {
    t.equal(target('OpenAICompatible', { preset }, chat('openai-chat')), `POST ${base}/chat/completions`, preset)
  }
  t.equal(
    target('OpenAICompatible', { preset: 'Zhipu' }, other('/v1/files')),
    'GET https://open.bigmodel.cn/api/paas/v4/files',
    'the version of the base URL counts',
  )
  t.equal(
    target('OpenAICompatible', { preset: 'Groq', baseUrl: 'http://cache.test' }, chat('openai-chat')),
    'POST http://cache.test/openai/v1/chat/completions',
  )
  for (const preset of ['VLLM', 'SGLang', 'LiteLLM', 'LMStudio', 'LlamaCpp']) {
    t.equal(
      target('OpenAICompatible', { preset, baseUrl: 'http://own:8000' }, embed('openai-embeddings')),
      'POST http://own:8000/v1/embeddings',
      preset,
    )
  }
  t.throws(() => target('OpenAICompatible', { preset: 'VLLM' }, chat('openai-chat')), { code: 'KP-CONF-203' })
  t.end()
})

t.test('R3.1 the simulator is asked in the way of each format', (t) => {
  const mock = 'http://127.0.0.1:1340'
  t.equal(target('Mock', {}, chat('openai-chat')), `POST ${mock}/v1/chat/completions`)
  t.equal(target('Mock', {}, chat('anthropic')), `POST ${mock}/v1/messages`)
  t.equal(
    target('Mock', {}, chat('gemini'), { stream: true }),
    `POST ${mock}/v1beta/models/m:streamGenerateContent?alt=sse`,
  )
  t.equal(target('Mock', {}, chat('ollama-chat')), `POST ${mock}/api/chat`)
  t.equal(target('Mock', {}, count('anthropic')), `POST ${mock}/v1/messages/count_tokens`)
  t.equal(target('Mock', {}, count('gemini')), `POST ${mock}/v1beta/models/m:countTokens`)
  t.equal(target('Mock', {}, embed('gemini-batch-embed')), `POST ${mock}/v1beta/models/m:batchEmbedContents`)
  t.equal(
    target('Mock', { baseUrl: 'http://x.test/v1' }, chat('openai-chat')),
    'POST http://x.test/v1/chat/completions',
  )
  t.equal(target('Mock', { baseUrl: 'http://x.test/v1' }, other('/v1/files')), 'GET http://x.test/v1/files')
  t.end()
})

t.test('R2.7 what a health check asks costs nothing', (t) => {
  const check = (provider: ProviderName, own: Own = {}) => {
    const of = account(provider, own)
    const found = findProvider(of).healthCheck(of)
    return found === undefined ? 'none' : `${found.method} ${found.url}`
  }
  t.equal(check('OpenAI'), 'GET https://api.openai.com/v1/models')
  t.equal(check('OpenAI', { baseUrl: 'https://x.test' }), 'GET https://x.test/v1/models')
  t.equal(check('Codex'), 'GET https://api.openai.com/v1/models')
  t.equal(check('Anthropic'), 'GET https://api.anthropic.com/v1/models?limit=1')
  t.equal(check('Gemini', { baseUrl: 'https://x.test/v1' }), 'GET https://x.test/v1beta/models?pageSize=1')
  t.equal(check('Ollama', { baseUrl: 'http://x.test/v1' }), 'GET http://x.test/api/version')
  t.equal(check('OpenRouter'), 'GET https://openrouter.ai/api/v1/key')
  t.equal(check('AzureOpenAI', { baseUrl: 'https://x.test', apiVersion: '1' }), 'GET https://x.test/openai/v1/models')
  t.equal(check('OpenAICompatible', { preset: 'Groq' }), 'GET https://api.groq.com/openai/v1/models')
  t.equal(check('Mock'), 'GET http://127.0.0.1:1340/v1/models')
  t.end()
})
