import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ModelEntry } from '#formats/format.ts'
import { encodeOllamaRunning, encodeOllamaVersion, ollamaShapes } from '#formats/ollama-shapes/ollama-shapes.ts'

const MODEL: ModelEntry = {
  id: 'claude-sonnet',
  displayName: 'Claude Sonnet',
  ownedBy: 'anthropic',
  createdAt: 1_700_000_000,
  contextWindow: 200_000,
  maxOutputTokens: 64_000,
  capabilities: { vision: true, reasoning: true },
  requestTypes: ['chat'],
}
const DETAILS = {
  parent_model: '',
  format: '',
  family: 'anthropic',
  families: ['anthropic'],
  parameter_size: '',
  quantization_level: '',
}

t.test('R8.2 an error is one text with the code and the correlation id', (t) => {
  const error = new KorProxyError('KP-PROV-103', { model: 'm', group: 'g' })
  const told = { error, correlationId: 'c-1', docsUrl: 'https://example.com/KP-PROV-103' }
  t.same(ollamaShapes.encodeError(told), {
    status: 404,
    body: { error: 'Model m is not served by any account of group g. (KP-PROV-103, c-1)' },
  })
  const refused = new KorProxyError('KP-PROV-104', { message: 'x' }, { status: 422 })
  t.same(ollamaShapes.encodeError({ ...told, error: refused, upstreamMessage: 'bad field' }), {
    status: 422,
    body: { error: 'bad field (KP-PROV-104, c-1)' },
  })
  t.end()
})

t.test('R3.3 the list of models has the fields that `ollama list` prints', (t) => {
  t.same(ollamaShapes.encodeModelList([MODEL]), {
    models: [
      {
        name: 'claude-sonnet',
        model: 'claude-sonnet',
        modified_at: '2023-11-14T22:13:20.000Z',
        size: 0,
        digest: '3f2087a50a66c17a7037fe6770e00824f968e3e9a77320be10c044fb8a9e1b68',
        details: DETAILS,
      },
    ],
  })
  t.end()
})
t.test('R3.3 a model lists its capabilities, or clients switch tools off', (t) => {
  t.match(ollamaShapes.encodeModel(MODEL), {
    template: /tools/i,
    details: DETAILS,
    model_info: { 'general.architecture': 'korproxy', 'korproxy.context_length': 200_000 },
    capabilities: ['completion', 'tools', 'vision', 'thinking'],
  })
  const plain = { ...MODEL, capabilities: { tools: false }, contextWindow: undefined }
  const shown = ollamaShapes.encodeModel(plain)
  t.same(shown['capabilities'], ['completion'])
  t.notMatch(shown['template'], /tools/i)
  t.same(shown['model_info'], { 'general.architecture': 'korproxy', 'general.basename': 'Claude Sonnet' })
  t.same(ollamaShapes.encodeModel({ ...MODEL, requestTypes: ['embedding'] })['capabilities'], ['embedding'])
  t.end()
})

t.test('R3.3 version and running models', (t) => {
  t.same(encodeOllamaVersion('1.2.3'), { version: '0.12.6', korproxy: '1.2.3' })
  t.same(encodeOllamaRunning(), { models: [] })
  t.end()
})
