import fc from 'fast-check'
import t from 'tap'
import type { TargetModel } from '#formats/format.ts'
import { openaiEmbeddings } from '#formats/openai-embeddings/openai-embeddings.ts'
import { decodeVector, encodeVector } from '#formats/openai-embeddings/vector-base64.ts'

const TARGET: TargetModel = { id: 'upstream', issuer: 'x', capabilities: {}, quirks: { onUnsupported: 'Error' } }
const decode = (body: { readonly [key: string]: string | number | readonly (string | number | readonly number[])[] }) =>
  openaiEmbeddings.decodeRequest(body, {})

t.test('R3.2 texts and token ids are read, one or many', (t) => {
  const inputs = (input: string | readonly (string | number | readonly number[])[]) =>
    decode({ model: 'm', input }).inputs
  t.strictSame(inputs('x'), [{ kind: 'text', text: 'x' }])
  t.strictSame(inputs(['x', 'y']), [
    { kind: 'text', text: 'x' },
    { kind: 'text', text: 'y' },
  ])
  t.strictSame(inputs([1, 2]), [{ kind: 'tokens', tokens: [1, 2] }])
  t.strictSame(inputs([[1], [2, 3]]), [
    { kind: 'tokens', tokens: [1] },
    { kind: 'tokens', tokens: [2, 3] },
  ])
  for (const input of [[], ['a', 1], 7]) {
    t.throws(() => openaiEmbeddings.decodeRequest({ model: 'm', input }, {}), { code: 'KP-SYS-516' })
  }
  t.end()
})

t.test('R3.2 a request is written for any OpenAI-like server, in floats', (t) => {
  const request = decode({ model: 'm', input: ['x', 'y'], dimensions: 8, encoding_format: 'base64', user: 'u', foo: 1 })
  t.strictSame(request.dropped, ['foo'])
  t.strictSame(openaiEmbeddings.encodeRequest({ ...request, taskType: 'RETRIEVAL_QUERY' }, TARGET), {
    body: { model: 'upstream', input: ['x', 'y'], encoding_format: 'float', dimensions: 8, user: 'u' },
    dropped: ['taskType'],
  })
  t.end()
})

t.test('R3.2 a vector is given as the client asked: base64 is little-endian float32', (t) => {
  const reply = { model: 'e', vectors: [[1, -2]], inputTokens: 3 }
  const usage = { prompt_tokens: 3, total_tokens: 3 }
  t.strictSame(openaiEmbeddings.encodeReply(reply, decode({ model: 'm', input: 'x', encoding_format: 'base64' })), {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: 'AACAPwAAAMA=' }],
    model: 'e',
    usage,
  })
  t.strictSame(openaiEmbeddings.encodeReply({ ...reply, model: undefined }, decode({ model: 'm', input: 'x' })), {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [1, -2] }],
    model: 'm',
    usage,
  })
  t.end()
})

t.test('a reply is read in either encoding and in the order of its indexes', (t) => {
  const data = [
    { object: 'embedding', index: 1, embedding: [0.5] },
    { object: 'embedding', index: 0, embedding: 'AACAPwAAAMA=' },
  ]
  t.strictSame(openaiEmbeddings.decodeReply({ object: 'list', model: 'e', data, usage: { prompt_tokens: 3 } }), {
    model: 'e',
    vectors: [[1, -2], [0.5]],
    inputTokens: 3,
  })
  t.equal(openaiEmbeddings.decodeReply({ data: [] }).inputTokens, undefined)
  t.end()
})

t.test('a broken vector is an error, not a shorter vector', (t) => {
  for (const body of [{ data: [{ embedding: 'AAA=' }] }, { data: [{ embedding: '%%%' }] }, { error: 'x' }]) {
    t.throws(() => openaiEmbeddings.decodeReply(body), { code: 'KP-PROV-109' }, JSON.stringify(body))
  }
  t.end()
})

t.test('property: float32 values survive base64', (t) => {
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: true })), (vector) => {
      t.strictSame(decodeVector(encodeVector(vector)), vector)
    }),
  )
  t.end()
})
