import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { openaiResponses } from '#formats/openai-responses/openai-responses.ts'
import { golden } from '../../helpers/golden.ts'

// Golden inputs are JSON objects.
const decode = (body: unknown) => openaiResponses.decodeRequest(body as JsonObject, {})

t.test('R3.3 requests become the intermediate form', (t) => {
  golden(t, new URL('../requests/openai-responses/', import.meta.url), 'ir', decode)
  t.end()
})

function refusal(body: JsonObject): { code: string; message: string } | undefined {
  try {
    decode(body)
    return undefined
  } catch (error) {
    if (error instanceof KorProxyError) return { code: error.code, message: error.message }
    throw error
  }
}

t.test('R3.3 what is kept at OpenAI between requests is refused, for KorProxy stores nothing', (t) => {
  const user = { role: 'user', content: 'hi' }
  for (const body of [
    { model: 'm', input: 'hi', previous_response_id: 'resp_1' },
    { model: 'm', input: 'hi', conversation: 'conv_1' },
    { model: 'm', input: 'hi', prompt: { id: 'pmpt_1' } },
    { model: 'm', input: 'hi', background: true },
    { model: 'm', input: [user, { type: 'item_reference', id: 'msg_1' }] },
    { model: 'm', input: [user, { id: 'msg_1' }] },
    { model: 'm', input: [user, { type: 'compaction', encrypted_content: 'x' }] },
  ]) {
    t.equal(refusal(body)?.code, 'KP-PROV-112', JSON.stringify(body))
  }
  t.end()
})

t.test('a reference to reasoning is left out: the AI SDK sends it before a call that it sends whole', (t) => {
  const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }
  const { turns, dropped } = decode({ model: 'm', input: [{ type: 'item_reference', id: 'rs_1' }, call] })
  t.same(turns, [{ role: 'assistant', parts: [{ type: 'tool-call', id: 'c', name: 'f', arguments: '{}' }] }])
  t.same(dropped, ['input.reasoning'])
  t.end()
})

t.test('R8.1 a wrong field is named by its path', (t) => {
  t.same(refusal({ model: 'm' }), {
    code: 'KP-SYS-516',
    message: 'input: Invalid input: expected string, received undefined',
  })
  t.match(refusal({ model: 'm', input: [{ role: 'user', content: [{ type: 'input_text' }] }] }), {
    message: /^input\[0\]\.content\[0\]\.text: /,
  })
  t.match(refusal({ model: 'm', input: [{ type: 'function_call', name: 'f', call_id: 'c' }] }), {
    message: /^input\[0\]\.arguments: /,
  })
  t.match(refusal({ model: 'm', input: [{ role: 'user', content: [{ type: 'input_image' }] }] }), {
    message: 'input[0].content[0]: image_url or file_id is needed',
  })
  const misplaced = [{ role: 'system', content: [{ type: 'input_image', image_url: 'https://e.com/i.png' }] }]
  t.match(refusal({ model: 'm', input: misplaced }), { message: /^input\[0\]\.content\[0\]: input_image cannot/ })
  t.end()
})

t.test('R3.3 a flat name that another tool has already is made unique', (t) => {
  const { tools } = decode({
    model: 'm',
    input: 'x',
    tools: [
      { type: 'function', name: 'crew__spawn' },
      { type: 'namespace', name: 'crew', tools: [{ type: 'function', name: 'spawn' }] },
    ],
  })
  t.same(
    tools.map((tool) => tool.name),
    ['crew__spawn', 'crew__spawn_2'],
  )
  t.end()
})

t.test('R3.3 a tool choice of a namespace means all its tools; one of a hosted tool is left out', (t) => {
  const body = {
    model: 'm',
    input: 'x',
    tools: [
      {
        type: 'namespace',
        name: 'crew',
        tools: [
          { type: 'function', name: 'spawn' },
          { type: 'function', name: 'stop' },
        ],
      },
      { type: 'web_search' },
    ],
  }
  const tools = { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'namespace', name: 'crew' }] }
  t.same(decode({ ...body, tool_choice: tools }).toolChoice, {
    type: 'tools',
    names: ['crew__spawn', 'crew__stop'],
    mode: 'auto',
  })
  const hosted = decode({ ...body, tool_choice: { type: 'web_search' } })
  t.equal(hosted.toolChoice, undefined)
  t.same(hosted.dropped, ['tools.web_search', 'tool_choice'])
  t.end()
})
