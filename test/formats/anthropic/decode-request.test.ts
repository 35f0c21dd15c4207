import t from 'tap'
import type { KorProxyError } from '#errors/korproxy-error.ts'
import { anthropic } from '#formats/anthropic/anthropic.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { golden } from '../../helpers/golden.ts'

t.test('R3.3 message requests become the intermediate form', (t) => {
  golden(t, new URL('../requests/anthropic/', import.meta.url), 'ir', (body) =>
    // The files hold JSON objects.
    anthropic.decodeRequest(body as JsonObject, {}),
  )
  t.end()
})

const minimal = { model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] }

function refusal(change: JsonObject): Pick<KorProxyError, 'code' | 'message'> {
  try {
    anthropic.decodeRequest({ ...minimal, ...change }, {})
  } catch (error) {
    // decodeRequest throws nothing else.
    return error as KorProxyError
  }
  throw new Error('was not refused')
}

t.test('a broken request is refused with the field', (t) => {
  const cases: readonly [JsonObject, string][] = [
    [{ max_tokens: null }, 'max_tokens: Invalid input: expected number, received null'],
    [{ max_tokens: 0 }, 'max_tokens: Too small: expected number to be >0'],
    [
      { messages: [{ role: 'tool', content: '' }] },
      'messages[0].role: Invalid option: expected one of "user"|"assistant"|"system"',
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url' } }] }] },
      'messages[0].content[0].source.url: Invalid input: expected string, received undefined',
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'messages[0].content[0].text: Invalid input: expected string, received undefined',
    ],
    [
      { messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: '{}' }] }] },
      'messages[0].content[0].input: Invalid input: expected object',
    ],
    [{ tools: [{ input_schema: {} }] }, 'tools[0].name: Invalid input: expected string'],
    [{ tool_choice: { type: 'tool' } }, 'tool_choice.name: Invalid input: expected string'],
  ]
  for (const [change, message] of cases) t.match(refusal(change), { code: 'KP-SYS-516', message })
  t.end()
})

t.test('a missing max_tokens is named', (t) => {
  const { max_tokens: _, ...body } = minimal
  t.throws(() => anthropic.decodeRequest(body, {}), {
    code: 'KP-SYS-516',
    message: 'max_tokens: Invalid input: expected number, received undefined',
  })
  t.end()
})

t.test('R3.3 forcing a tool that only Anthropic has is refused, not ignored', (t) => {
  const change = {
    tools: [{ type: 'web_search_20260318', name: 'web_search' }],
    tool_choice: { type: 'tool', name: 'web_search' },
  }
  t.match(refusal(change), { code: 'KP-PROV-112', message: /tool_choice .* web_search is not a custom tool/ })
  t.end()
})

t.test('a choice among tools that are all left out is left out too', (t) => {
  const tools = [{ type: 'web_search_20260318', name: 'web_search' }]
  const { toolChoice, dropped } = anthropic.decodeRequest({ ...minimal, tools, tool_choice: { type: 'any' } }, {})
  t.equal(toolChoice, undefined)
  t.strictSame(dropped, ['tools.web_search', 'tool_choice'])
  t.end()
})
