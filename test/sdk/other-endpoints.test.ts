import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { OpenAIEmbeddings } from '@langchain/openai'
import { embedMany } from 'ai'
import t from 'tap'
import { startStack } from '../helpers/stack.ts'
import { anthropicOf } from './clients/anthropic.ts'
import type { Connection } from './clients/chat-client.ts'
import { googleOf } from './clients/google.ts'
import { ollamaOf } from './clients/ollama.ts'
import { openaiOf } from './clients/openai-chat.ts'
import { CLIENT_KEY, MOCK, manifests, UPSTREAMS, type Upstream } from './upstreams.ts'

const ALL: readonly Upstream[] = [...UPSTREAMS, MOCK]
const EMBEDDING = ALL.filter(({ embeddingModel }) => embeddingModel !== undefined)

/** Vectors of `a` and `b` at the simulator: exact in float32. */
const A4 = [0.53125, -0.875, -0.296875, 0.28125]
const B4 = [0.546875, -0.859375, -0.28125, 0.296875]
const A8 = [0.53125, -0.875, -0.296875, 0.28125, 0.859375, -0.546875, 0.03125, 0.609375]
const B8 = [0.546875, -0.859375, -0.28125, 0.296875, 0.875, -0.53125, 0.046875, 0.625]

const stack = await startStack(t, manifests(ALL))
const connection: Connection = { url: stack.url, key: CLIENT_KEY }
const openai = openaiOf(connection)
const anthropic = anthropicOf(connection)
const google = googleOf(connection)
const ollama = ollamaOf(connection)

async function collect<Item>(items: AsyncIterable<Item> | Promise<AsyncIterable<Item>>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of await items) all.push(item)
  return all
}

for (const { name } of EMBEDDING) {
  const model = `${name}-embed`

  t.test(`R14.1 embeddings at ${name}`, async (t) => {
    const input = ['a', 'b']
    const base64 = await openai.embeddings.create({ model, input, dimensions: 4 })
    t.strictSame(
      base64.data.map(({ embedding }) => embedding),
      [A4, B4],
      'openai: base64 on the wire',
    )
    t.strictSame(
      base64.data.map(({ index }) => index),
      [0, 1],
    )
    const floats = await openai.embeddings.create({ model, input, encoding_format: 'float' })
    t.strictSame(
      floats.data.map(({ embedding }) => embedding),
      [A8, B8],
      'openai: float',
    )
    const one = await openai.embeddings.create({ model, input: 'a', encoding_format: 'base64' })
    t.strictSame(one.data[0]?.embedding, 'AAAIPwAAYL8AAJi+AACQPgAAXD8AAAy/AAAAPQAAHD8=', 'openai: base64 asked for')

    const batch = await google.models.embedContent({ model, contents: input, config: { outputDimensionality: 4 } })
    t.strictSame(
      batch.embeddings?.map(({ values }) => values),
      [A4, B4],
      '@google/genai',
    )
    t.strictSame((await ollama.embed({ model, input })).embeddings, [A8, B8], 'ollama embed')
    t.strictSame((await ollama.embed({ model, input: 'a', dimensions: 4 })).embeddings, [A4], 'ollama embed, one')
    t.strictSame((await ollama.embeddings({ model, prompt: 'a' })).embedding, A8, 'ollama embeddings')

    const ai = createOpenAI({ baseURL: `${stack.url}/v1`, apiKey: CLIENT_KEY })
    t.strictSame(
      (await embedMany({ model: ai.embedding(model), values: input })).embeddings,
      [A8, B8],
      '@ai-sdk/openai',
    )
    const aiGoogle = createGoogleGenerativeAI({ baseURL: `${stack.url}/v1beta`, apiKey: CLIENT_KEY })
    t.strictSame(
      (await embedMany({ model: aiGoogle.embedding(model), values: input })).embeddings,
      [A8, B8],
      '@ai-sdk/google',
    )
    const langchain = new OpenAIEmbeddings({
      model,
      apiKey: CLIENT_KEY,
      configuration: { baseURL: `${stack.url}/v1` },
    })
    t.strictSame(await langchain.embedDocuments(input), [A8, B8], '@langchain/openai')
    t.strictSame(await langchain.embedQuery('a'), A8, '@langchain/openai, one')
  })
}

t.test('embeddings of a provider that has none, and of tokens where texts are needed, are refused', async (t) => {
  const refusal = (model: string, input: string | number[][]): Promise<unknown> =>
    openai.embeddings.create({ model, input }).catch((error: unknown) => error)
  t.match(await refusal('anthropic-chat', 'a'), { status: 404, message: /does not offer embeddings/ })
  t.match(await refusal('google-embed', [[1, 2]]), { status: 400 })
  t.match(await refusal('nobody-has-it', 'a'), { status: 404 })
})

for (const { name, model, label } of ALL) {
  t.test(`R14.1 completions at ${name}`, async (t) => {
    const greeting = `Hello from ${label} ${model}.`
    const asked = `${name}-chat`
    const whole = await openai.completions.create({ model: asked, prompt: 'Hi' })
    t.match(whole, { choices: [{ text: greeting, finish_reason: 'stop' }], usage: { prompt_tokens: 11 } })
    const pieces = await collect(openai.completions.create({ model: asked, prompt: 'Hi', stream: true }))
    t.equal(pieces.map(({ choices }) => choices[0]?.text ?? '').join(''), greeting)
    t.equal(pieces.at(-1)?.choices[0]?.finish_reason, 'stop')

    const generated = await ollama.generate({ model: asked, prompt: 'Hi' })
    t.match(generated, { response: greeting, done: true, done_reason: 'stop', prompt_eval_count: 11, eval_count: 7 })
    const lines = await collect(ollama.generate({ model: asked, prompt: 'Hi', stream: true }))
    t.equal(lines.map(({ response }) => response).join(''), greeting)
  })
}

t.test('R1.8 every SDK lists the models', async (t) => {
  const { url } = await startStack(t, manifests(UPSTREAMS.slice(0, 2)))
  const own: Connection = { url, key: CLIENT_KEY }
  const names = ['anthropic-chat', 'claude-haiku-4-5', 'gpt-4o-mini', 'openai-chat', 'openai-embed']
  const models = await collect(openaiOf(own).models.list())
  t.strictSame(
    models.map(({ id }) => id),
    names,
    'openai',
  )
  t.match(await openaiOf(own).models.retrieve('openai-chat'), {
    id: 'openai-chat',
    object: 'model',
    owned_by: 'openai',
  })
  const unknown = await openaiOf(own)
    .models.retrieve('nobody-has-it')
    .catch((error: unknown) => error)
  t.match(unknown, { status: 404 })

  const claude = await anthropicOf(own).models.list({ limit: 1000 })
  t.strictSame(
    claude.data.map(({ id }) => id),
    names,
    '@anthropic-ai/sdk',
  )
  t.equal(claude.hasNextPage(), false)
  t.match(await anthropicOf(own).models.retrieve('anthropic-chat'), { id: 'anthropic-chat', type: 'model' })

  const pager = await googleOf(own).models.list()
  t.strictSame(
    (await collect(pager)).map(({ name }) => name),
    names.map((name) => `models/${name}`),
    '@google/genai',
  )
  t.match(await googleOf(own).models.get({ model: 'anthropic-chat' }), { name: 'models/anthropic-chat' })

  const { models: local } = await ollamaOf(own).list()
  t.strictSame(
    local.map(({ name }) => name),
    names,
    'ollama',
  )
  t.match(await ollamaOf(own).show({ model: 'anthropic-chat' }), { capabilities: ['completion', 'tools', 'vision'] })
  t.match((await ollamaOf(own).version()).version, /^\d+\.\d+\.\d+/)
  t.strictSame((await ollamaOf(own).ps()).models, [])
})

t.test('tokens are counted by the provider that can, else estimated', async (t) => {
  const messages = [{ role: 'user' as const, content: 'How many tokens is this question?' }]
  t.equal((await anthropic.messages.countTokens({ model: 'anthropic-chat', messages })).input_tokens, 11)
  t.equal((await anthropic.messages.countTokens({ model: 'openai-chat', messages })).input_tokens, 13)
  const contents = 'How many tokens is this question?'
  t.equal((await google.models.countTokens({ model: 'google-chat', contents })).totalTokens, 11)
  t.equal((await google.models.countTokens({ model: 'openai-chat', contents })).totalTokens, 13)
})
