import fc from 'fast-check'
import t from 'tap'
import { anyGlob, compileGlob } from '../../src/routing/glob.ts'

const CASES: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
  ['gpt-4o', 'gpt-4o', true],
  ['gpt-4o', 'gpt-4o-mini', false],
  ['gpt-4*', 'gpt-4', true],
  ['gpt-4*', 'gpt-4o-mini', true],
  ['gpt-4*', 'xgpt-4', false],
  ['*', '', true],
  ['*', 'anything/at/all', true],
  ['*/llama*', 'meta-llama/llama-3', true],
  ['openai/*', 'openai/a/b', true],
  ['*-mini', 'gpt-4o-mini', true],
  ['*-mini', 'gpt-4o-mini-2', false],
  ['a*b*c', 'abbbc', true],
  ['a*b*c', 'acb', false],
  ['a**c', 'ac', true],
  ['o?', 'o1', true],
  ['o?', 'o', false],
  ['o?', 'o12', false],
  ['?*', '', false],
  ['*?x', 'aax', true],
  ['GPT', 'gpt', false],
  ['a.c', 'abc', false],
  ['a+', 'aa', false],
  ['*aab', 'aaaab', true],
  ['', '', true],
  ['', 'a', false],
]

t.test('R1.4 a glob matches whole names, `*` crossing slashes', (t) => {
  for (const [pattern, text, expected] of CASES) t.equal(compileGlob(pattern)(text), expected, `${pattern} on ${text}`)
  t.end()
})

t.test('any of several globs suffices, none of an empty list', (t) => {
  const matches = anyGlob(['claude-*', 'sonnet'])
  t.equal(matches('sonnet'), true)
  t.equal(matches('claude-haiku-4-5'), true)
  t.equal(matches('gpt-4o'), false)
  t.equal(anyGlob([])('gpt-4o'), false)
  t.end()
})

t.test('a glob agrees with the definition by recursion', (t) => {
  const matchesByDefinition = (pattern: string, text: string): boolean => {
    if (pattern === '') return text === ''
    const rest = pattern.slice(1)
    if (pattern.startsWith('*'))
      return matchesByDefinition(rest, text) || (text !== '' && matchesByDefinition(pattern, text.slice(1)))
    return (
      text !== '' && (pattern.startsWith('?') || pattern[0] === text[0]) && matchesByDefinition(rest, text.slice(1))
    )
  }
  const word = (letters: string) =>
    fc.array(fc.constantFrom(...letters), { maxLength: 9 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(
      word('ab*?'),
      word('ab'),
      (pattern, text) => compileGlob(pattern)(text) === matchesByDefinition(pattern, text),
    ),
    { numRuns: 2_000 },
  )
  t.end()
})

t.test('S17 ten stars on 10,000 characters read each character a few times only', (t) => {
  const length = 10_000
  for (const pattern of ['*a*a*a*a*a*a*a*a*a*b', 'a*a*a*a*a*a*a*a*a*a*b', '*ab*ab*ab*ab*ab*ab*ab*ab*ab*c']) {
    let reads = 0
    const text = {
      length,
      charCodeAt: () => {
        reads += 1
        return 97
      },
    }
    t.equal(compileGlob(pattern)(text), false)
    t.ok(reads <= 3 * length, `${pattern}: ${reads} reads`)
  }
  t.end()
})
