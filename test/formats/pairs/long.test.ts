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
