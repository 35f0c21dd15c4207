import t from 'tap'
import type { TargetModel } from '#formats/format.ts'
import type { EmbeddingRequest } from '#formats/ir/embedding.ts'
import { ollamaEmbed, ollamaEmbeddings } from '#formats/ollama-embeddings/ollama-embeddings.ts'

const TARGET: TargetModel = { id: 'nomic', issuer: 'ollama', capabilities: {}, quirks: { onUnsupported: 'Error' } }
const REQUEST: EmbeddingRequest = {
  model: 'alias',
  inputs: [{ kind: 'text', text: 'a' }],
  dimensions: 3,
  encoding: 'base64',
  taskType: 'RETRIEVAL_QUERY',
  title: 't',
  user: 'u',
  dropped: [],
}

t.test('R3.3 /api/embed takes one text or several', (t) => {
  t.same(ollamaEmbed.decodeRequest({ model: 'm', input: 'a', dimensions: 3, truncate: true }, {}), {
    model: 'm',
    inputs: [{ kind: 'text', text: 'a' }],
    dimensions: 3,
    encoding: 'float',
    taskType: undefined,
    title: undefined,
    user: undefined,
    dropped: ['truncate'],
  })
  t.match(ollamaEmbed.decodeRequest({ model: 'm', input: ['a', 'b'] }, {}), { inputs: [{ text: 'a' }, { text: 'b' }] })
  t.throws(() => ollamaEmbed.decodeRequest({ model: 'm' }, {}), { code: 'KP-SYS-516' })
  t.end()
})

t.test('R3.3 a request of another format is written for /api/embed', (t) => {
  t.same(ollamaEmbed.encodeRequest(REQUEST, TARGET), {
    body: { model: 'nomic', input: ['a'], dimensions: 3 },
    dropped: ['taskType', 'title', 'user'],
  })
  t.end()
})

t.test('R3.4 token arrays are refused: Ollama would read them with another tokenizer', (t) => {
  const request: EmbeddingRequest = { ...REQUEST, inputs: [{ kind: 'tokens', tokens: [1, 2] }] }
  t.throws(() => ollamaEmbed.encodeRequest(request, TARGET), { code: 'KP-PROV-112' })
  t.throws(() => ollamaEmbeddings.encodeRequest(request, TARGET), { code: 'KP-PROV-112' })
  t.end()
})

t.test('R3.4 replies of /api/embed are read and written', (t) => {
  const reply = ollamaEmbed.decodeReply({ model: 'nomic', embeddings: [[0.5, 1]], prompt_eval_count: 2 })
  t.same(reply, { model: 'nomic', vectors: [[0.5, 1]], inputTokens: 2 })
  t.same(ollamaEmbed.encodeReply({ ...reply, model: undefined }, REQUEST), {
    model: 'alias',
    embeddings: [[0.5, 1]],
    total_duration: 0,
    load_duration: 0,
    prompt_eval_count: 2,
  })
  t.throws(() => ollamaEmbed.decodeReply({ data: [] }), { code: 'KP-PROV-109' })
  t.end()
})

t.test('R3.3 the older /api/embeddings has one prompt and one vector', (t) => {
  t.match(ollamaEmbeddings.decodeRequest({ model: 'm', prompt: 'a' }, {}), { inputs: [{ kind: 'text', text: 'a' }] })
  t.same(ollamaEmbeddings.encodeRequest(REQUEST, TARGET), {
    body: { model: 'nomic', prompt: 'a' },
    dropped: ['dimensions', 'taskType', 'title', 'user'],
  })
  const two: EmbeddingRequest = { ...REQUEST, inputs: [...REQUEST.inputs, ...REQUEST.inputs] }
  t.throws(() => ollamaEmbeddings.encodeRequest(two, TARGET), { code: 'KP-PROV-112' })
  const reply = ollamaEmbeddings.decodeReply({ embedding: [1, 2] })
  t.same(reply, { model: undefined, vectors: [[1, 2]], inputTokens: undefined })
  t.same(ollamaEmbeddings.encodeReply(reply, REQUEST), { embedding: [1, 2] })
  t.end()
})
