import Anthropic, { APIError } from '@anthropic-ai/sdk'
import t, { type Test } from 'tap'
import { type Simulator, startSimulator } from '#simulator/simulator.ts'
import { collect } from './collect.ts'

const tool = {
  name: 'get_weather',
  input_schema: { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] },
}

async function start(t: Test): Promise<{ simulator: Simulator; client: Anthropic }> {
  const simulator = await startSimulator({ clock: () => 1_800_000_000_000 })
  t.teardown(() => simulator.close())
  return { simulator, client: new Anthropic({ baseURL: simulator.url, apiKey: 'sk-ant-good', maxRetries: 0 }) }
}

async function errorOf(work: Promise<unknown>): Promise<APIError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof APIError) return error
  throw new Error('no APIError', { cause: error })
}

const ask = { model: 'claude-opus-5-5', max_tokens: 100, messages: [{ role: 'user' as const, content: 'hi' }] }

t.test('R3.8 messages answer with text, and usage that leaves the cache out', async (t) => {
  const { client } = await start(t)
  const reply = await client.messages.create(ask)
  t.match(reply.content, [{ type: 'text', text: 'Hello from anthropic claude-opus-5-5.' }])
  t.match(reply, { stop_reason: 'end_turn', usage: { input_tokens: 8, cache_read_input_tokens: 3, output_tokens: 7 } })
  t.match(await client.messages.countTokens({ model: ask.model, messages: ask.messages }), { input_tokens: 11 })
  const models = await collect(client.models.list())
  t.ok(models.some((model) => model.id === 'claude-opus-5-5'))
})

t.test(
  'R3.8 a message stream thinks with a signature that is taken back, calls a tool and quotes its result',
  async (t) => {
    const { client } = await start(t)
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'THINK and USETOOL' }]
    const thinking = { type: 'enabled', budget_tokens: 1024 } as const
    const request = { ...ask, max_tokens: 2000, tools: [tool], thinking }
    const stream = client.messages.stream({ ...request, messages })
    const types: string[] = []
    stream.on('streamEvent', (event) => types.push(event.type))
    const first = await stream.finalMessage()
    t.strictSame(types.slice(0, 4), [
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
    ])
    t.strictSame(types.slice(-2), ['message_delta', 'message_stop'])
    t.match(first.content, [
      {
        type: 'thinking',
        thinking: 'The user asked me to think, so I think.',
        signature: 'bW9jay1hbnRocm9waWMtc2lnbmF0dXJl',
      },
      { type: 'tool_use', name: 'get_weather', input: { city: 'Paris' } },
    ])
    t.equal(first.stop_reason, 'tool_use')
    const use = first.content.find((block) => block.type === 'tool_use')
    const result = {
      type: 'tool_result' as const,
      tool_use_id: use?.id ?? '',
      content: [{ type: 'text' as const, text: 'sunny' }],
    }
    const second = { role: 'user' as const, content: [result] }
    const final = await client.messages.create({
      ...request,
      messages: [...messages, { role: 'assistant', content: first.content }, second],
    })
    t.match(final.content, [{ type: 'text', text: 'Tool results: sunny' }])
  },
)

t.test('R3.8 two calls come one after the other, a schema gives JSON, an image is seen', async (t) => {
  const { client } = await start(t)
  const two = await client.messages
    .stream({ ...ask, messages: [{ role: 'user', content: 'USETOOLS2' }], tools: [tool] })
    .finalMessage()
  t.match(two.content, [{ input: { city: 'Paris' } }, { input: { city: 'London' } }])
  const schema = {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  }
  const json = await client.messages.create({ ...ask, output_config: { format: { type: 'json_schema', schema } } })
  t.match(json.content, [{ text: '{"city":"Paris"}' }])
  const image = {
    type: 'image' as const,
    source: { type: 'base64' as const, media_type: 'image/png' as const, data: 'iVBORw0KGgo=' },
  }
  const seen = await client.messages.create({ ...ask, messages: [{ role: 'user', content: [image] }] })
  t.match(seen.content, [{ text: 'Hello from anthropic claude-opus-5-5. image seen' }])
})

t.test('R3.8 failures speak Anthropic: type, request id, limits', async (t) => {
  const { client, simulator } = await start(t)
  const withModel = (model: string) => errorOf(client.messages.create({ ...ask, model }))
  const limited = await withModel('claude-x--429r7')
  t.match(limited, { status: 429, error: { type: 'error', error: { type: 'rate_limit_error' } } })
  t.equal(limited.headers?.get('retry-after'), '7')
  t.equal(limited.headers?.get('anthropic-ratelimit-requests-reset'), '2027-01-15T08:00:07.000Z')
  t.match(await withModel('claude-x--529'), {
    status: 529,
    error: { error: { type: 'overloaded_error', message: 'Overloaded' } },
  })
  t.match(await withModel('claude-x--toolong'), {
    status: 400,
    error: { error: { message: 'prompt is too long: 210000 tokens > 200000 maximum' } },
  })
  t.match(await withModel('claude-x--quota'), {
    status: 400,
    error: { error: { message: /credit balance is too low/ } },
  })
  t.match(await withModel('missing'), { status: 404, error: { error: { type: 'not_found_error' } } })
  const bad = new Anthropic({ baseURL: simulator.url, apiKey: 'sk-ant-bad', maxRetries: 0 })
  t.match(await errorOf(bad.messages.create(ask)), { status: 401, error: { error: { type: 'authentication_error' } } })
  const refused = await client.messages.create({ ...ask, model: 'claude-x--filter' })
  t.match(refused, { stop_reason: 'refusal', stop_details: { type: 'refusal' } })
  const stream = client.messages.stream({ ...ask, model: 'claude-x--errorevent' })
  await t.rejects(stream.finalMessage(), /overloaded_error/)
})

t.test('R3.8 Anthropic refuses what its API refuses', async (t) => {
  const { simulator } = await start(t)
  const post = async (body: unknown, version = '2023-06-01') => {
    const headers: Record<string, string> = {
      'x-api-key': 'sk-ant-good',
      ...(version === '' ? {} : { 'anthropic-version': version }),
    }
    const response = await fetch(`${simulator.url}/v1/messages`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    // The shape of Anthropic's errors.
    const { error } = (await response.json()) as { error?: { message: string } }
    return `${response.status} ${error?.message ?? 'ok'}`
  }
  const user = { role: 'user', content: 'hi' }
  const use = { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }] }
  const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'x' }
  const base = { model: 'claude-opus-5-5', max_tokens: 100, messages: [user] }
  const withMessages = (...messages: unknown[]) => ({ ...base, messages })
  t.equal(await post(base), '200 ok')
  t.equal(await post(base, ''), '400 anthropic-version: header is required')
  t.match(await post(base, '2020-01-01'), /^400 anthropic-version: "2020-01-01" is not a valid version/)
  t.match(await post({ ...base, temperature: 0.5 }, '2026-10-21'), /^400 temperature: .*not supported/)
  t.equal(await post({ ...base, temperature: 0.5 }), '200 ok')
  const cases: [unknown, RegExp][] = [
    [{ ...base, max_tokens: undefined }, /^400 max_tokens: Field required/],
    [withMessages(), /^400 messages: at least one message is required/],
    [withMessages(use), /^400 messages: first message must use the "user" role/],
    [withMessages({ role: 'tool', content: 'x' }), /^400 messages: Unexpected role "tool"/],
    [
      withMessages({ role: 'user', content: [{ type: 'text', text: '' }] }),
      /^400 messages: text content blocks must be non-empty/,
    ],
    [withMessages({ role: 'user', content: '' }, user), /^400 messages\.0: all messages must have non-empty content/],
    [
      withMessages(user, use, user),
      /^400 messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1/,
    ],
    [
      withMessages(user, use, { role: 'user', content: [{ type: 'text', text: 'first' }, result] }),
      /^400 messages\.1: `tool_use` ids were found without/,
    ],
    [
      withMessages({ role: 'user', content: [result] }),
      /^400 messages\.0\.content\.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1/,
    ],
    [
      withMessages(user, { role: 'assistant', content: [{ type: 'tool_use', id: 'a.b', name: 'f', input: {} }] }),
      /^400 .*String should match pattern/,
    ],
    [
      withMessages(user, { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: '{}' }] }),
      /^400 .*input: Input should be a valid dictionary/,
    ],
    [
      withMessages(user, { role: 'assistant', content: [{ type: 'thinking', thinking: 'x', signature: 'forged' }] }),
      /^400 .*Invalid `signature` in `thinking` block/,
    ],
    [
      withMessages({ role: 'user', content: [{ type: 'image_url', image_url: {} }], name: 'x' }),
      /^400 messages\.0\.name: Extra inputs are not permitted/,
    ],
    [withMessages(user, { role: 'assistant', content: 'ends with space ' }), /^400 .*trailing whitespace/],
    [{ ...base, stop: ['x'] }, /^400 stop: Extra inputs are not permitted/],
    [{ ...base, metadata: { tenant: 'x' } }, /^400 metadata\.tenant: Extra inputs are not permitted/],
    [{ ...base, temperature: 1.5 }, /^400 temperature: range: 0\.\.1/],
    [{ ...base, temperature: 0.5, top_p: 0.5 }, /^400 `temperature` and `top_p` cannot both be specified/],
    [
      { ...base, tools: [{ name: 'a b', input_schema: { type: 'object' } }] },
      /^400 tools\.0\.custom\.name: String should match pattern/,
    ],
    [
      { ...base, tools: [{ name: 'f', input_schema: {} }] },
      /^400 tools\.0\.custom\.input_schema\.type: Field required/,
    ],
    [
      { ...base, tools: [{ name: 'f', input_schema: { type: 'object', anyOf: [] } }] },
      /^400 .*does not support oneOf, allOf, or anyOf/,
    ],
    [{ ...base, tool_choice: { type: 'auto' } }, /^400 tool_choice: may only be specified while providing tools/],
    [{ ...base, tool_choice: 'auto' }, /^400 tool_choice: /],
    [
      { ...base, thinking: { type: 'enabled', budget_tokens: 1024 } },
      /^400 `max_tokens` must be greater than `thinking\.budget_tokens`/,
    ],
    [
      {
        ...base,
        max_tokens: 4000,
        thinking: { type: 'enabled', budget_tokens: 1024 },
        messages: [user, use, { role: 'user', content: [result] }],
      },
      /^400 .*must start with a thinking block/,
    ],
  ]
  for (const [body, expected] of cases) t.match(await post(body), expected)
  t.equal(
    await post(withMessages(user, use, { role: 'system', content: 'note' }, { role: 'user', content: [result] }, user)),
    '200 ok',
  )
})
