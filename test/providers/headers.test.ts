import t from 'tap'
import { findProvider } from '#providers/find-provider.ts'
import type { Operation } from '#providers/provider.ts'
import type { Account, ProviderName } from '#table/routing-table.ts'
import { account } from './account.ts'

function headers(
  provider: ProviderName,
  own: Partial<Account> = {},
  secret: string | undefined = 'sk-1',
  operation: Operation = { kind: 'chat', format: 'openai-chat' },
): Readonly<Record<string, string>> {
  const of = account(provider, own)
  return findProvider(of).headers({ operation, account: of, model: 'm', stream: false, query: '' }, secret)
}

t.test('R3.6 an API key goes into the one header that its provider reads', (t) => {
  const bearer = { authorization: 'Bearer sk-1' }
  for (const provider of ['OpenAI', 'Codex', 'OpenRouter', 'Ollama', 'OpenAICompatible', 'Mock'] as const) {
    t.strictSame(headers(provider), bearer, provider)
  }
  t.strictSame(headers('Anthropic'), { 'x-api-key': 'sk-1' })
  t.strictSame(headers('Gemini'), { 'x-goog-api-key': 'sk-1' })
  t.strictSame(headers('AzureOpenAI'), { 'api-key': 'sk-1' })
  t.end()
})

t.test('R3.6 an access token is always a Bearer, and no key header comes with it', (t) => {
  const all = [
    'OpenAI',
    'Anthropic',
    'Gemini',
    'Ollama',
    'OpenRouter',
    'AzureOpenAI',
    'OpenAICompatible',
    'Codex',
  ] as const
  for (const provider of all) {
    t.strictSame(headers(provider, { auth: 'OAuth2' }), { authorization: 'Bearer sk-1' }, provider)
  }
  t.end()
})

t.test('an account without credential sends none', (t) => {
  const all = [
    'OpenAI',
    'Anthropic',
    'Gemini',
    'Ollama',
    'OpenRouter',
    'AzureOpenAI',
    'OpenAICompatible',
    'Codex',
  ] as const
  for (const provider of all) {
    const of = account(provider, { auth: 'None' })
    const call = {
      operation: { kind: 'chat', format: 'openai-chat' },
      account: of,
      model: 'm',
      stream: false,
      query: '',
    } as const
    t.strictSame(findProvider(of).headers(call, undefined), {}, provider)
  }
  t.end()
})

t.test('R3.1 the simulator takes the key where the format has it', (t) => {
  t.strictSame(headers('Mock', {}, 'k', { kind: 'chat', format: 'anthropic' }), { 'x-api-key': 'k' })
  t.strictSame(headers('Mock', {}, 'k', { kind: 'chat', format: 'gemini' }), { 'x-goog-api-key': 'k' })
  t.strictSame(headers('Mock', {}, 'k', { kind: 'embedding', format: 'ollama-embed' }), { authorization: 'Bearer k' })
  t.end()
})

t.test("R3.1 organisation, project and the account's own headers", (t) => {
  t.strictSame(headers('OpenAI', { organization: 'org-1', project: 'proj-1', headers: { 'x-team': 'blue' } }), {
    'x-team': 'blue',
    authorization: 'Bearer sk-1',
    'openai-organization': 'org-1',
    'openai-project': 'proj-1',
  })
  t.strictSame(headers('Anthropic', { headers: { 'anthropic-version': '2026-10-21' } }), {
    'anthropic-version': '2026-10-21',
    'x-api-key': 'sk-1',
  })
  t.strictSame(headers('OpenAI', { headers: { authorization: 'Bearer other' } }), { authorization: 'Bearer sk-1' })
  t.end()
})

t.test('R3.1 a translated call to Anthropic says its version; only some headers pass either way', (t) => {
  t.strictSame(findProvider(account('Anthropic')).defaultHeaders, { 'anthropic-version': '2023-06-01' })
  t.strictSame(findProvider(account('Anthropic')).forwardedRequestHeaders, ['anthropic-*', 'traceparent', 'tracestate'])
  for (const provider of [
    'OpenAI',
    'Anthropic',
    'Gemini',
    'Ollama',
    'OpenRouter',
    'AzureOpenAI',
    'OpenAICompatible',
    'Codex',
    'Mock',
  ] as const) {
    const { forwardedRequestHeaders, forwardedReplyHeaders } = findProvider(account(provider))
    const never = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'cookie', 'set-cookie', '*', 'x-*']
    for (const name of never) {
      t.notOk([...forwardedRequestHeaders, ...forwardedReplyHeaders].includes(name), `${provider}: ${name}`)
    }
  }
  t.end()
})

t.test('R3.1 what each provider speaks', (t) => {
  const speaks = (provider: ProviderName, own: Partial<Account> = {}, model = 'm') => {
    const of = account(provider, own)
    const speaker = findProvider(of)
    return [...speaker.chatFormats(of, model), ...speaker.embeddingFormats(of)].join(' ')
  }
  t.equal(speaks('OpenAI'), 'openai-chat openai-responses openai-completions openai-embeddings')
  t.equal(speaks('OpenAI', {}, 'gpt-5.3-codex'), 'openai-responses openai-embeddings', 'a model of Responses only')
  t.equal(speaks('Codex'), 'openai-responses')
  t.equal(speaks('Anthropic'), 'anthropic')
  t.equal(speaks('Gemini'), 'gemini gemini-batch-embed gemini-embed')
  t.equal(
    speaks('Ollama'),
    'ollama-chat ollama-generate openai-completions ollama-embed ollama-embeddings openai-embeddings',
  )
  t.equal(speaks('OpenRouter'), 'openai-chat openai-completions openai-embeddings')
  t.equal(speaks('OpenAICompatible'), 'openai-chat openai-completions openai-embeddings')
  t.equal(speaks('OpenAICompatible', { preset: 'Groq' }), 'openai-chat')
  t.equal(speaks('OpenAICompatible', { preset: 'DeepSeek' }), 'openai-chat openai-completions')
  t.equal(speaks('OpenAICompatible', { preset: 'Unheard' }), 'openai-chat openai-completions openai-embeddings')
  t.end()
})
