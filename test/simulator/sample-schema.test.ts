import t from 'tap'
import { sampleOfSchema } from '#simulator/sample-schema.ts'

const CASES: readonly (readonly [title: string, schema: unknown, sample: unknown])[] = [
  [
    'required members only',
    { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['b'] },
    { b: 'x' },
  ],
  [
    'all members where none is required',
    { properties: { city: { type: 'string' }, n: { type: 'number' } } },
    { city: 'Paris', n: 1 },
  ],
  ['bounds', { type: 'integer', minimum: 18 }, 18],
  ['an upper bound below one', { type: 'number', maximum: 0.5 }, 0.5],
  ['lengths', { type: 'string', minLength: 3, maxLength: 4 }, 'xxx'],
  ['the first choice', { enum: ['b', 'a'] }, 'b'],
  ['a constant', { const: 7 }, 7],
  ['the branch that is not null', { anyOf: [{ type: 'null' }, { type: 'boolean' }] }, true],
  ['a list of types', { type: ['null', 'string'] }, 'x'],
  [
    'types in upper case, as Gemini writes them',
    { type: 'OBJECT', properties: { list: { type: 'ARRAY', items: { type: 'INTEGER' }, minItems: 2 } } },
    { list: [1, 1] },
  ],
  [
    'local references',
    { $ref: '#/$defs/a', $defs: { a: { type: 'object', properties: { date: { type: 'string', format: 'date' } } } } },
    { date: '2026-01-02' },
  ],
  ['no schema', undefined, {}],
]

for (const [title, schema, sample] of CASES) {
  t.test(`R3.8 arguments follow the schema: ${title}`, async (t) => {
    t.strictSame(sampleOfSchema(schema, { variant: 0, root: schema }), sample)
  })
}

t.test('R3.8 a schema that refers to itself ends', async (t) => {
  const schema = { type: 'object', properties: { next: { $ref: '#' } } }
  t.match(JSON.stringify(sampleOfSchema(schema, { variant: 0, root: schema })), /^(\{"next":)+\{\}\}+$/)
})

t.test('R3.8 a second parallel call differs from the first', async (t) => {
  const schema = { type: 'object', properties: { city: { type: 'string' } } }
  t.strictSame(sampleOfSchema(schema, { variant: 1, root: schema }), { city: 'London' })
})
