import t from 'tap'
import { buildFamilyIndex, type ClassifyFacts, classify, familyOf } from '../../src/routing/classify.ts'

const families = buildFamilyIndex([
  { name: 'embedding', requestType: 'embedding', patterns: ['text-embedding-*', 'embed-*'] },
  { name: 'instruct', requestType: 'completion', patterns: ['gpt-3.5-turbo-instruct', 'code-*'] },
  { name: 'chat', requestType: 'chat', patterns: ['gpt-*', 'claude-*', '*-chat'] },
  { name: 'untyped', patterns: ['house-*'] },
])

const facts = (given: Partial<Omit<ClassifyFacts, 'bodyKeys'>>, ...keys: string[]): ClassifyFacts => ({
  pathType: undefined,
  model: undefined,
  ...given,
  bodyKeys: new Set(keys),
})

t.test('R1.1 R1.2 R1.3 header, path, family, body and default decide in this order', (t) => {
  const cases: readonly (readonly [ClassifyFacts, string, string])[] = [
    [facts({ override: 'other', pathType: 'chat', model: 'gpt-4o' }, 'messages'), 'other', 'header'],
    [facts({ pathType: 'completion', model: 'gpt-4o' }, 'messages'), 'completion', 'path'],
    [facts({ pathType: 'other', model: 'gpt-4o' }), 'other', 'path'],
    [facts({ model: 'text-embedding-3-small' }, 'messages'), 'embedding', 'family'],
    [facts({ model: 'gpt-3.5-turbo-instruct' }, 'messages'), 'completion', 'family'],
    [facts({ model: 'gpt-3.5-turbo' }, 'prompt'), 'chat', 'family'],
    [facts({ model: 'house-1' }, 'prompt'), 'completion', 'body'],
    [facts({ model: 'unknown' }, 'messages', 'prompt', 'input'), 'chat', 'body'],
    [facts({}, 'prompt', 'input'), 'completion', 'body'],
    [facts({}, 'input', 'dimensions'), 'embedding', 'body'],
    [facts({}, 'query'), 'other', 'default'],
    [facts({}), 'other', 'default'],
  ]
  for (const [given, type, by] of cases) t.strictSame(classify(given, families), { type, by })
  t.end()
})

t.test("R1.2 the first family in order with a matching pattern is the model's", (t) => {
  t.equal(familyOf('gpt-3.5-turbo-instruct', families), 'instruct')
  t.equal(familyOf('gpt-4o', families), 'chat')
  t.equal(familyOf('embed-chat', families), 'embedding')
  t.equal(familyOf('mistral', families), undefined)
  t.equal(familyOf(undefined, families), undefined)
  t.end()
})
