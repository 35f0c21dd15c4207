import t from 'tap'
import type { TargetModel } from '#formats/format.ts'
import { geminiBatchEmbed, geminiEmbed } from '#formats/gemini-embeddings/gemini-embeddings.ts'
import type { EmbeddingRequest } from '#formats/ir/embedding.ts'

const TARGET: TargetModel = {
  id: 'gemini-embedding-001',
  issuer: 'gemini',
  capabilities: {},
  quirks: { onUnsupported: 'Error' },
}
const TWO: EmbeddingRequest = {
  model: 'e',
  inputs: [
    { kind: 'text', text: 'a' },
    { kind: 'text', text: 'b' },
  ],
  dimensions: 256,
  encoding: 'float',
  taskType: 'RETRIEVAL_QUERY',
  title: 'T',
  user: 'u',
  dropped: [],
}
const ONE = { ...TWO, inputs: [{ kind: 'text' as const, text: 'a' }] }
const PATH = { model: 'gemini-embedding-001' }

t.test('R3.2 embedContent of a client becomes one input', (t) => {
  const body = {
    model: 'models/gemini-embedding-001',
    content: { parts: [{ text: 'a' }, { text: 'b' }] },
    task_type: 'RETRIEVAL_DOCUMENT',
    title: 'T',
    output_dimensionality: 256,
    autoTruncate: true,
  }
  t.strictSame(geminiEmbed.decodeRequest(body, PATH), {
    model: 'gemini-embedding-001',
    inputs: [{ kind: 'text', text: 'ab' }],
    dimensions: 256,
    encoding: 'float',
    taskType: 'RETRIEVAL_DOCUMENT',
    title: 'T',
    user: undefined,
    dropped: ['autoTruncate'],
  })
  t.end()
})

t.test('R3.2 batchEmbedContents of a client becomes several inputs', (t) => {
  const content = (text: string) => ({ role: 'user', parts: [{ text }] })
  const requests = [
    { content: content('a'), model: 'models/gemini-embedding-001', outputDimensionality: 8 },
    { content: content('b'), model: 'models/gemini-embedding-001', outputDimensionality: 8 },
  ]
  const decoded = geminiBatchEmbed.decodeRequest({ requests }, {})
  t.equal(decoded.model, 'gemini-embedding-001')
  t.same(decoded.inputs, [
    { kind: 'text', text: 'a' },
    { kind: 'text', text: 'b' },
  ])
  t.equal(decoded.dimensions, 8)
  const mixed = [requests[0] ?? {}, { content: content('b'), outputDimensionality: 9 }]
  t.throws(() => geminiBatchEmbed.decodeRequest({ requests: mixed }, PATH), {
    code: 'KP-PROV-112',
    message: /outputDimensionality/,
  })
  t.throws(() => geminiBatchEmbed.decodeRequest({ requests: [] }, PATH), { code: 'KP-SYS-516' })
  t.throws(() => geminiBatchEmbed.decodeRequest({}, PATH), { code: 'KP-SYS-516', message: /requests/ })
  t.end()
})

t.test('R3.3 embeddings of other formats are asked of Gemini, one or many', (t) => {
  const written = (text: string) => ({
    model: 'models/gemini-embedding-001',
    content: { parts: [{ text }] },
    taskType: 'RETRIEVAL_QUERY',
    title: 'T',
    outputDimensionality: 256,
  })
  t.strictSame(geminiEmbed.encodeRequest(ONE, TARGET), { body: written('a'), dropped: ['user'] })
  t.strictSame(geminiBatchEmbed.encodeRequest(TWO, TARGET).body, { requests: [written('a'), written('b')] })
  t.throws(() => geminiEmbed.encodeRequest(TWO, TARGET), { code: 'KP-PROV-112' })
  t.end()
})

t.test('tokens and images cannot be embedded', (t) => {
  const tokens = { ...TWO, inputs: [{ kind: 'tokens' as const, tokens: [1, 2] }] }
  t.throws(() => geminiBatchEmbed.encodeRequest(tokens, TARGET), { code: 'KP-PROV-112' })
  const image = { content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'iVBO' } }] } }
  t.throws(() => geminiEmbed.decodeRequest(image, PATH), { code: 'KP-PROV-112' })
  t.end()
})

t.test('R3.4 vectors come back in both shapes', (t) => {
  const reply = { model: undefined, vectors: [[0.1, 0.2], [0.3]], inputTokens: undefined }
  t.strictSame(geminiBatchEmbed.decodeReply({ embeddings: [{ values: [0.1, 0.2] }, { values: [0.3] }] }), reply)
  t.strictSame(geminiEmbed.decodeReply({ embedding: { values: [0.3] } }).vectors, [[0.3]])
  t.strictSame(geminiBatchEmbed.encodeReply(reply, TWO), { embeddings: [{ values: [0.1, 0.2] }, { values: [0.3] }] })
  t.strictSame(geminiEmbed.encodeReply(reply, ONE), { embedding: { values: [0.1, 0.2] } })
  t.throws(() => geminiBatchEmbed.decodeReply({ embeddings: [{}] }), { code: 'KP-PROV-109' })
  t.end()
})
