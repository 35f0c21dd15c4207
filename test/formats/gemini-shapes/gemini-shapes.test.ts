import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ErrorCode } from '#errors/registry.ts'
import type { ModelEntry } from '#formats/format.ts'
import { geminiShapes } from '#formats/gemini-shapes/gemini-shapes.ts'

const AROUND = { correlationId: 'c-1', docsUrl: 'https://docs.example/x' }

t.test('R8.2 an error carries code, correlation id, docs link and how long to wait, in Google’s words', (t) => {
  const error = new KorProxyError('KP-PROV-110', { seconds: 2 }, { retryAfterMs: 1500 })
  t.strictSame(geminiShapes.encodeError({ error, ...AROUND }), {
    status: 429,
    body: {
      error: {
        code: 429,
        message: 'Provider rate limited. Retrying in 2s…',
        status: 'RESOURCE_EXHAUSTED',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'KP-PROV-110',
            domain: 'korproxy.dev',
            metadata: { correlationId: 'c-1' },
          },
          {
            '@type': 'type.googleapis.com/google.rpc.Help',
            links: [{ description: 'Provider rate limited', url: 'https://docs.example/x' }],
          },
          { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.5s' },
        ],
      },
    },
  })
  t.end()
})

t.test('R8.2 a used-up budget says PerDay, so that Gemini CLI stops', (t) => {
  const { body } = geminiShapes.encodeError({ error: new KorProxyError('KP-RATE-401'), ...AROUND })
  t.match(body, {
    error: {
      status: 'RESOURCE_EXHAUSTED',
      details: [{}, {}, { '@type': /QuotaFailure$/, violations: [{ quotaId: /PerDay$/ }] }],
    },
  })
  t.end()
})

t.test('R8.2 each kind of error has Google’s word', (t) => {
  const words: [ErrorCode, number, string][] = [
    ['KP-AUTH-001', 401, 'UNAUTHENTICATED'],
    ['KP-AUTH-005', 403, 'PERMISSION_DENIED'],
    ['KP-PROV-104', 400, 'INVALID_ARGUMENT'],
    ['KP-PROV-100', 502, 'UNAVAILABLE'],
    ['KP-PROV-101', 503, 'UNAVAILABLE'],
    ['KP-PROV-102', 502, 'UNAVAILABLE'],
    ['KP-PROV-103', 404, 'NOT_FOUND'],
    ['KP-PROV-105', 400, 'INVALID_ARGUMENT'],
    ['KP-PROV-106', 400, 'INVALID_ARGUMENT'],
    ['KP-PROV-108', 429, 'RESOURCE_EXHAUSTED'],
    ['KP-PROV-112', 400, 'INVALID_ARGUMENT'],
    ['KP-SYS-500', 500, 'INTERNAL'],
    ['KP-SYS-510', 413, 'INVALID_ARGUMENT'],
    ['KP-SYS-518', 501, 'UNIMPLEMENTED'],
  ]
  for (const [code, status, word] of words) {
    const rendered = geminiShapes.encodeError({ error: new KorProxyError(code), ...AROUND })
    t.match(rendered, { status, body: { error: { code: status, status: word } } }, code)
  }
  t.end()
})

t.test('R8.2 the provider’s own words about the request are kept', (t) => {
  const error = new KorProxyError('KP-PROV-104', { message: 'refused' })
  const { body } = geminiShapes.encodeError({ error, ...AROUND, upstreamMessage: 'topP must be below 1' })
  t.match(body, { error: { message: 'topP must be below 1' } })
  t.end()
})

t.test('R3.2 models are listed and shown as Google does', (t) => {
  const chat: ModelEntry = {
    id: 'gpt-5',
    displayName: 'GPT-5',
    ownedBy: 'openai',
    createdAt: 0,
    contextWindow: 400_000,
    maxOutputTokens: 128_000,
    capabilities: { reasoning: true },
    requestTypes: ['chat'],
  }
  const shown = {
    name: 'models/gpt-5',
    version: '1',
    displayName: 'GPT-5',
    inputTokenLimit: 400_000,
    outputTokenLimit: 128_000,
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
    thinking: true,
  }
  t.strictSame(geminiShapes.encodeModel(chat), shown)
  const embed: ModelEntry = {
    ...chat,
    id: 'e',
    displayName: 'E',
    contextWindow: undefined,
    maxOutputTokens: undefined,
    capabilities: {},
    requestTypes: ['embedding'],
  }
  t.strictSame(geminiShapes.encodeModelList([chat, embed]), {
    models: [
      shown,
      {
        name: 'models/e',
        version: '1',
        displayName: 'E',
        supportedGenerationMethods: ['embedContent', 'batchEmbedContents'],
      },
    ],
  })
  t.end()
})
