import t from 'tap'
import type { ChatFormatName } from '#formats/format.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { CHAT_FORMATS } from '#formats/registry.ts'
import { TARGETS } from './targets.ts'

/** More than a function takes as arguments. */
const TOO_MANY = 150_000
/** Enough that work which grows with the square would take minutes. */
const MANY = 30_000

function times<T>(make: (index: number) => T, length = MANY): T[] {
  return Array.from({ length }, (_, index) => make(index))
}

const LONG: Readonly<Record<string, readonly [client: ChatFormatName, body: () => JsonObject]>> = {
  'texts in one message': [
    'openai-chat',
    () => ({ messages: [{ role: 'user', content: times(() => ({ type: 'text', text: 'x' }), TOO_MANY) }] }),
  ],
  'calls of one id, and their results': [
    'openai-chat',
    () => ({
      messages: [
        { role: 'user', content: 'x' },
        {
          role: 'assistant',
          tool_calls: times(() => ({ id: 'a', type: 'function', function: { name: 'f', arguments: '' } })),
        },
        ...times(() => ({ role: 'tool', tool_call_id: 'a', content: 'r' })),
      ],
    }),
  ],
  'tools whose names become one name': [
    'openai-chat',
    () => ({
      messages: [{ role: 'user', content: 'x' }],
      tools: times((index) => ({ type: 'function', function: { name: `${'t'.repeat(130)}${index}` } })),
    }),
  ],
  'results without calls': [
    'anthropic',
    () => ({
      max_tokens: 9,
      messages: [
        {
          role: 'user',
          content: times((index) => ({ type: 'tool_result', tool_use_id: `a${index}`, content: 'r' }), TOO_MANY),
        },
      ],
    }),
  ],
  'calls and outputs': [
    'openai-responses',
    () => ({
      input: [
        ...times((index) => ({
          type: 'function_call',
          call_id: `a${index}`,
          name: 'f',
          namespace: 'n',
          arguments: '{}',
        })),
        ...times((index) => ({ type: 'function_call_output', call_id: `a${index}`, output: 'r' })),
      ],
    }),
  ],
  'calls without ids, in the chunks of a stream': [
    'gemini',
    () => ({
      contents: [
        { role: 'user', parts: [{ text: 'x' }] },
        ...times(() => ({ role: 'model', parts: [{ functionCall: { name: 'f' } }] })),
        { role: 'user', parts: times(() => ({ functionResponse: { name: 'f', response: {} } })) },
      ],
    }),
  ],
  'calls without ids': [
    'ollama-chat',
    () => ({
      messages: [
        { role: 'user', content: 'x' },
        { role: 'assistant', tool_calls: times(() => ({ function: { name: 'f', arguments: {} } })) },
        ...times(() => ({ role: 'tool', content: 'r', tool_name: 'f' })),
      ],
    }),
  ],
}

for (const [title, [client, body]] of Object.entries(LONG)) {
  t.test(`R3.3 a request of ${client} with very many ${title} is translated for every target`, (t) => {
    const request = CHAT_FORMATS[client].decodeRequest({ model: 'alias', ...body() }, {})
    for (const [name, { format, model }] of Object.entries(TARGETS)) {
      t.doesNotThrow(() => format.encodeRequest?.({ ...request, model: model.id }, model), name)
    }
    t.end()
  })
}

/** A union with a branch that fits, one that is nested too deep to be flattened, and one that is too long to be written out. */
const HUGE: JsonObject = {
  anyOf: [{ $ref: '#/$defs/Small' }, { $ref: '#/$defs/L0' }, { $ref: '#/$defs/Long' }],
  $defs: {
    Small: { type: 'object', properties: { small: { type: 'string' } } },
    Long: { type: 'object', properties: { long: { type: 'string', description: 'x'.repeat(200_000) } } },
    ...Object.fromEntries(times((level) => [`L${level}`, { anyOf: [{ $ref: `#/$defs/L${level + 1}` }] }], 50)),
    L50: { type: 'object', properties: { deep: { type: 'string' } } },
  },
}
const CUT: Readonly<Record<string, readonly [tool: string, answer: string]>> = {
  'openai-chat': ['tools.parameters', 'response_format.schema'],
  'openai-responses': ['tools.parameters', 'text.format.schema'],
  anthropic: ['tools.input_schema', 'response_format.schema'],
}

for (const [title, wanted] of Object.entries(CUT)) {
  t.test(`R3.3 branches of a schema that are too deep or too long for ${title} are told as dropped`, (t) => {
    const read = CHAT_FORMATS['openai-chat'].decodeRequest
    const asked = { model: 'm', messages: [{ role: 'user', content: 'x' }] }
    const requests = [
      read({ ...asked, tools: [{ type: 'function', function: { name: 'f', parameters: HUGE } }] }, {}),
      read({ ...asked, response_format: { type: 'json_schema', json_schema: { name: 'f', schema: HUGE } } }, {}),
    ]
    const target = TARGETS[title]
    if (target === undefined) throw new Error(`no target ${title}`)
    for (const [at, request] of requests.entries()) {
      const model = {
        ...target.model,
        capabilities: { ...target.model.capabilities, jsonSchema: title !== 'anthropic' },
      }
      t.strictSame(target.format.encodeRequest?.(request, model).dropped, [wanted[at]])
    }
    t.end()
  })
}
