import fc from 'fast-check'
import t from 'tap'
import { cleanSchema } from '#formats/gemini/clean-schema.ts'
import type { JsonObject, JsonValue } from '#formats/ir/chat-request.ts'

const string = { type: 'string' }
const cases: [title: string, schema: JsonObject, cleaned: JsonObject][] = [
  [
    'a reference is replaced by what it names, with what stands beside it',
    {
      type: 'object',
      properties: { a: { $ref: '#/$defs/A', description: 'mine' } },
      $defs: { A: { type: 'integer' } },
    },
    { type: 'object', properties: { a: { type: 'integer', description: 'mine' } } },
  ],
  [
    'escaped names in references are read',
    { properties: { a: { $ref: '#/definitions/x~1y' } }, definitions: { 'x/y': { type: 'boolean' } } },
    { type: 'object', properties: { a: { type: 'boolean' } } },
  ],
  [
    'a schema that contains itself ends in an object',
    { $ref: '#/$defs/N', $defs: { N: { type: 'object', properties: { next: { $ref: '#/$defs/N' } } } } },
    { type: 'object', properties: { next: { type: 'object' } } },
  ],
  ['a reference to another document stands for anything', { $ref: 'https://example.com/a.json' }, string],
  ['const becomes enum', { const: 'a' }, { type: 'string', enum: ['a'] }],
  ['a list of types becomes anyOf', { type: ['string', 'number'] }, { anyOf: [string, { type: 'number' }] }],
  ['null in a list of types becomes nullable', { type: ['string', 'null'] }, { type: 'string', nullable: true }],
  [
    'null in anyOf becomes nullable on what is left',
    { anyOf: [{ type: 'integer' }, { type: 'null' }], description: 'n' },
    { type: 'integer', description: 'n', nullable: true },
  ],
  [
    'a node with anyOf has nothing else: the rest goes into its branches',
    {
      description: 'both',
      title: 'T',
      anyOf: [{ type: 'string' }, { type: 'number', description: 'own' }, { type: 'null' }],
    },
    {
      anyOf: [
        { type: 'string', title: 'T', description: 'both', nullable: true },
        { type: 'number', title: 'T', description: 'own', nullable: true },
      ],
    },
  ],
  [
    'oneOf becomes anyOf',
    { oneOf: [{ const: 'a' }, { const: 'b' }] },
    {
      anyOf: [
        { type: 'string', enum: ['a'] },
        { type: 'string', enum: ['b'] },
      ],
    },
  ],
  [
    'nested anyOf is flattened',
    { anyOf: [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, { type: 'boolean' }] },
    { anyOf: [string, { type: 'number' }, { type: 'boolean' }] },
  ],
  [
    'branches that only narrow are left out and properties stay',
    { type: 'object', properties: { a: string, b: string }, anyOf: [{ required: ['a'] }, { required: ['b'] }] },
    { type: 'object', properties: { a: string, b: string } },
  ],
  [
    'allOf is merged',
    {
      allOf: [
        { type: 'object', properties: { a: string }, required: ['a'] },
        { properties: { b: { type: 'number' }, a: { description: 'A' } }, required: ['b'] },
      ],
    },
    {
      type: 'object',
      properties: { a: { type: 'string', description: 'A' }, b: { type: 'number' } },
      required: ['a', 'b'],
    },
  ],
  [
    'exclusive bounds become inclusive ones',
    { type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 10 },
    { type: 'integer', minimum: 1, maximum: 9 },
  ],
  ['the tighter bound counts', { type: 'number', minimum: 1, exclusiveMinimum: 0.5 }, { type: 'number', minimum: 1 }],
  [
    'boolean exclusive bounds of draft 4 are left out',
    { type: 'number', minimum: 1, exclusiveMinimum: true },
    { type: 'number', minimum: 1 },
  ],
  [
    'bounds beyond the format are left out',
    { type: 'integer', format: 'int32', minimum: -9007199254740991, maximum: 2147483648 },
    { type: 'integer', format: 'int32' },
  ],
  [
    'bounds that only say safe integer are left out',
    { type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 },
    { type: 'integer' },
  ],
  [
    'keywords outside the subset are left out',
    {
      $schema: 's',
      $id: 'i',
      type: 'object',
      additionalProperties: false,
      patternProperties: { '^x': string },
      propertyNames: { pattern: 'a' },
      unevaluatedProperties: false,
      if: string,
      not: string,
      dependentRequired: { a: ['b'] },
      properties: {
        a: { type: 'array', uniqueItems: true, contains: string, items: string },
        b: { type: 'number', multipleOf: 2, examples: [2], readOnly: true },
      },
    },
    { type: 'object', properties: { a: { type: 'array', items: string }, b: { type: 'number' } } },
  ],
  [
    'properties may be named like keywords',
    {
      type: 'object',
      properties: {
        title: string,
        format: string,
        $ref: string,
        additionalProperties: string,
        type: { enum: ['x'] },
        const: { type: 'number' },
      },
      required: ['title', 'format'],
    },
    {
      type: 'object',
      properties: {
        title: string,
        format: string,
        $ref: string,
        additionalProperties: string,
        type: { type: 'string', enum: ['x'] },
        const: { type: 'number' },
      },
      required: ['title', 'format'],
    },
  ],
  [
    'an array says what it holds',
    { type: 'array', minItems: 1, maxItems: 3.5 },
    { type: 'array', minItems: 1, items: string },
  ],
  [
    'a tuple holds any of its members',
    { type: 'array', prefixItems: [string, { type: 'number' }] },
    { type: 'array', items: { anyOf: [string, { type: 'number' }] } },
  ],
  [
    'empty values of an enum are left out',
    { type: 'string', enum: ['', 'a', 'a', null] },
    { type: 'string', nullable: true, enum: ['a'] },
  ],
  [
    'numbers to choose from go into the description',
    { enum: [1, 2] },
    { type: 'integer', description: 'One of: 1, 2.' },
  ],
  ['mixed values become strings', { enum: ['a', 1] }, { type: 'string', enum: ['a', '1'] }],
  [
    'only formats that Gemini knows stay',
    {
      type: 'object',
      properties: {
        a: { type: 'string', format: 'uri' },
        b: { type: 'string', format: 'date-time' },
        c: { type: 'number', format: 'date-time' },
      },
    },
    { type: 'object', properties: { a: string, b: { type: 'string', format: 'date-time' }, c: { type: 'number' } } },
  ],
  [
    'required names exist, once',
    { type: 'object', properties: { a: string, no: false }, required: ['a', 'a', 'no', 'gone', 3] },
    { type: 'object', properties: { a: string }, required: ['a'] },
  ],
  [
    'types in capitals are read',
    { type: 'OBJECT', properties: { a: { type: 'STRING', nullable: true } } },
    { type: 'object', properties: { a: { type: 'string', nullable: true } } },
  ],
  [
    'defaults and examples are values and stay as they are',
    { type: 'object', properties: { a: { type: 'string', default: { $ref: 'x', not: 1 }, example: 'e' } } },
    { type: 'object', properties: { a: { type: 'string', default: { $ref: 'x', not: 1 }, example: 'e' } } },
  ],
  [
    'true and {} stand for a string',
    { type: 'object', properties: { a: true, b: {} } },
    { type: 'object', properties: { a: string, b: string } },
  ],
  [
    'an alternative of one is that one',
    { anyOf: [{ type: 'object', properties: { a: string } }] },
    { type: 'object', properties: { a: string } },
  ],
]

t.test('JSON Schema is reduced to what Gemini knows', (t) => {
  for (const [title, schema, cleaned] of cases)
    t.strictSame(
      cleanSchema(schema, () => {}),
      cleaned,
      title,
    )
  t.end()
})

t.test('references that multiply end, and the reply stays small', (t) => {
  const levels = Array.from({ length: 40 }, (_, at): [string, JsonObject] => [
    `L${at}`,
    { type: 'object', properties: { l: { $ref: `#/$defs/L${at + 1}` }, r: { $ref: `#/$defs/L${at + 1}` } } },
  ])
  let cuts = 0
  const schema = { $ref: '#/$defs/L0', $defs: { ...Object.fromEntries(levels), L40: string } }
  const cleaned = cleanSchema(schema, () => {
    cuts += 1
  })
  t.ok(cuts > 0, 'and what is left out is told')
  t.ok(JSON.stringify(cleaned).length < 1_000_000)
  t.end()
})

t.test('references that only point at each other end', (t) => {
  const schema = { $ref: '#/$defs/A', $defs: { A: { allOf: [{ $ref: '#/$defs/B' }] }, B: { $ref: '#/$defs/A' } } }
  let cuts = 0
  const count = (): void => {
    cuts += 1
  }
  t.strictSame(cleanSchema(schema, count), { type: 'object' })
  t.strictSame(cleanSchema({ $ref: '#' }, count), { type: 'object' })
  t.equal(cuts, 2, 'each time it is told')
  t.end()
})

const KEYWORDS = [
  ...[
    '$ref',
    '$defs',
    '$schema',
    'type',
    'const',
    'enum',
    'anyOf',
    'oneOf',
    'allOf',
    'items',
    'prefixItems',
    'properties',
  ],
  ...[
    'required',
    'not',
    'if',
    'additionalProperties',
    'exclusiveMinimum',
    'minimum',
    'format',
    'title',
    'nullable',
    'default',
  ],
]
const leaf = fc.oneof(
  fc.constantFrom('string', 'object', 'array', 'null', 'INTEGER', '#', '#/$defs/a', '#/properties/a', ''),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
)
const { schema: anySchema } = fc.letrec<{ schema: JsonObject; value: JsonValue }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('value'), { maxLength: 3 }), tie('schema')),
  schema: fc.dictionary(fc.constantFrom(...KEYWORDS, 'a', 'b'), tie('value'), { maxKeys: 5 }),
}))

const ALLOWED = new Set([
  ...[
    'type',
    'format',
    'title',
    'description',
    'nullable',
    'enum',
    'items',
    'minItems',
    'maxItems',
    'properties',
    'required',
  ],
  ...['propertyOrdering', 'minimum', 'maximum', 'minLength', 'maxLength', 'pattern', 'example', 'anyOf', 'default'],
])

function offences(schema: JsonObject): string[] {
  const keys = Object.keys(schema)
  const own = keys.filter((key) => !ALLOWED.has(key))
  if (keys.includes('anyOf') && keys.length > 1) own.push('anyOf beside others')
  if (schema['type'] === 'array' && schema['items'] === undefined) own.push('array without items')
  if (Array.isArray(schema['enum']) && schema['enum'].some((value) => typeof value !== 'string' || value === ''))
    own.push('enum')
  const properties = (schema['properties'] ?? {}) as Record<string, JsonObject>
  if (((schema['required'] ?? []) as string[]).some((name) => !Object.hasOwn(properties, name))) own.push('required')
  const inner = [...Object.values(properties), ...((schema['anyOf'] ?? []) as JsonObject[])]
  const items = schema['items'] as JsonObject | undefined
  return [...own, ...[...inner, ...(items === undefined ? [] : [items])].flatMap(offences)]
}

t.test('no schema makes it fail or gets a forbidden keyword through', (t) => {
  fc.assert(
    fc.property(anySchema, (schema) => {
      const found = offences(cleanSchema(schema, () => {}))
      if (found.length > 0) throw new Error(found.join(', '))
    }),
    { numRuns: 500 },
  )
  t.end()
})
