import t from 'tap'
import { readSurface } from '#gateway/surface.ts'

/** `family operation detail → type`, and what the path says of the model and of streaming. */
function surfaceOf(line: string, headers: Readonly<Record<string, string>> = {}): string {
  const [method = '', url = ''] = line.split(' ')
  const [path = '', query = ''] = url.split('?')
  const surface = readSurface(method, path, new URLSearchParams(query), (name) => headers[name])
  const { kind, ...details } = surface.operation
  return [
    surface.family,
    kind,
    ...Object.values(details),
    surface.requestType === undefined ? '' : `→ ${surface.requestType}`,
    surface.pathModel === undefined ? '' : `model=${surface.pathModel}`,
    surface.pathStream === undefined ? '' : `stream=${surface.pathStream}`,
    surface.arrayStream ? 'array' : '',
  ]
    .filter((part) => part !== '')
    .join(' ')
}

const ANTHROPIC = { 'anthropic-version': '2026-10-21' }
const GOOG_KEY = { 'x-goog-api-key': 'k' }
const GOOG_CLIENT = { 'x-goog-api-client': 'google-genai-sdk/3.4.0 gl-python/3.11' }

t.test("R1.1 OpenAI's paths, by every base URL that clients have", (t) => {
  for (const base of ['/v1', '', '/openai/v1', '/v1beta/openai']) {
    t.equal(surfaceOf(`POST ${base}/chat/completions`), 'openai chat openai-chat → chat', base)
    t.equal(surfaceOf(`POST ${base}/responses`), 'openai chat openai-responses → chat', base)
    t.equal(surfaceOf(`POST ${base}/completions`), 'openai chat openai-completions → completion', base)
    t.equal(surfaceOf(`POST ${base}/embeddings`), 'openai embedding openai-embeddings → embedding', base)
    t.equal(surfaceOf(`GET ${base}/models`), 'openai list-models', base)
    t.equal(surfaceOf(`GET ${base}/models/gpt-5`), 'openai get-model gpt-5', base)
    t.equal(surfaceOf(`GET ${base}/models/meta-llama/Llama-3`), 'openai get-model meta-llama/Llama-3', base)
    t.equal(surfaceOf(`GET ${base}/models/meta-llama%2FLlama-3`), 'openai get-model meta-llama/Llama-3', base)
  }
  t.end()
})

t.test("R1.1 Anthropic's paths", (t) => {
  t.equal(surfaceOf('POST /v1/messages', ANTHROPIC), 'anthropic chat anthropic → chat')
  t.equal(surfaceOf('POST /v1/messages?beta=true'), 'anthropic chat anthropic → chat', 'the path suffices')
  t.equal(surfaceOf('POST /messages'), 'anthropic chat anthropic → chat', 'a base URL without version')
  t.equal(surfaceOf('POST /v1/messages/count_tokens'), 'anthropic count-tokens anthropic → chat')
  t.equal(surfaceOf('GET /v1/models?limit=1000', ANTHROPIC), 'anthropic list-models')
  t.equal(surfaceOf('GET /v1/models/claude-opus-5', ANTHROPIC), 'anthropic get-model claude-opus-5')
  t.equal(surfaceOf('GET /v1/messages/batches', ANTHROPIC), 'anthropic other')
  t.equal(surfaceOf('POST /v1/messages/batches', ANTHROPIC), 'anthropic other')
  t.end()
})

t.test("R1.1 Gemini's verbs, in each version and in none", (t) => {
  for (const version of ['/v1beta', '/v1', '/v1alpha', '']) {
    const at = `POST ${version}/models/gemini-3.8-flash`
    t.equal(
      surfaceOf(`${at}:generateContent`),
      'gemini chat gemini → chat model=gemini-3.8-flash stream=false',
      version,
    )
    t.equal(
      surfaceOf(`${at}:streamGenerateContent?alt=sse`),
      'gemini chat gemini → chat model=gemini-3.8-flash stream=true',
      version,
    )
    t.equal(
      surfaceOf(`${at}:streamGenerateContent`),
      'gemini chat gemini → chat model=gemini-3.8-flash stream=true array',
      version,
    )
    t.equal(surfaceOf(`${at}:countTokens`), 'gemini count-tokens gemini → chat model=gemini-3.8-flash', version)
    t.equal(surfaceOf(`${at}:embedContent`), 'gemini embedding gemini-embed → embedding model=gemini-3.8-flash')
    t.equal(
      surfaceOf(`${at}:batchEmbedContents`),
      'gemini embedding gemini-batch-embed → embedding model=gemini-3.8-flash',
    )
    t.equal(surfaceOf(`${at}:predict`), 'gemini other model=gemini-3.8-flash', 'a verb that passes through')
  }
  t.equal(
    surfaceOf('POST /v1beta/models/meta-llama%2Fx:generateContent'),
    'gemini chat gemini → chat model=meta-llama/x stream=false',
  )
  t.equal(
    surfaceOf('POST /v1beta/models/qwen3:32b:generateContent'),
    'gemini chat gemini → chat model=qwen3:32b stream=false',
    'the last colon parts model and verb',
  )
  t.equal(
    surfaceOf('POST /v1beta/tunedModels/mine:generateContent'),
    'gemini chat gemini → chat model=tunedModels/mine stream=false',
    'a tuned model keeps its collection',
  )
  t.equal(surfaceOf('GET /v1beta/models/x:generateContent'), 'gemini get-model x:generateContent', 'verbs are posted')
  t.end()
})

t.test('R1.1 GET /v1/models belongs to three APIs: headers and query tell', (t) => {
  t.equal(surfaceOf('GET /v1/models'), 'openai list-models')
  t.equal(surfaceOf('GET /v1/models', { authorization: 'Bearer k' }), 'openai list-models')
  t.equal(surfaceOf('GET /v1/models', ANTHROPIC), 'anthropic list-models')
  t.equal(surfaceOf('GET /v1/models', GOOG_KEY), 'gemini list-models', 'the Python SDK of Google')
  t.equal(surfaceOf('GET /v1/models', GOOG_CLIENT), 'gemini list-models')
  t.equal(surfaceOf('GET /v1/models?key=k'), 'gemini list-models')
  t.equal(surfaceOf('GET /v1/models', { ...ANTHROPIC, ...GOOG_KEY }), 'anthropic list-models')
  t.equal(surfaceOf('GET /v1beta/models?pageSize=10'), 'gemini list-models')
  t.equal(surfaceOf('GET /v1beta/models/gemini-2.5-pro'), 'gemini get-model gemini-2.5-pro')
  t.equal(surfaceOf('GET /v1beta/openai/models', { authorization: 'Bearer k' }), 'openai list-models')
  t.equal(surfaceOf('HEAD /v1/models'), 'openai other', 'only GET lists')
  t.equal(surfaceOf('DELETE /v1/models/ft:x'), 'openai other')
  t.end()
})

t.test("R1.1 Ollama's paths", (t) => {
  t.equal(surfaceOf('POST /api/chat'), 'ollama chat ollama-chat → chat')
  t.equal(surfaceOf('POST /api/generate'), 'ollama chat ollama-generate → completion')
  t.equal(surfaceOf('POST /api/embed'), 'ollama embedding ollama-embed → embedding')
  t.equal(surfaceOf('POST /api/embeddings'), 'ollama embedding ollama-embeddings → embedding')
  t.equal(surfaceOf('GET /api/tags'), 'ollama list-models')
  t.equal(surfaceOf('POST /api/show'), 'ollama ollama-show')
  t.equal(surfaceOf('GET /api/version'), 'ollama ollama-version')
  t.equal(surfaceOf('GET /api/ps'), 'ollama ollama-running')
  t.equal(surfaceOf('POST /api/pull'), 'ollama unsupported', 'what changes a server of Ollama is not for its clients')
  t.equal(surfaceOf('DELETE /api/delete'), 'ollama unsupported')
  t.equal(surfaceOf('GET /api/chat'), 'ollama unsupported')
  t.end()
})

t.test('R1.1 probes of Claude Code are neither requests nor unknown', (t) => {
  t.equal(surfaceOf('HEAD /'), 'anthropic hello')
  t.equal(surfaceOf('HEAD /api/hello'), 'anthropic hello')
  t.equal(surfaceOf('GET /'), 'anthropic hello')
  t.equal(surfaceOf('GET /api/hello'), 'anthropic hello')
  t.equal(surfaceOf('POST /'), 'openai other')
  t.end()
})

t.test('R1.1 any other path is of type other and passes, in the family that its marks tell', (t) => {
  t.equal(surfaceOf('POST /v1/audio/speech'), 'openai other')
  t.equal(surfaceOf('GET /v1/responses/resp_1'), 'openai other')
  t.equal(surfaceOf('POST /v1/responses/input_tokens'), 'openai other')
  t.equal(surfaceOf('POST /v1/responses/compact'), 'openai other')
  t.equal(surfaceOf('GET /v1/chat/completions'), 'openai other', 'stored completions')
  t.equal(surfaceOf('POST /v1/chat/completions/'), 'openai other')
  t.equal(surfaceOf('GET /v1/files', ANTHROPIC), 'anthropic other')
  t.equal(surfaceOf('POST /v1beta/interactions'), 'gemini other')
  t.equal(surfaceOf('GET /v1beta/files'), 'gemini other')
  t.equal(surfaceOf('GET /v1alpha/authTokens'), 'gemini other')
  t.equal(surfaceOf('POST /v1beta/openai/images/generations'), 'openai other')
  t.equal(surfaceOf('GET /favicon.ico'), 'openai other')
  t.equal(surfaceOf('GET /anything', GOOG_KEY), 'gemini other')
  t.end()
})
