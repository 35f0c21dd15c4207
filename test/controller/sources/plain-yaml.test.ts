import fc from 'fast-check'
import t from 'tap'
import { readFullYaml } from '../../../src/controller/sources/full-yaml.ts'
import { readPlainYaml } from '../../../src/controller/sources/plain-yaml.ts'
import { readYaml } from '../../../src/controller/sources/read-yaml.ts'

t.test('R4.7 manifests as people write them are read without the full parser', (t) => {
  const text = `# accounts
---
kind: A
spec:
  text: word with spaces   # comment
  url: http://127.0.0.1:19101/v1
  quoted: "a \\"b\\" \\u00e9"
  single: 'it''s'
  nothing:
  empty: ""
  number: 12
  negative: -1.5
  truth: true
  globs: [gpt-4o*, claude-*]
  flow: {a: 1, "b": [x, {c: 'd'}],
    e: f}
  list:
  - name: one
    values:
      - 1
      - two
  - name: two
  - plain
  key: |
    -----BEGIN-----

    abc: def # no comment
      deeper
  cut: |-
    last
  after: größer
---
{"kind":"B","nested":{"a":[],"b":{}}}
`
  t.strictSame(readPlainYaml(text), [
    {
      kind: 'A',
      spec: {
        text: 'word with spaces',
        url: 'http://127.0.0.1:19101/v1',
        quoted: 'a "b" é',
        single: "it's",
        nothing: null,
        empty: '',
        number: 12,
        negative: -1.5,
        truth: true,
        globs: ['gpt-4o*', 'claude-*'],
        flow: { a: 1, b: ['x', { c: 'd' }], e: 'f' },
        list: [{ name: 'one', values: [1, 'two'] }, { name: 'two' }, 'plain'],
        key: '-----BEGIN-----\n\nabc: def # no comment\n  deeper\n',
        cut: 'last',
        after: 'größer',
      },
    },
    { kind: 'B', nested: { a: [], b: {} } },
  ])
  t.end()
})

t.test('R4.7 what is doubtful, wrong or rare is left to the full parser', (t) => {
  const texts = [
    'a: &x 1\n',
    'a: *x\n',
    'a: !!int 1\n',
    'a: >\n  folded\n',
    'a: |+\n  kept\n',
    'a: two\n  lines\n',
    'a: "two\n  lines"\n',
    'a: yes\n',
    'a: 012\n',
    'a: 1_000\n',
    'on: 1\n',
    '1: a\n',
    'a: 1\na: 2\n',
    '{"a": 1, "a": 2}',
    '__proto__: 1\n',
    '<<: {a: 1}\n',
    '? a\n: b\n',
    'a: b: c\n',
    'a: [1, 2\n',
    'a: {b: [1}\n',
    'a: [b: c]\n',
    'a:\n   b: 1\n  c: 2\n',
    'a:\tb\n',
    'a: b\r\n',
    'a: 1\n...\n',
    'a: 1\n---\n --- ',
    '%YAML 1.2\n---\na: 1\n',
    '- - a\n',
    'a:\n{b: 1}\n',
    'a: [\n1]\n',
    'a: "\\x41"\n',
    'a: .inf\n',
    `a: ${'['.repeat(200)}${']'.repeat(200)}\n`,
    'text\n',
  ]
  for (const text of texts) t.equal(readPlainYaml(text), undefined, JSON.stringify(text))
  t.end()
})

const PIECES = [
  ...[' ', '  ', '\n', '\n  ', '\n- ', '- ', ': ', ':', '#', ' # c', '"', "'", '{', '}', '[', ']', ',', '|', '|\n'],
  ...['|-\n   x\n', '>', '&a ', '*a', '!!int ', '~', 'null', 'on', 'yes', '012', '1_0', '.5', '-', '---', '\n---\n'],
  ...['...', '\t', '\\n', '\\u00e9', '?', '? ', '<<: ', '%', '@', 'a: b', 'k: [a, b]', 'k: {a: b}', 'é', '0x1f'],
  ...['1e3', '=', '!', '-1', '--- ', 'key', '\n\n', '\n    ', 'x', ''],
]
const SEEDS = [
  "a: 1\nb:\n  - c: x\n    d: y\n  - e\nf: {g: h, \"i\": [1, 2]}\nj: |\n  text\n  more\nk: 'it''s'\n",
  '- a\n- b: c\n  d:\n  - e\n',
  '{"a": {"b": [1, true, null, "x"]},\n "c": "d"}\n',
  'a:\n  b:\n    c: d # x\n\n# y\ne: "f\\n"\n---\ng: h\n',
  'a:\n- x: |-\n    l1\n\n    l2\n  y: z\n',
]

t.test('R4.7 whatever is read without the full parser, the full parser reads as the same', (t) => {
  const edit = fc.record({ at: fc.nat(120), removed: fc.nat(3), piece: fc.constantFrom(...PIECES) })
  fc.assert(
    fc.property(fc.constantFrom(...SEEDS), fc.array(edit, { minLength: 1, maxLength: 4 }), (seed, edits) => {
      const text = edits.reduce(
        (all, { at, removed, piece }) => all.slice(0, at) + piece + all.slice(at + removed),
        seed,
      )
      const plain = readPlainYaml(text)
      if (plain === undefined) return
      const { objects, errors } = readFullYaml(text)
      t.strictSame(
        plain,
        objects.map(({ value }) => value),
        JSON.stringify(text),
      )
      t.strictSame([...errors, ...objects.flatMap(({ warnings }) => warnings)], [], JSON.stringify(text))
    }),
    { numRuns: 3000 },
  )
  t.end()
})

t.test('R4.7 a position is found in whatever was read without the full parser', (t) => {
  const list = readYaml(
    'kind: List\nitems:\n- kind: A\n  spec: {a: 1}\n- kind: B\n---\nkind: C\nspec:\n  b: 2\n',
    'YAML',
  )
  t.strictSame(
    list.objects.map(({ value }) => value),
    [{ kind: 'A', spec: { a: 1 } }, { kind: 'B' }, { kind: 'C', spec: { b: 2 } }],
  )
  t.strictSame(list.objects[0]?.locate('spec.a'), { line: 4, column: 10 })
  t.strictSame(list.objects[1]?.locate('spec'), { line: 5, column: 3 })
  t.strictSame(list.objects[2]?.locate('spec.b'), { line: 9, column: 3 })
  t.end()
})
