import fc from 'fast-check'
import t from 'tap'
import { unreachedRules } from '../../src/compile/rule-reach.ts'
import { compileProfile, matchRule } from '../../src/routing/match.ts'
import type { HeaderMatch, Profile, RuleMatch } from '../../src/table/routing-table.ts'

const NAMES = ['', 'a', 'b', 'ab', 'ba', 'aa', 'aba', 'b*', '?']
const GLOBS = ['*', 'a', 'a*', '*a', 'a*b', 'b?', '*a*', 'ab', '?', 'b*']
const TYPES = ['chat', 'embedding'] as const

function some<Value>(values: readonly Value[]): fc.Arbitrary<Value[] | undefined> {
  return fc.option(fc.subarray([...values], { minLength: 1, maxLength: Math.min(3, values.length) }), {
    nil: undefined,
    freq: 2,
  })
}

const header: fc.Arbitrary<HeaderMatch> = fc.oneof(
  fc.record({
    name: fc.constantFrom('x-one', 'x-two'),
    type: fc.constantFrom('Exact' as const, 'Prefix' as const),
    value: fc.constantFrom(...NAMES),
  }),
  fc.record({
    name: fc.constantFrom('x-one', 'x-two'),
    type: fc.constant('Glob' as const),
    value: fc.constantFrom(...GLOBS),
  }),
  fc.record({ name: fc.constantFrom('x-one', 'x-two'), type: fc.constant('Present' as const) }),
)

const match: fc.Arbitrary<RuleMatch> = fc
  .record({
    requestTypes: some(TYPES),
    models: some(GLOBS),
    modelFamilies: some(['one', 'two']),
    clients: some(['one', 'two']),
    headers: fc.option(fc.array(header, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 2 }),
  })
  .map((conditions) => Object.fromEntries(Object.entries(conditions).filter(([, value]) => value !== undefined)))

const facts = fc.record({
  type: fc.constantFrom(...TYPES),
  model: fc.constantFrom(...NAMES),
  family: fc.constantFrom(undefined, 'one', 'two'),
  client: fc.constantFrom(undefined, 'one', 'two'),
  one: fc.constantFrom(undefined, ...NAMES),
  two: fc.constantFrom(undefined, ...NAMES),
})

function profileOf(matches: readonly RuleMatch[]): Profile {
  return {
    name: 'p',
    displayName: 'p',
    defaultTargets: [],
    rules: matches.map((conditions, at) => ({ name: `r${at}`, match: conditions, targets: [] })),
  }
}

t.test('a rule that is said to get no request gets none', async (t) => {
  let found = 0
  fc.assert(
    fc.property(
      fc.array(match, { minLength: 2, maxLength: 8 }),
      fc.array(facts, { minLength: 40, maxLength: 40 }),
      (matches, requests) => {
        const profile = profileOf(matches)
        const unreached = new Set(unreachedRules(profile).map(({ rule }) => rule))
        found += unreached.size
        const compiled = compileProfile(profile, [])
        for (const { one, two, ...request } of requests) {
          const headers = (name: string): string | undefined => (name === 'x-one' ? one : two)
          const { rule } = matchRule(compiled, { ...request, headers })
          if (rule !== undefined && unreached.has(rule.name)) return false
        }
        return true
      },
    ),
    { numRuns: 3000 },
  )
  t.ok(found > 500, `${found} rules were said to get none`)
})

t.test('a rule that one before it leaves nothing is found among many', async (t) => {
  let found = 0
  fc.assert(
    fc.property(fc.array(match, { minLength: 2, maxLength: 12 }), (matches) => {
      const inPairs = matches.flatMap((later, at) => {
        const isTaken = (earlier: RuleMatch) => unreachedRules(profileOf([earlier, later])).length > 0
        return matches.slice(0, at).some(isTaken) ? [`r${at}`] : []
      })
      found += inPairs.length
      return JSON.stringify(unreachedRules(profileOf(matches)).map(({ rule }) => rule)) === JSON.stringify(inPairs)
    }),
    { numRuns: 2000 },
  )
  t.ok(found > 500, `${found} rules were left nothing`)
})
