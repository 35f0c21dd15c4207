import t from 'tap'
import { readYaml } from '../../../src/controller/sources/read-yaml.ts'

const read = (text: string) => readYaml(text, 'YAML')
const values = (text: string) => read(text).objects.map(({ value }) => value)
const errors = (text: string, syntax: 'YAML' | 'JSON' = 'YAML') =>
  readYaml(text, syntax).errors.map(({ code, line, column, message }) => `${line}:${column} ${code} ${message}`)

t.test('R4.7 keys are text: kubectl turns on: into "true" and 1: into "1"', (t) => {
  t.strictSame(values('on: 1\n1: a\n1_000: b\n1.5: c\n"on": d\n'), [{ true: 1, 1: 'a', 1000: 'b', 1.5: 'c', on: 'd' }])
  t.end()
})

t.test('R4.7 quotes, blocks and tags keep a value what it says', (t) => {
  t.strictSame(
    values(
      `a: "on"\nb: '012'\nc: |\n  12\nd: !!str 012\ne: !!int "12"\nf: !!binary aGk=\ng: !foo x\nh: !!bool yes\ni: !!float 1\n`,
    ),
    [{ a: 'on', b: '012', c: '12\n', d: '012', e: 12, f: 'hi', g: 'x', h: true, i: 1 }],
  )
  t.strictSame(errors('a: !!int abc\n'), ['1:10 KP-CONF-201 is no !!int'])
  t.strictSame(errors('a: .inf\n'), ['1:4 KP-CONF-201 kubectl reads no infinite numbers'])
  t.end()
})

t.test('R4.7 one slip is told once', (t) => {
  t.strictSame(errors('spec:\n  provider: Mock\n   auth:\n    x: 1\n'), [
    '2:13 KP-CONF-201 Nested mappings are not allowed in compact mappings',
  ])
  t.end()
})

t.test('R4.7 anchors and merge keys work', (t) => {
  t.strictSame(values('base: &b {x: 1, z: 3}\nv:\n  <<: *b\n  z: 2\nw: [*b, *b]\n'), [
    {
      base: { x: 1, z: 3 },
      v: { z: 2, x: 1 },
      w: [
        { x: 1, z: 3 },
        { x: 1, z: 3 },
      ],
    },
  ])
  t.strictSame(values('a: &a {x: 1}\nb: &b {z: 2}\nc: {<<: [*a, *b]}\n'), [
    { a: { x: 1 }, b: { z: 2 }, c: { x: 1, z: 2 } },
  ])
  t.end()
})

t.test('R4.7 several documents, empty ones and lists of objects', (t) => {
  t.strictSame(values('---\na: 1\n---\n---\n# nothing\n---\nb: 2\n'), [{ a: 1 }, { b: 2 }])
  const list = read('apiVersion: v1\nkind: List\nitems:\n- a: 1\n- b:\n    c: On\n')
  t.strictSame(
    list.objects.map(({ value }) => value),
    [{ a: 1 }, { b: { c: true } }],
  )
  t.strictSame(list.objects[1]?.locate('b.c'), { line: 6, column: 5 })
  t.strictSame(
    list.objects[1]?.warnings.map(({ path, line, column }) => `${line}:${column} ${path}`),
    ['6:8 b.c'],
  )
  t.strictSame(values(''), [])
  t.end()
})

t.test('R4.7 a field is found by its path; a missing one by what is around it', (t) => {
  const [object] = read(`# first line
metadata: {name: a, labels: {"korproxy.dev/team": x}}
spec:
  rules:
  - name: one
  - name: two
    retry: {attempts: 2}
`).objects
  const cases: [string, number, number][] = [
    ['', 2, 1],
    ['metadata.name', 2, 12],
    ['metadata.labels["korproxy.dev/team"]', 2, 30],
    ['spec', 3, 1],
    ['spec.rules[0]', 5, 5],
    ['spec.rules[1].name', 6, 5],
    ['spec.rules[1].retry.attempts', 7, 13],
    ['spec.rules[1].providerGroups', 6, 5],
    ['spec.rules[1].retry.conditions[3]', 7, 5],
    ['spec.nothing', 3, 1],
  ]
  for (const [path, line, column] of cases) t.strictSame(object?.locate(path), { line, column }, path)
  t.end()
})

t.test('R4.7 a value that kubectl reads in its own way is warned of, without telling the value', (t) => {
  const [object] = read('a: On\nb: 012345678\nc: 0123\nd: yes\ne: 1e400\nf: true\ng: 12\nh: text\n').objects
  t.strictSame(
    object?.warnings.map(({ code, path, line, column, message }) => `${line}:${column} ${code} ${path}: ${message}`),
    [
      '1:4 KP-CONF-211 a: unquoted, kubectl reads this as true; write true or put it in quotes',
      '3:4 KP-CONF-211 c: unquoted, kubectl reads this as a number of another form (octal, binary, with "_"); write it in decimal or put it in quotes',
      '4:4 KP-CONF-211 d: unquoted, kubectl reads this as true; write true or put it in quotes',
      '5:4 KP-CONF-211 e: unquoted, kubectl reads this as text; write a plain number or put it in quotes',
    ],
  )
  t.end()
})

t.test('R4.7 what is broken is refused with line and column', (t) => {
  t.match(errors('a: 1\nb: [1, 2\n'), [/^(2|3):\d+ KP-CONF-201 /])
  t.match(errors('a: 1\na: 2\n'), [/^2:1 KP-CONF-201 is given twice/])
  t.match(errors('on: 1\nyes: 2\n'), [/^2:1 KP-CONF-201 is given twice/])
  t.match(errors('a: 1\n---\nb: *nobody\n'), [/^3:4 KP-CONF-201 /])
  t.match(errors('a: 1\n\tb: 2\n')[0], /^2:\d+ KP-CONF-201 /)
  t.match(errors('~: 1\n'), [/KP-CONF-201 a key must be text/])
  t.match(errors('? [a]\n: 1\n'), [/KP-CONF-201 a key must be text/])
  t.end()
})

t.test('R4.7 no error quotes the text, which may hold a secret', (t) => {
  const broken = [
    'a: |sk-secret\n  x\n',
    'a: "\\sk-secret"\n',
    'a: "x" sk-secret\n',
    '}sk-secret\n',
    'a: b: sk-secret\n',
    '@sk-secret',
    '%sk-secret\na: 1\n',
  ]
  for (const text of broken) {
    const found = errors(text)
    t.ok(found.length > 0 || text.startsWith('%'), text)
    t.notMatch(JSON.stringify(found), /secret/, text)
  }
  t.end()
})

t.test('R4.4 a broken document spoils no other', (t) => {
  const broken = [
    'b: [',
    'b: "x',
    "b: 'x",
    'b: {c: 1',
    'b: 1\nb: 2',
    'b: *nobody',
    '}b\nd: 1',
    '- b\nd: 1',
    '"b" c: 1\nd: 1',
  ]
  for (const document of broken) {
    const text = `a: 1\n---\n${document}\n---\nc: 3\n`
    t.strictSame(values(text), [{ a: 1 }, { c: 3 }], document)
    t.ok(errors(text).length > 0, document)
    t.strictSame(read(text).objects[1]?.locate('c'), { line: text.split('\n').length - 1, column: 1 }, document)
  }
  t.strictSame(values('%YAML 1.2\n---\na: 1\n---\nb: [\n'), [{ a: 1 }])
  t.match(errors('a: 1\n---\nb: 1\nb: 2\n'), [/^4:1 KP-CONF-201 is given twice/])
  t.strictSame(values('a: |\n  ---\n  b: [\n---\nb: ]\n'), [{ a: '---\nb: [\n' }], 'a marker in a text is none')
  t.end()
})

t.test('R4.7 neither an alias bomb nor endless nesting hurts', (t) => {
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 10; level++) {
    bomb.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`)
  }
  t.match(errors(bomb.join('\n'))[0], /KP-CONF-201 aliases stand for too much/)
  t.match(errors('a: &a [*a]\n'), [/KP-CONF-201 alias \*a contains itself/])
  t.match(errors(`${'['.repeat(200)}${']'.repeat(200)}`)[0], /KP-CONF-201 is nested too deep/)
  t.match(errors(`a: ${'['.repeat(20_000)}`)[0], /KP-CONF-201/)
  t.end()
})

t.test('R4.7 JSON is read strictly, and no error quotes it', (t) => {
  t.strictSame(
    readYaml('\uFEFF{"a": "on", "b": [1, 2.5, true, null], "c": "\\ud83d\\ude00\\/"}', 'JSON').objects.map(
      ({ value }) => value,
    ),
    [{ a: 'on', b: [1, 2.5, true, null], c: '😀/' }],
  )
  t.strictSame(errors('{\n  "apiKey": "sk-secret",\n}', 'JSON'), ['3:1 KP-CONF-201 is not valid JSON'])
  t.strictSame(errors('{"a": "sk-secret', 'JSON'), ['1:17 KP-CONF-201 is not valid JSON'])
  t.strictSame(errors('# no JSON\na: 1', 'JSON'), ['1:1 KP-CONF-201 is not valid JSON'])
  const [object] = readYaml('{\n  "spec": {\n    "rules": [{"name": "a"}]\n  }\n}', 'JSON').objects
  t.strictSame(object?.locate('spec.rules[0].name'), { line: 3, column: 16 })
  t.end()
})
