import fc from 'fast-check'
import t from 'tap'
import { explainRules } from '../../src/routing/explain-rules.ts'
import { compileProfile, type MatchFacts, matchRule } from '../../src/routing/match.ts'
import type { HeaderMatch, RuleMatch } from '../../src/table/routing-table.ts'
import { profile, rule } from './table-fixtures.ts'

const facts = (given: Partial<MatchFacts> & { readonly header?: Record<string, string> }): MatchFacts => ({
  type: 'chat',
  model: undefined,
  family: undefined,
  client: undefined,
  headers: (name) => given.header?.[name],
  ...given,
})

const work = compileProfile(
  profile(
    'work',
    [
      rule('claude', { requestTypes: ['chat'], models: ['claude-*', 'sonnet'] }),
      rule('bots', { clients: ['ci-bots'], modelFamilies: ['chat', 'code'] }),
      rule('gold', {
        headers: [
          { name: 'x-tier', type: 'Exact', value: 'gold' },
          { name: 'x-trace', type: 'Present' },
        ],
      }),
      rule('eu', { headers: [{ name: 'x-region', type: 'Glob', value: 'eu-*' }] }),
      rule('embeddings', { requestTypes: ['embedding'] }),
    ],
    [{ group: 'rest', priority: 0, weight: 1 }],
  ),
  [],
)

t.test('R1.4 the first rule whose conditions all hold names the groups', (t) => {
  const cases: readonly (readonly [MatchFacts, string | undefined])[] = [
    [facts({ model: 'claude-haiku-4-5' }), 'claude'],
    [facts({ model: 'sonnet', client: 'ci-bots', family: 'chat' }), 'claude'],
    [facts({ model: 'claude-x', type: 'completion' }), undefined],
    [facts({ model: 'gpt-4o', client: 'ci-bots', family: 'code' }), 'bots'],
    [facts({ model: 'gpt-4o', client: 'ci-bots' }), undefined],
    [facts({ header: { 'x-tier': 'gold', 'x-trace': '' } }), 'gold'],
    [facts({ header: { 'x-tier': 'gold' } }), undefined],
    [facts({ header: { 'x-tier': 'silver', 'x-trace': '1', 'x-region': 'eu-west' } }), 'eu'],
    [facts({ type: 'embedding', model: 'text-embedding-3-small' }), 'embeddings'],
    [facts({ type: 'other' }), undefined],
  ]
  for (const [given, expected] of cases) t.equal(matchRule(work, given).rule?.name, expected)
  t.end()
})

t.test('R1.4 a prefix is taken letter by letter, in an index too', (t) => {
  const condition: HeaderMatch = { name: 'x-pre', type: 'Prefix', value: 'a?b' }
  for (const count of [1, 8]) {
    const rules = Array.from({ length: count }, (_, index) =>
      rule(`r${index}`, { headers: [index === 0 ? condition : { ...condition, value: `other*${index}` }] }),
    )
    const compiled = compileProfile(profile('p', rules), [])
    const matched = (value: string) => matchRule(compiled, facts({ header: { 'x-pre': value } })).rule?.name
    t.equal(matched('axbc'), undefined)
    t.equal(matched('a?bc'), 'r0')
    t.equal(matched('a?b'), 'r0')
    t.equal(matched('a?'), undefined)
  }
  const compiled = compileProfile(profile('p', [rule('r', { headers: [condition] })]), [])
  t.match(explainRules(compiled, facts({ header: { 'x-pre': 'axbc' } })), [
    { condition: 'headers', wanted: 'x-pre beginning with a?b', found: 'axbc' },
  ])
  t.end()
})

t.test('R1.4 without a match the default targets are taken', (t) => {
  t.strictSame(matchRule(work, facts({ type: 'other' })), {
    rule: undefined,
    targets: [{ group: 'rest', priority: 0, weight: 1 }],
  })
  t.end()
})

t.test('a rule without conditions takes everything, an empty list is no condition', (t) => {
  const open = compileProfile(profile('open', [rule('all', { models: [], clients: [], requestTypes: [] })]), [])
  t.equal(matchRule(open, facts({ type: 'other' })).rule?.name, 'all')
  t.end()
})

t.test('explain names for every rule the first condition that failed', (t) => {
  t.strictSame(explainRules(work, facts({ model: 'gpt-4o', client: 'ci-bots', header: { 'x-region': 'us' } })), [
    { rule: 'claude', verdict: 'failed', condition: 'models', wanted: 'claude-*, sonnet', found: 'gpt-4o' },
    { rule: 'bots', verdict: 'failed', condition: 'modelFamilies', wanted: 'chat, code', found: undefined },
    { rule: 'gold', verdict: 'failed', condition: 'headers', wanted: 'x-tier = gold', found: undefined },
    { rule: 'eu', verdict: 'failed', condition: 'headers', wanted: 'x-region like eu-*', found: 'us' },
    { rule: 'embeddings', verdict: 'failed', condition: 'requestTypes', wanted: 'embedding', found: 'chat' },
  ])
  t.strictSame(explainRules(work, facts({ model: 'sonnet' }))[0], { rule: 'claude', verdict: 'matched' })
  t.end()
})

const MODELS = ['a', 'ab', 'abc', 'b/a', 'ba', 'xabcabc', 'abcd'.repeat(80), '']
const PATTERNS = ['a', 'ab', 'a*', '*a', '*b*', 'b/*', '?', 'a?c', '*', '*abc', '*abc*', '*bcab?*', '?bcd*abc*']
const VALUES = ['x', 'xy', 'y', 'x?z', '*']
const header: fc.Arbitrary<HeaderMatch> = fc.oneof(
  fc.record({
    name: fc.constantFrom('h', 'i'),
    type: fc.constant('Exact' as const),
    value: fc.constantFrom(...VALUES),
  }),
  fc.record({
    name: fc.constantFrom('h', 'i'),
    type: fc.constant('Glob' as const),
    value: fc.constantFrom('x*', '*y', 'x'),
  }),
  fc.record({
    name: fc.constantFrom('h', 'i'),
    type: fc.constant('Prefix' as const),
    value: fc.constantFrom('x', 'x?', '*', ''),
  }),
  fc.record({ name: fc.constantFrom('h', 'i'), type: fc.constant('Present' as const) }),
)
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 2 })
const match: fc.Arbitrary<RuleMatch> = fc.record(
  {
    requestTypes: list(fc.constantFrom('chat' as const, 'embedding' as const)),
    models: list(fc.constantFrom(...PATTERNS)),
    modelFamilies: list(fc.constantFrom('f', 'g')),
    clients: list(fc.constantFrom('c', 'd')),
    headers: list(header),
  },
  { requiredKeys: [] },
)
const request = fc.record({
  type: fc.constantFrom('chat' as const, 'embedding' as const, 'other' as const),
  model: fc.option(fc.constantFrom(...MODELS), { nil: undefined }),
  family: fc.option(fc.constantFrom('f', 'g'), { nil: undefined }),
  client: fc.option(fc.constantFrom('c', 'd'), { nil: undefined }),
  header: fc.dictionary(fc.constantFrom('h', 'i'), fc.constantFrom(...VALUES)),
})

/** Only sound for the patterns above, none of which has a character that means something in a regular expression. */
const matchesPattern = (pattern: string, text: string | undefined): boolean =>
  text !== undefined && new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text)

function holds({ requestTypes, models, modelFamilies, clients, headers = [] }: RuleMatch, given: MatchFacts): boolean {
  const within = (wanted: readonly string[] | undefined, found: string | undefined) =>
    wanted === undefined || (found !== undefined && wanted.includes(found))
  const headerHolds = ({ name, type, value = '' }: HeaderMatch) => {
    const found = given.headers(name)
    if (type === 'Present') return found !== undefined
    if (type === 'Prefix') return found?.startsWith(value) === true
    return type === 'Exact' ? found === value : matchesPattern(value, found)
  }
  return (
    within(requestTypes, given.type) &&
    (models === undefined || models.some((pattern) => matchesPattern(pattern, given.model))) &&
    within(modelFamilies, given.family) &&
    within(clients, given.client) &&
    headers.every(headerHolds)
  )
}

t.test('R1.4 the index gives the same rule as trying one after the other', (t) => {
  fc.assert(
    fc.property(
      fc.array(match, { maxLength: 80 }),
      fc.array(request, { minLength: 1, maxLength: 5 }),
      (matches, requests) => {
        const compiled = compileProfile(
          profile(
            'p',
            matches.map((conditions, index) => rule(`r${index}`, conditions)),
          ),
          [],
        )
        return requests.every((given) => {
          const asked = facts(given)
          const expected = matches.findIndex((conditions) => holds(conditions, asked))
          const found = matchRule(compiled, asked).rule?.name
          const explained = explainRules(compiled, asked).findIndex(({ verdict }) => verdict === 'matched')
          return found === (expected === -1 ? undefined : `r${expected}`) && explained === expected
        })
      },
    ),
    { numRuns: 500 },
  )
  t.end()
})

t.test('R1.7 among 1,000 rules the last one is found', (t) => {
  const rules = Array.from({ length: 1_000 }, (_, index) =>
    rule(`r${index}`, {
      models: [`*-m${index}-*`],
      clients: [`c${index % 7}`],
      headers: [{ name: 'x-team', type: 'Exact', value: `t${index % 50}` }],
    }),
  )
  const compiled = compileProfile(profile('big', rules), [])
  const given = facts({ model: 'x-m999-y', client: 'c5', header: { 'x-team': 't49' } })
  t.equal(matchRule(compiled, given).rule?.name, 'r999')
  t.equal(matchRule(compiled, { ...given, client: 'c6' }).rule, undefined)
  t.end()
})
