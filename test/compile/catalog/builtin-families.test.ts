import t from 'tap'
import { BUILTIN_FAMILIES } from '#compile/catalog/builtin-families.ts'
import { buildFamilyIndex, classify, familyOf } from '#routing/classify.ts'

const INDEX = buildFamilyIndex(BUILTIN_FAMILIES)

for (const [model, family, type] of [
  ['gpt-4o', 'openai', 'chat'],
  ['openai/gpt-4o', 'openai', 'chat'],
  ['o3', 'openai', 'chat'],
  ['o4-mini', 'openai', 'chat'],
  ['chatgpt-4o-latest', 'openai', 'chat'],
  ['gpt-3.5-turbo-instruct', 'completion', 'completion'],
  ['gpt-3.5-turbo-instruct-0914', 'completion', 'completion'],
  ['code-davinci-002', 'completion', 'completion'],
  ['babbage-002', 'completion', 'completion'],
  ['text-embedding-3-small', 'embedding', 'embedding'],
  ['gemini-embedding-001', 'embedding', 'embedding'],
  ['nomic-embed-text', 'embedding', 'embedding'],
  ['snowflake-arctic-embed:33m', 'embedding', 'embedding'],
  ['bge-m3', 'embedding', 'embedding'],
  ['BAAI/bge-m3', 'embedding', 'embedding'],
  ['qwen3-embedding:8b', 'embedding', 'embedding'],
  ['claude-sonnet-4-5', 'claude', 'chat'],
  ['anthropic/claude-sonnet-4-5', 'claude', 'chat'],
  ['gemini-2.5-pro', 'gemini', 'chat'],
  ['llama3.2', 'llama', 'chat'],
  ['meta-llama/Llama-3.3-70B-Instruct', 'llama', 'chat'],
  ['qwen3-coder-plus', 'qwen', 'chat'],
  ['mistral-large-latest', 'mistral', 'chat'],
  ['deepseek-chat', 'deepseek', 'chat'],
  ['grok-4.5', 'grok', 'chat'],
] as const) {
  t.test(`R1.2 ${model} is of the family ${family}: ${type}`, (t) => {
    t.equal(familyOf(model, INDEX), family)
    const facts = { pathType: undefined, model, bodyKeys: new Set<string>() }
    t.strictSame(classify(facts, INDEX), { type, by: 'family' })
    t.end()
  })
}

t.test('a name that belongs to no family leaves the type open', (t) => {
  t.equal(familyOf('my-model', INDEX), undefined)
  t.end()
})

t.test('family names are distinct and fit for rules', (t) => {
  const names = BUILTIN_FAMILIES.map(({ name }) => name)
  t.equal(new Set(names).size, names.length)
  for (const name of names) t.match(name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
  t.end()
})
