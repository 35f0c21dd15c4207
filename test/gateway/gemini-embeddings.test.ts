import t from 'tap'
import { startRig } from '../helpers/gateway-rig.ts'
import { accounts } from '../helpers/stack.ts'

const GEMINI = 'provider: Gemini\n  models: {allow: [none], aliases: [{name: vectors, upstream: gemini-embedding-2}]}'
const OPENAI = 'provider: OpenAI\n  models: {allow: ["text-embedding-*"]}'
const rig = await startRig(t, accounts(['g'], GEMINI, '') + accounts(['o'], OPENAI))

async function embed(path: string, body: object) {
  const reply = await fetch(`${rig.url}/v1beta/models/${path}`, { method: 'POST', body: JSON.stringify(body) })
  const sent = rig.simulator.requests().at(-1)
  return {
    status: reply.status,
    body: await reply.json(),
    dropped: reply.headers.get('x-korproxy-dropped'),
    path: sent?.path,
    sent: JSON.parse(Buffer.from(sent?.body ?? '').toString()),
  }
}
const text = (words: string) => ({ parts: [{ text: words }] })

t.test('Google’s embeddings under another name of the model keep all that only Google has', async (t) => {
  const requests = (model: string) => [
    { model, content: text('a'), taskType: 'RETRIEVAL_DOCUMENT', title: 'A', outputDimensionality: 4 },
    {
      model,
      content: text('b'),
      task_type: 'RETRIEVAL_QUERY',
      title: 'B',
      outputDimensionality: 8,
      autoTruncate: true,
    },
  ]
  const batch = await embed('vectors:batchEmbedContents', { requests: requests('models/vectors') })
  t.equal(batch.status, 200)
  t.equal(batch.path, '/v1beta/models/gemini-embedding-2:batchEmbedContents')
  t.strictSame(batch.sent, { requests: requests('models/gemini-embedding-2') })
  t.equal(batch.dropped, null)

  const image = { parts: [{ inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }] }
  const one = await embed('vectors:embedContent', { content: image })
  t.strictSame(one.sent, { content: image }, 'pictures too, and a model that the body does not name')
  t.equal(one.path, '/v1beta/models/gemini-embedding-2:embedContent')
  const named = await embed('vectors:embedContent', { model: 'models/vectors', content: text('a') })
  t.strictSame(named.sent, { model: 'models/gemini-embedding-2', content: text('a') })
})

t.test('titles and tasks of a batch are left out for others, and only its dimensions must be the same', async (t) => {
  const path = 'text-embedding-3-small:batchEmbedContents'
  const requests = [
    { content: text('a'), taskType: 'RETRIEVAL_DOCUMENT', title: 'A', outputDimensionality: 4 },
    { content: text('b'), taskType: 'RETRIEVAL_QUERY', title: 'B', outputDimensionality: 4 },
  ]
  const { status, body, dropped, sent } = await embed(path, { requests })
  t.equal(status, 200)
  t.strictSame(sent, { model: 'text-embedding-3-small', input: ['a', 'b'], encoding_format: 'float', dimensions: 4 })
  t.strictSame(body, {
    embeddings: [
      { values: [0.53125, -0.875, -0.296875, 0.28125] },
      { values: [0.546875, -0.859375, -0.28125, 0.296875] },
    ],
  })
  t.equal(dropped, 'taskType,title')
  const different = requests.map((request, at) => ({ ...request, outputDimensionality: at + 4 }))
  t.match(await embed(path, { requests: different }), {
    status: 400,
    body: { error: { message: /outputDimensionality/ } },
  })
})
