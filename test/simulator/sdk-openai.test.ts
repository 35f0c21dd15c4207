import OpenAI, { APIError, RateLimitError } from 'openai'
import t, { type Test } from 'tap'
import { type Simulator, startSimulator } from '#simulator/simulator.ts'
import { collect } from './collect.ts'

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' } },
      required: ['city'],
    },
  },
} as const
const clock = {
  type: 'function',
  function: { name: 'get_time', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
} as const

async function start(t: Test, path = '/v1'): Promise<{ simulator: Simulator; client: OpenAI }> {
  const simulator = await startSimulator({ clock: () => 1_800_000_000_000 })
  t.teardown(() => simulator.close())
  const client = new OpenAI({ baseURL: `${simulator.url}${path}`, apiKey: 'sk-good', maxRetries: 0 })
  return { simulator, client }
}

async function errorOf(work: Promise<unknown>): Promise<APIError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof APIError) return error
  throw new Error('no APIError', { cause: error })
}

t.test('R3.8 chat answers with a recognisable text and fixed usage', async (t) => {
  const { client, simulator } = await start(t)
  const reply = await client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] })
  t.equal(reply.choices[0]?.message.content, 'Hello from openai gpt-4o.')
  t.equal(reply.choices[0]?.finish_reason, 'stop')
  t.match(reply.usage, { prompt_tokens: 11, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 3 } })
  t.equal(reply.created, 1_800_000_000)
  const [request] = simulator.requests()
  t.match(request, {
    method: 'POST',
    path: '/v1/chat/completions',
    key: 'sk-good',
    model: 'gpt-4o',
    status: 200,
    closedByClient: false,
  })
  t.equal(Buffer.from(request?.body ?? []).toString(), '{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}')
})

t.test('R3.8 a chat stream has role, pieces, finish reason and usage', async (t) => {
  const { client } = await start(t)
  const stream = await client.chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
    stream_options: { include_usage: true },
  })
  const chunks = await collect(stream)
  t.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), 'Hello from openai gpt-4o.')
  t.equal(chunks.at(-2)?.choices[0]?.finish_reason, 'stop')
  t.strictSame(chunks.at(-1)?.choices, [])
  t.equal(chunks.at(-1)?.usage?.total_tokens, 18)
})

t.test('R3.8 two parallel calls arrive as interleaved deltas, and their results are quoted', async (t) => {
  const { client } = await start(t)
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'please USETOOLS2' }]
  const tools = [weather, clock]
  const stream = client.chat.completions.stream({ model: 'gpt-4o', messages, tools })
  const indexes: number[] = []
  for await (const chunk of stream)
    for (const call of chunk.choices[0]?.delta.tool_calls ?? []) indexes.push(call.index)
  t.strictSame(indexes.slice(0, 4), [0, 1, 0, 1])
  const { message } = (await stream.finalChatCompletion()).choices[0] ?? {}
  const calls = message?.tool_calls?.map((call) =>
    call.type === 'function' ? [call.function.name, call.function.arguments] : [],
  )
  t.strictSame(calls, [
    ['get_weather', '{"city":"Paris"}'],
    ['get_time', '{"city":"London"}'],
  ])
  const results =
    message?.tool_calls?.map(({ id }, index) => ({
      role: 'tool' as const,
      tool_call_id: id,
      content: `result ${index}`,
    })) ?? []
  const call = { role: 'assistant' as const, content: null, tool_calls: message?.tool_calls ?? [] }
  const final = await client.chat.completions.create({
    model: 'gpt-4o',
    messages: [...messages, call, ...results],
    tools,
  })
  t.equal(final.choices[0]?.message.content, 'Tool results: result 0 | result 1')
})

t.test('R3.8 schemas, images and reasoning show in the answer', async (t) => {
  const { client } = await start(t)
  const schema = {
    type: 'object',
    properties: {
      name: { type: 'string' },
      age: { type: 'integer', minimum: 18 },
      tags: { type: 'array', items: { type: 'string' } },
    },
    required: ['name', 'age', 'tags'],
    additionalProperties: false,
  }
  const json = await client.chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'hi' }],
    response_format: { type: 'json_schema', json_schema: { name: 'person', strict: true, schema } },
  })
  t.equal(json.choices[0]?.message.content, '{"name":"x","age":18,"tags":["x"]}')
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } } as const
  const seen = await client.chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'THINK' }, image] }],
  })
  t.equal(seen.choices[0]?.message.content, 'Hello from openai gpt-4o. image seen')
  t.match(seen.choices[0]?.message, { reasoning_content: 'The user asked me to think, so I think.' })
  t.equal(seen.usage?.completion_tokens_details?.reasoning_tokens, 2)
})

t.test('R3.8 responses: text, stream, tools in two turns, reasoning', async (t) => {
  const { client } = await start(t)
  const plain = await client.responses.create({ model: 'gpt-5', input: 'hi' })
  t.equal(plain.output_text, 'Hello from openai gpt-5.')
  t.equal(plain.usage?.input_tokens_details.cached_tokens, 3)

  const stream = await client.responses.create({ model: 'gpt-5', input: 'THINK', stream: true })
  const events = await collect(stream)
  t.strictSame(
    events.map((event) => event.type).filter((type, index, all) => type !== all[index - 1]),
    [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.reasoning_summary_part.added',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ],
  )
  t.strictSame(
    events.map((event) => event.sequence_number),
    events.map((_, index) => index),
  )
  const tools = [
    { type: 'function' as const, name: 'get_weather', parameters: weather.function.parameters, strict: false },
  ]
  const calling = await client.responses.create({ model: 'gpt-5', input: 'USETOOL', tools })
  const call = calling.output[0]
  if (call?.type !== 'function_call') throw new Error('no call')
  t.match(call, { name: 'get_weather', arguments: '{"city":"Paris"}' })
  const output = { type: 'function_call_output' as const, call_id: call.call_id, output: 'sunny' }
  const final = await client.responses.create({
    model: 'gpt-5',
    input: [{ role: 'user', content: 'USETOOL' }, call, output],
    tools,
  })
  t.equal(final.output_text, 'Tool results: sunny')
})

t.test('R3.8 completions, embeddings in both encodings, models', async (t) => {
  const { client } = await start(t)
  const text = await client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'hi' })
  t.equal(text.choices[0]?.text, 'Hello from openai gpt-3.5-turbo-instruct.')
  const pieces = await collect(await client.completions.create({ model: 'm', prompt: 'hi', stream: true }))
  t.equal(pieces.map((piece) => piece.choices[0]?.text ?? '').join(''), 'Hello from openai m.')

  const floats = await client.embeddings.create({
    model: 'e',
    input: ['a', 'b'],
    dimensions: 4,
    encoding_format: 'float',
  })
  t.strictSame(
    floats.data.map((item) => item.embedding),
    [
      [0.53125, -0.875, -0.296875, 0.28125],
      [0.546875, -0.859375, -0.28125, 0.296875],
    ],
  )
  const decoded = await client.embeddings.create({ model: 'e', input: ['a', 'b'], dimensions: 4 })
  t.strictSame(
    decoded.data.map((item) => item.embedding),
    floats.data.map((item) => item.embedding),
  )
  const tokens = await client.embeddings.create({ model: 'e', input: [[1, 2], [3]] })
  t.equal(tokens.data.length, 2)
  const models = await collect(client.models.list())
  t.ok(models.some((model) => model.id === 'gpt-4o'))
  t.equal((await client.models.retrieve('gpt-4o')).id, 'gpt-4o')
})

t.test('R3.8 keys and models that are not there are refused as OpenAI does', async (t) => {
  const { client, simulator } = await start(t)
  const ask = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'hi' }] }
  const bad = await errorOf(
    new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey: 'sk-bad-0123456789' }).chat.completions.create(ask),
  )
  t.match(bad, { status: 401, code: 'invalid_api_key' })
  t.notMatch(bad.message, /sk-bad-0123456789/)
  const none = await fetch(`${simulator.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(ask) })
  t.equal(none.status, 401)
  t.match(await errorOf(client.chat.completions.create({ ...ask, model: 'missing-model' })), {
    status: 404,
    code: 'model_not_found',
  })
  t.equal((await fetch(`${simulator.url}/v1/nothing`, { headers: { authorization: 'Bearer x' } })).status, 404)
  t.equal((await fetch(`${simulator.url}/v1/chat/completions`, { headers: { authorization: 'Bearer x' } })).status, 405)
})

t.test('R3.8 OpenAI refuses what its API refuses', async (t) => {
  const { simulator } = await start(t)
  const post = async (path: string, body: unknown) => {
    const headers = { authorization: 'Bearer sk-good', 'content-type': 'application/json' }
    const response = await fetch(`${simulator.url}/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    // The shape of OpenAI's errors.
    const { error } = (await response.json()) as { error?: { message: string; code: string | null } }
    return `${response.status} ${error?.message ?? 'ok'}`
  }
  const user = { role: 'user', content: 'hi' }
  const call = {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }],
  }
  const chat = { model: 'gpt-4o', messages: [user] }
  const cases: [string, unknown, RegExp][] = [
    [
      '/chat/completions',
      { ...chat, messages: [user, { role: 'tool', tool_call_id: 'c1', content: 'x' }] },
      /^400 .*must be a response to a preceeding message with 'tool_calls'/,
    ],
    ['/chat/completions', { ...chat, messages: [user, call, user] }, /^400 .*did not have response messages: c1/],
    ['/chat/completions', { ...chat, messages: [user, call] }, /^400 .*did not have response messages: c1/],
    ['/chat/completions', { ...chat, stop: ['1', '2', '3', '4', '5'] }, /^400 Invalid 'stop': array too long/],
    ['/chat/completions', { ...chat, model: 'gpt-5', max_tokens: 10 }, /^400 Unsupported parameter: 'max_tokens'/],
    ['/chat/completions', { ...chat, model: 'o3', max_tokens: 10 }, /^400 Unsupported parameter: 'max_tokens'/],
    ['/chat/completions', { ...chat, model: 'gpt-5', temperature: 0.2 }, /^400 Unsupported value: 'temperature'/],
    ['/chat/completions', { ...chat, top_k: 3 }, /^400 Unrecognized request argument supplied: top_k/],
    ['/chat/completions', { ...chat, tools: [] }, /^400 Invalid 'tools': empty array/],
    ['/chat/completions', { ...chat, tool_choice: 'auto' }, /^400 .*only allowed when 'tools' are specified/],
    [
      '/chat/completions',
      { ...chat, stream_options: { include_usage: true } },
      /^400 .*only allowed when 'stream' is enabled/,
    ],
    [
      '/chat/completions',
      { ...chat, response_format: { type: 'json_object' } },
      /^400 'messages' must contain the word 'json'/,
    ],
    [
      '/chat/completions',
      { ...chat, messages: [{ role: 'user', content: [{ type: 'tool_result' }] }] },
      /^400 Invalid value: 'tool_result'/,
    ],
    [
      '/chat/completions',
      { ...chat, messages: [{ role: 'assistant', content: null }] },
      /^400 Invalid value for 'content'/,
    ],
    ['/chat/completions', { model: 'gpt-4o' }, /^400 Missing required parameter: 'messages'/],
    ['/chat/completions', { messages: [user] }, /^400 you must provide a model parameter/],
    ['/responses', { model: 'gpt-5', messages: [user] }, /^400 Unsupported parameter: 'messages'.*moved to 'input'/],
    [
      '/responses',
      { model: 'gpt-5', input: [{ role: 'assistant', content: [{ type: 'input_text', text: 'x' }] }] },
      /^400 Invalid value: 'input_text'/,
    ],
    [
      '/responses',
      { model: 'gpt-5', input: [{ type: 'function_call_output', call_id: 'c', output: 'x' }] },
      /^400 No tool call found .* call_id c/,
    ],
    [
      '/responses',
      { model: 'gpt-5', input: [{ type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }] },
      /^400 No tool output found for function call c/,
    ],
    [
      '/responses',
      { model: 'gpt-5', input: [{ type: 'message', id: 'x1', role: 'user', content: 'x' }] },
      /^400 .*begins with 'msg'/,
    ],
    ['/responses', { model: 'gpt-5', input: 'x', max_output_tokens: 1 }, /^400 .*integer below minimum/],
    ['/embeddings', { model: 'e', input: [] }, /^400 '\$\.input' is invalid/],
    [
      '/embeddings',
      { model: 'text-embedding-ada-002', input: 'a', dimensions: 4 },
      /^400 .*does not support specifying dimensions/,
    ],
  ]
  for (const [path, body, expected] of cases) t.match(await post(path, body), expected)
  const compatible = await fetch(`${simulator.url}/groq/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-good' },
    body: JSON.stringify({ ...chat, top_k: 3 }),
  })
  t.match(await compatible.json(), { choices: [{ message: { content: 'Hello from groq gpt-4o.' } }] })
})

t.test('R3.8 a rate limit carries the headers of OpenAI', async (t) => {
  const { client } = await start(t)
  const ask = { model: 'gpt-4o--429r90', messages: [{ role: 'user' as const, content: 'hi' }] }
  const error = await errorOf(client.chat.completions.create(ask))
  t.ok(error instanceof RateLimitError)
  t.equal(error.headers?.get('retry-after'), '90')
  t.equal(error.headers?.get('x-ratelimit-reset-requests'), '1m30s')
  t.match(await errorOf(client.chat.completions.create({ ...ask, model: 'gpt-4o--quota' })), {
    status: 429,
    code: 'insufficient_quota',
  })
  t.match(await errorOf(client.chat.completions.create({ ...ask, model: 'gpt-4o--toolong' })), {
    status: 400,
    code: 'context_length_exceeded',
  })
})

t.test('R3.8 OpenRouter adds comments, cost and its own errors', async (t) => {
  const { client, simulator } = await start(t, '/api/v1')
  const ask = { model: 'openai/gpt-4o', messages: [{ role: 'user' as const, content: 'THINK' }] }
  const reply = await client.chat.completions.create(ask)
  t.match(reply, { provider: 'MockProvider', usage: { cost: 0.00042 } })
  t.match(reply.choices[0], {
    native_finish_reason: 'STOP',
    message: { reasoning_details: [{ type: 'reasoning.text' }] },
  })
  const raw = await fetch(`${simulator.url}/api/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-good' },
    body: JSON.stringify({ ...ask, stream: true }),
  })
  t.match(await raw.text(), /^: OPENROUTER PROCESSING\n\n/)
  t.match(await errorOf(client.chat.completions.create({ ...ask, model: 'openai/gpt-4o--quota' })), {
    status: 402,
    error: { code: 402 },
  })
  const stream = await client.chat.completions.create({ ...ask, model: 'openai/gpt-4o--errorevent', stream: true })
  await t.rejects(collect(stream), /Provider overloaded/)
})

t.test('R3.8 Azure names the deployment in the path and wants its own key header', async (t) => {
  const { simulator } = await start(t)
  const post = (path: string, headers: Record<string, string>) =>
    fetch(`${simulator.url}${path}`, {
      method: 'POST',
      headers,
      body: '{"messages":[{"role":"user","content":"hi"}],"stream":true}',
    })
  const path = '/openai/deployments/gpt-4o/chat/completions'
  t.equal((await post(path, { 'api-key': 'k' })).status, 404)
  t.equal((await post(`${path}?api-version=2024-10-21`, { 'x-api-key': 'k' })).status, 401)
  const stream = await (await post(`${path}?api-version=2024-10-21`, { 'api-key': 'k' })).text()
  t.match(stream, /^data: \{"id":"","object":"","created":0,"model":"","choices":\[\],"prompt_filter_results"/)
  t.match(stream, /data: \[DONE\]\n\n$/)
})
