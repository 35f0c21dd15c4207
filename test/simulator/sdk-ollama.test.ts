import { Ollama } from 'ollama'
import t, { type Test } from 'tap'
import { type Simulator, startSimulator } from '#simulator/simulator.ts'
import { collect } from './collect.ts'

async function start(t: Test): Promise<{ simulator: Simulator; client: Ollama }> {
  const simulator = await startSimulator({ clock: () => 1_800_000_000_000 })
  t.teardown(() => simulator.close())
  return { simulator, client: new Ollama({ host: simulator.url }) }
}

const tools = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'x',
      parameters: { type: 'object', properties: { city: { type: 'string' } } },
    },
  },
]

t.test('R3.8 Ollama chats, streams lines and needs no key', async (t) => {
  const { client } = await start(t)
  const messages = [{ role: 'user', content: 'hi' }]
  const reply = await client.chat({ model: 'llama3.2', messages })
  t.match(reply, {
    message: { content: 'Hello from ollama llama3.2.' },
    done: true,
    done_reason: 'stop',
    prompt_eval_count: 11,
    eval_count: 7,
  })
  const lines = await collect(await client.chat({ model: 'llama3.2', messages, stream: true }))
  t.equal(lines.map((line) => line.message.content).join(''), 'Hello from ollama llama3.2.')
  t.strictSame(
    lines.map((line) => line.done),
    [false, false, false, false, true],
  )
})

t.test('R3.8 Ollama calls tools whole, thinks, sees images and follows a schema', async (t) => {
  const { client } = await start(t)
  const user = { role: 'user', content: 'USETOOL' }
  const call = await client.chat({ model: 'llama3.2', messages: [user], tools })
  t.match(call.message.tool_calls, [{ function: { name: 'get_weather', arguments: { city: 'Paris' } } }])
  const final = await client.chat({
    model: 'llama3.2',
    messages: [user, call.message, { role: 'tool', content: 'sunny', tool_name: 'get_weather' }],
    tools,
  })
  t.equal(final.message.content, 'Tool results: sunny')
  const thought = await client.chat({ model: 'qwen3', messages: [{ role: 'user', content: 'THINK' }], think: true })
  t.equal(thought.message.thinking, 'The user asked me to think, so I think.')
  const seen = await client.chat({
    model: 'llava',
    messages: [{ role: 'user', content: 'x', images: ['iVBORw0KGgo='] }],
  })
  t.equal(seen.message.content, 'Hello from ollama llava. image seen')
  const json = await client.chat({
    model: 'm',
    messages: [user],
    format: { type: 'object', properties: { city: { type: 'string' } } },
  })
  t.equal(json.message.content, '{"city":"Paris"}')
})

t.test('R3.8 generate, embeddings, and the lists of models', async (t) => {
  const { client } = await start(t)
  t.equal((await client.generate({ model: 'm', prompt: 'hi' })).response, 'Hello from ollama m.')
  const pieces = await collect(await client.generate({ model: 'm', prompt: 'hi', stream: true }))
  t.equal(pieces.map((piece) => piece.response).join(''), 'Hello from ollama m.')
  t.strictSame((await client.embed({ model: 'e', input: 'a', dimensions: 2 })).embeddings, [[0.53125, -0.875]])
  t.equal((await client.embeddings({ model: 'e', prompt: 'a' })).embedding.length, 8)
  t.equal((await client.list()).models[0]?.name, 'llama3.2:latest')
  t.strictSame((await client.show({ model: 'llama3.2' })).capabilities, ['completion', 'tools', 'vision'])
  t.equal((await client.ps()).models.length, 1)
})

t.test('R3.8 failures speak Ollama', async (t) => {
  const { client, simulator } = await start(t)
  const messages = [{ role: 'user', content: 'hi' }]
  await t.rejects(client.chat({ model: 'missing', messages }), {
    status_code: 404,
    message: "model 'missing' not found",
  })
  await t.rejects(client.chat({ model: 'm--503', messages }), { status_code: 503, message: /server busy/ })
  const stream = await client.chat({ model: 'm--errorevent', messages, stream: true })
  await t.rejects(collect(stream), /server busy/)
  const post = async (body: unknown) => {
    const response = await fetch(`${simulator.url}/api/chat`, { method: 'POST', body: JSON.stringify(body) })
    // The shape of Ollama's errors.
    const { error } = (await response.json()) as { error?: string }
    return `${response.status} ${error ?? 'ok'}`
  }
  const base = { model: 'm', stream: false }
  const call = (input: unknown) => ({
    role: 'assistant',
    content: '',
    tool_calls: [{ function: { name: 'f', arguments: input } }],
  })
  const cases: [unknown, RegExp][] = [
    [
      { ...base, messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] },
      /^400 json: cannot unmarshal array .*content of type string/,
    ],
    [{ ...base, messages: [call('{}')] }, /^400 json: cannot unmarshal string .*arguments/],
    [
      { ...base, messages: [{ role: 'user', content: 'x', images: ['data:image/png;base64,AA=='] }] },
      /^400 illegal base64 data at input byte 4/,
    ],
    [{ ...base, messages, think: true }, /^400 "m" does not support thinking/],
    [{ ...base, messages, format: 'xml' }, /^400 invalid format: "xml"/],
    [{ messages }, /^400 model is required/],
  ]
  for (const [body, expected] of cases) t.match(await post(body), expected)
})
