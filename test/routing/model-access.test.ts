import t from 'tap'
import { listModels, resolveModel } from '../../src/routing/model-access.ts'
import type { Account } from '../../src/table/routing-table.ts'
import { account, client, tenant } from './table-fixtures.ts'

const models = (changes: Partial<Account['models']>): Account['models'] => ({
  allow: [],
  deny: [],
  aliases: {},
  list: [],
  ...changes,
})

const anthropic = account('team-a', {
  provider: 'Anthropic',
  models: models({
    allow: ['claude-*'],
    deny: ['*-opus-*'],
    aliases: { sonnet: 'claude-sonnet-4-5', best: 'claude-opus-5-5' },
  }),
})

t.test('R1.8 aliases, allow, deny and addressing by provider or account', (t) => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['claude-haiku-4-5', 'claude-haiku-4-5'],
    ['sonnet', 'claude-sonnet-4-5'],
    ['gpt-4o', undefined],
    ['claude-opus-5-5', undefined],
    ['best', undefined],
    ['anthropic/claude-haiku-4-5', 'claude-haiku-4-5'],
    ['anthropic/sonnet', 'claude-sonnet-4-5'],
    ['team-a/sonnet', 'claude-sonnet-4-5'],
    ['team-b/sonnet', undefined],
    ['openai/claude-haiku-4-5', undefined],
    ['Anthropic/sonnet', undefined],
    ['constructor', undefined],
  ]
  for (const [requested, upstream] of cases) t.equal(resolveModel(anthropic, requested), upstream, requested)
  t.end()
})

t.test("R1.8 an account without allow serves everything but what is certainly another vendor's", (t) => {
  const plain = account('a', { provider: 'Anthropic' })
  t.equal(resolveModel(plain, 'claude-next'), 'claude-next')
  t.equal(resolveModel(plain, 'brand-new'), 'brand-new')
  t.equal(resolveModel(plain, 'gpt-4o'), undefined)
  t.equal(resolveModel(plain, 'gemini-3-pro'), undefined)
  const behindProxy = account('b', { provider: 'Anthropic', baseUrl: 'https://proxy.example' })
  t.equal(resolveModel(behindProxy, 'gpt-4o'), 'gpt-4o')
  t.end()
})

t.test('R1.8 names that contain a slash of their own are left alone', (t) => {
  const openrouter = account('or', { provider: 'OpenRouter' })
  t.equal(resolveModel(openrouter, 'openai/gpt-4o'), 'openai/gpt-4o')
  t.equal(resolveModel(openrouter, 'openrouter/openai/gpt-4o'), 'openai/gpt-4o')
  t.equal(resolveModel(openrouter, 'openrouter/auto'), 'openrouter/auto')
  const groq = account('fast', { provider: 'OpenAICompatible', preset: 'Groq' })
  t.equal(resolveModel(groq, 'meta-llama/llama-4'), 'meta-llama/llama-4')
  t.equal(resolveModel(groq, 'groq/openai/gpt-oss-120b'), 'openai/gpt-oss-120b')
  t.equal(resolveModel(account('g', { provider: 'Gemini' }), 'models/gemini-3-pro'), 'models/gemini-3-pro')
  t.end()
})

t.test("R1.8 a name that addresses another account is not this one's", (t) => {
  const naming = { aliases: {}, accounts: ['gpu-1', 'gpu-2'] }
  t.equal(resolveModel(account('gpu-1'), 'gpu-2/llama', naming), undefined)
  t.equal(resolveModel(account('gpu-2'), 'gpu-2/llama', naming), 'llama')
  t.end()
})

t.test("R1.8 aliases of the catalogue lead to the model, then to the account's own name for it", (t) => {
  const naming = { aliases: { fast: 'claude-haiku-4-5', smart: 'sonnet' }, accounts: [] }
  t.equal(resolveModel(anthropic, 'fast', naming), 'claude-haiku-4-5')
  t.equal(resolveModel(anthropic, 'smart', naming), 'claude-sonnet-4-5')
  t.equal(resolveModel(account('o', { provider: 'OpenAI' }), 'fast', naming), undefined)
  t.end()
})

const team = tenant({
  accounts: {
    'team-a': anthropic,
    gpu: account('gpu', { models: models({ allow: ['llama', 'qwen-*'], list: ['qwen-3'] }) }),
    off: account('off', { state: 'Disabled', models: models({ allow: ['secret-model'] }) }),
    openai: account('openai', { provider: 'OpenAI' }),
  },
  models: {
    'claude-haiku-4-5': { name: 'claude-haiku-4-5', vendor: 'anthropic' },
    'claude-opus-5-5': { name: 'claude-opus-5-5', vendor: 'anthropic' },
    'gpt-4o': { name: 'gpt-4o', vendor: 'openai' },
    'grok-4': { name: 'grok-4', vendor: 'xai' },
  },
  modelAliases: { fast: 'claude-haiku-4-5', gone: 'claude-1' },
})

t.test('R1.8 the list shows aliases, plain names, listed names and what the catalogue knows', (t) => {
  t.strictSame(listModels(team, undefined), ['claude-haiku-4-5', 'fast', 'gpt-4o', 'llama', 'qwen-3', 'sonnet'])
  t.end()
})

t.test('R1.8 the list shows a client what it may use', (t) => {
  t.strictSame(listModels(team, client('bots', { allowedModels: ['claude-*', 'fast'] })), ['claude-haiku-4-5', 'fast'])
  t.end()
})
