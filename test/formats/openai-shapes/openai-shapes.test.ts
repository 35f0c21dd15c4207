import t from 'tap'
import { type ErrorDetails, KorProxyError } from '#errors/korproxy-error.ts'
import type { ErrorCode } from '#errors/registry.ts'
import type { RenderedError } from '#formats/format.ts'
import { openaiShapes } from '#formats/openai-shapes/openai-shapes.ts'

function render(code: ErrorCode, details: ErrorDetails = {}): RenderedError {
  const docsUrl = `https://example.com/errors/${code}`
  return openaiShapes.encodeError({ error: new KorProxyError(code, details), correlationId: 'c-1', docsUrl })
}

t.test('R8.1 an error has OpenAI’s shape with KorProxy’s code, page and correlation id beside', (t) => {
  t.strictSame(render('KP-PROV-110', { seconds: 7 }), {
    status: 429,
    body: {
      error: {
        message: 'Provider rate limited. Retrying in 7s…',
        type: 'rate_limit_error',
        param: null,
        code: 'rate_limit_exceeded',
        kp_code: 'KP-PROV-110',
        doc_url: 'https://example.com/errors/KP-PROV-110',
        correlation_id: 'c-1',
      },
    },
  })
  t.end()
})

t.test('R8.1 each kind of error has the words that OpenAI’s clients know', (t) => {
  const words: [ErrorCode, ErrorDetails, number, string, string | null][] = [
    ['KP-AUTH-002', {}, 401, 'invalid_request_error', 'invalid_api_key'],
    ['KP-AUTH-005', { model: 'm' }, 403, 'permission_error', 'permission_denied'],
    ['KP-PROV-103', { model: 'm' }, 404, 'invalid_request_error', 'model_not_found'],
    ['KP-SYS-517', { method: 'GET', path: '/x' }, 404, 'invalid_request_error', 'not_found'],
    ['KP-PROV-105', { message: 'too long' }, 400, 'invalid_request_error', 'context_length_exceeded'],
    ['KP-PROV-106', { message: 'no' }, 400, 'invalid_request_error', 'content_policy_violation'],
    ['KP-SYS-516', { message: 'x' }, 400, 'invalid_request_error', null],
    ['KP-RATE-401', {}, 429, 'insufficient_quota', 'insufficient_quota'],
    ['KP-PROV-102', {}, 502, 'server_error', 'upstream_error'],
    ['KP-SYS-502', {}, 503, 'server_error', 'server_overloaded'],
  ]
  for (const [kp, details, status, type, code] of words) {
    const rendered = render(kp, details)
    t.match(rendered, { status, body: { error: { type, code } } }, kp)
  }
  t.end()
})

t.test('a refused parameter is named, and a provider’s words about the request are kept', (t) => {
  t.match(render('KP-PROV-112', { parameter: 'n', target: 't', reason: 'r' }).body, {
    error: { param: 'n', code: 'unsupported_parameter' },
  })
  const { body } = openaiShapes.encodeError({
    error: new KorProxyError('KP-PROV-105', { message: 'x' }),
    correlationId: 'c-1',
    docsUrl: 'd',
    upstreamMessage: 'maximum context length is 8192 tokens',
  })
  t.match(body, { error: { message: 'maximum context length is 8192 tokens' } })
  t.end()
})

t.test('R3.2 models are listed and shown as OpenAI does', (t) => {
  const model = {
    id: 'vendor/name',
    displayName: 'Name',
    ownedBy: 'openai',
    createdAt: 1_700_000_000,
    contextWindow: 1000,
    maxOutputTokens: 10,
    capabilities: {},
    requestTypes: ['chat'],
  }
  const shown = { id: 'vendor/name', object: 'model', created: 1_700_000_000, owned_by: 'openai' }
  t.strictSame(openaiShapes.encodeModel(model), shown)
  t.strictSame(openaiShapes.encodeModelList([model]), { object: 'list', data: [shown] })
  t.end()
})
