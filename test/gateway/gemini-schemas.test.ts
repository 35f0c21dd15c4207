import t from 'tap'
import { startRig } from '../helpers/gateway-rig.ts'
import { accounts } from '../helpers/stack.ts'

const PLAIN = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  additionalProperties: false,
  required: ['count', 'gone'],
  properties: {
    // Keys of arguments, not keywords.
    title: { type: 'string' },
    count: { type: ['integer', 'null'], exclusiveMinimum: 0, maximum: 9_007_199_254_740_991 },
    either: { description: 'E', anyOf: [{ type: 'string' }, { type: 'number' }] },
  },
}
/** Its size doubles with each level. */
const GROWING = {
  $ref: '#/$defs/l0',
  $defs: Object.fromEntries(
    Array.from({ length: 30 }, (_, at) => {
      const next = { $ref: `#/$defs/l${at + 1}` }
      return [`l${at}`, { type: 'object', properties: { a: next, b: next } }]
    }),
  ),
}

t.test(
  'a model before Gemini 2 gets the subset of schemas that it knows, and is told of what went (BerriAI/litellm#19098, #11164, weave-os/router#809)',
  async (t) => {
    const rig = await startRig(t, accounts(['g'], 'provider: Gemini', ''))
    const ask = async (model: string, parameters: object) => {
      const reply = await fetch(`${rig.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({
          model,
          messages: [{ role: 'user', content: 'hi' }],
          tools: [{ type: 'function', function: { name: 'f', parameters } }],
        }),
      })
      t.equal(reply.status, 200, await reply.text())
      const sent = JSON.parse(Buffer.from(rig.simulator.requests().at(-1)?.body ?? '').toString())
      return { declared: sent.tools[0].functionDeclarations[0], dropped: reply.headers.get('x-korproxy-dropped') }
    }
    t.strictSame(await ask('gemini-1.5-pro', PLAIN), {
      declared: {
        name: 'f',
        parameters: {
          type: 'object',
          properties: {
            title: { type: 'string' },
            count: { type: 'integer', nullable: true, minimum: 1 },
            either: {
              anyOf: [
                { type: 'string', description: 'E' },
                { type: 'number', description: 'E' },
              ],
            },
          },
          required: ['count'],
        },
      },
      dropped: null,
    })
    const { $schema: _, ...schema } = PLAIN
    t.strictSame(await ask('gemini-2.5-flash', PLAIN), {
      declared: { name: 'f', parametersJsonSchema: schema },
      dropped: null,
    })
    const { declared, dropped } = await ask('gemini-1.5-flash', GROWING)
    t.equal(dropped, 'tools.parameters')
    t.ok(JSON.stringify(declared).length < 300_000)
  },
)
