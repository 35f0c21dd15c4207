import t from 'tap'
import { describeValues } from '../../../src/cli/generate/value-comments.ts'

const SCHEMA = {
  type: 'object',
  properties: {
    image: { type: 'object', properties: { policy: { type: 'string', enum: ['Always', 'Never'] } } },
    limits: { type: 'object', properties: { cpu: { type: 'string' } } },
  },
}

const VALUES = `# About the file.

# One image
# for all.
image:
  # -- (Always, Never) When it is pulled.
  policy: Always
# -- What pods may use.
limits: {}
`

t.test('R5.1 the comment right above a value is its description in the schema', (t) => {
  t.strictSame(describeValues(SCHEMA, VALUES), {
    type: 'object',
    properties: {
      image: {
        type: 'object',
        properties: {
          policy: { type: 'string', enum: ['Always', 'Never'], description: 'When it is pulled.' },
        },
        description: 'One image for all.',
      },
      limits: {
        type: 'object',
        properties: { cpu: { type: 'string' } },
        description: 'What pods may use.',
      },
    },
  })
  t.end()
})

t.test('R5.1 a value without a comment, or with other choices than those of the schema, stops the generation', (t) => {
  const silent = VALUES.replace('# -- What pods may use.\n', '\n')
  t.throws(() => describeValues(SCHEMA, silent), { message: 'values.yaml does not describe limits' })
  const absent = VALUES.replace('limits: {}\n', '')
  t.throws(() => describeValues(SCHEMA, absent), { message: 'values.yaml does not describe limits' })
  const stale = VALUES.replace('(Always, Never)', '(Always, Sometimes)')
  t.throws(() => describeValues(SCHEMA, stale), {
    message: 'values.yaml does not say of image.policy that it is (Always, Never)',
  })
  t.end()
})
