import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { type Stack, startStack } from '../helpers/stack.ts'
import { CLIENT_KEY, manifests, UPSTREAMS } from './upstreams.ts'

/** What one call of an SDK puts on the wire. */
interface Sent {
  readonly path: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

type Call = (url: string, model: string) => Promise<unknown>

async function drain(items: Promise<AsyncIterable<unknown>>): Promise<void> {
  for await (const item of await items) void item
}

function lastOf(simulator: Simulator): Sent {
  const request = simulator.requests().at(-1)
  return {
    path: request?.path ?? '',
    body: Buffer.from(request?.body ?? []).toString(),
    headers: request?.headers ?? {},
  }
}

/** The same call to the simulator itself and through KorProxy; `direct` names the provider's model, as the account's alias does. */
async function compare(
  t: Test,
  call: Call,
  models: { alias: string; direct: string },
): Promise<{ direct: Sent; passed: Sent }> {
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  await call(simulator.url, models.direct)
  const direct = lastOf(simulator)
  const stack: Stack = await startStack(t, manifests(UPSTREAMS))
  await call(stack.url, models.alias)
  const passed = lastOf(stack.simulator)
  await call(stack.url, models.direct)
  t.equal(lastOf(stack.simulator).body, passed.body, 'an alias changes nothing but the name')
  return { direct, passed }
}

const weather = {
  type: 'function' as const,
  function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}
const USAGE = '"stream_options":{"include_usage":true},'

t.test('R3.3 the body that OpenAI gets is the one its SDK sent', async (t) => {
  const calls: Readonly<Record<string, (client: OpenAI, model: string) => Promise<unknown>>> = {
    chat: (client, model) =>
      client.chat.completions.create({
        model,
        messages: [{ role: 'user', content: 'Zoë 🎉 \u2028 "quoted"' }],
        temperature: 1.0,
        seed: 9007199254740991,
        tools: [weather],
      }),
    'stream with usage': (client, model) =>
      drain(
        client.chat.completions.create({
          model,
          messages: [{ role: 'user', content: 'Hi' }],
          stream: true,
          stream_options: { include_usage: true },
        }),
      ),
    responses: (client, model) => client.responses.create({ model, input: 'Hi', store: false }),
    'responses stream': (client, model) => drain(client.responses.create({ model, input: 'Hi', stream: true })),
    completions: (client, model) => client.completions.create({ model, prompt: 'Hi' }),
    embeddings: (client, model) => client.embeddings.create({ model, input: ['a'] }),
  }
  for (const [name, call] of Object.entries(calls)) {
    await t.test(name, async (t) => {
      const { direct, passed } = await compare(
        t,
        (url, model) => call(new OpenAI({ baseURL: `${url}/v1`, apiKey: CLIENT_KEY, maxRetries: 0 }), model),
        { alias: 'openai-chat', direct: 'gpt-4o-mini' },
      )
      t.equal(passed.body, direct.body)
      t.equal(passed.path, direct.path)
      t.equal(passed.headers['authorization'], 'Bearer sk-openai')
    })
  }
  await t.test('a stream without usage gets one member more', async (t) => {
    const { direct, passed } = await compare(
      t,
      (url, model) =>
        drain(
          new OpenAI({ baseURL: `${url}/v1`, apiKey: CLIENT_KEY, maxRetries: 0 }).chat.completions.create({
            model,
            messages: [{ role: 'user', content: 'Hi' }],
            stream: true,
          }),
        ),
      { alias: 'openai-chat', direct: 'gpt-4o-mini' },
    )
    t.equal(passed.body, direct.body.replace('{', `{${USAGE}`))
  })
})

t.test('R3.3 Anthropic gets body, version, betas and query of its SDK', async (t) => {
  const calls: Readonly<Record<string, (client: Anthropic, model: string) => Promise<unknown>>> = {
    messages: (client, model) =>
      client.messages.create({ model, max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] }),
    stream: (client, model) =>
      client.messages.stream({ model, max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] }).finalMessage(),
    beta: (client, model) =>
      client.beta.messages.create({
        model,
        max_tokens: 100,
        messages: [{ role: 'user', content: 'Hi' }],
        betas: ['context-management-2025-06-27', 'files-api-2025-04-14'],
      }),
    count: (client, model) => client.messages.countTokens({ model, messages: [{ role: 'user', content: 'Hi' }] }),
  }
  for (const [name, call] of Object.entries(calls)) {
    await t.test(name, async (t) => {
      const { direct, passed } = await compare(
        t,
        (url, model) => call(new Anthropic({ baseURL: url, apiKey: CLIENT_KEY, maxRetries: 0 }), model),
        { alias: 'anthropic-chat', direct: 'claude-haiku-4-5' },
      )
      t.equal(passed.body, direct.body)
      t.equal(passed.path, direct.path)
      t.equal(passed.headers['anthropic-version'], direct.headers['anthropic-version'])
      t.equal(passed.headers['anthropic-beta'], direct.headers['anthropic-beta'])
      t.equal(passed.headers['x-api-key'], 'sk-anthropic')
      t.equal(passed.headers['authorization'], undefined)
    })
  }
})

t.test('R3.3 Gemini gets the body of its SDK; the model stands in the path', async (t) => {
  const calls: Readonly<Record<string, (client: GoogleGenAI, model: string) => Promise<unknown>>> = {
    generate: (client, model) => client.models.generateContent({ model, contents: 'Hi', config: { temperature: 0.5 } }),
    stream: (client, model) => drain(client.models.generateContentStream({ model, contents: 'Hi' })),
    count: (client, model) => client.models.countTokens({ model, contents: 'Hi' }),
  }
  for (const [name, call] of Object.entries(calls)) {
    await t.test(name, async (t) => {
      const { direct, passed } = await compare(
        t,
        (url, model) => call(new GoogleGenAI({ apiKey: CLIENT_KEY, httpOptions: { baseUrl: url } }), model),
        { alias: 'google-chat', direct: 'gemini-2.5-flash' },
      )
      t.equal(passed.body, direct.body)
      t.equal(passed.path, direct.path)
      t.equal(passed.headers['x-goog-api-key'], 'sk-google')
      t.equal(passed.headers['x-goog-api-client'], direct.headers['x-goog-api-client'])
    })
  }
})

t.test('R3.3 Ollama gets the body of its client', async (t) => {
  const calls: Readonly<Record<string, (client: Ollama, model: string) => Promise<unknown>>> = {
    chat: (client, model) => client.chat({ model, messages: [{ role: 'user', content: 'Hi' }], keep_alive: '5m' }),
    stream: (client, model) => drain(client.chat({ model, messages: [{ role: 'user', content: 'Hi' }], stream: true })),
    generate: (client, model) => client.generate({ model, prompt: 'Hi', options: { num_ctx: 8192 } }),
    embed: (client, model) => client.embed({ model, input: ['a', 'b'] }),
  }
  for (const [name, call] of Object.entries(calls)) {
    await t.test(name, async (t) => {
      const { direct, passed } = await compare(
        t,
        (url, model) => call(new Ollama({ host: url, headers: { authorization: `Bearer ${CLIENT_KEY}` } }), model),
        { alias: 'ollama-chat', direct: 'llama3.2' },
      )
      t.equal(passed.body, direct.body)
      t.equal(passed.path, `/ollama${direct.path}`, 'below the base URL of the account')
    })
  }
})
