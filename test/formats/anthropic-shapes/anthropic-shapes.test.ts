import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ErrorCode } from '#errors/registry.ts'
import { anthropicShapes } from '#formats/anthropic-shapes/anthropic-shapes.ts'
import type { ModelEntry } from '#formats/format.ts'

function render(code: ErrorCode, upstreamMessage?: string) {
  const error = new KorProxyError(code, { message: 'registry message' })
  const client = { error, correlationId: 'req-1', docsUrl: 'https://docs.test/page' }
  return anthropicShapes.encodeError(upstreamMessage === undefined ? client : { ...client, upstreamMessage })
}

t.test('R8.2 an error has the Anthropic shape with our code, page and request id', (t) => {
  t.strictSame(render('KP-PROV-104', 'messages: at least one message is required'), {
    status: 400,
    body: {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'messages: at least one message is required',
        kp_code: 'KP-PROV-104',
        doc_url: 'https://docs.test/page',
      },
      request_id: 'req-1',
    },
  })
  t.end()
})

t.test('R8.2 every kind has the type and status that the SDKs know', (t) => {
  const cases: readonly [ErrorCode, number, string][] = [
    ['KP-AUTH-001', 401, 'authentication_error'],
    ['KP-PROV-100', 502, 'api_error'],
    ['KP-PROV-101', 529, 'overloaded_error'],
    ['KP-PROV-102', 502, 'api_error'],
    ['KP-PROV-103', 404, 'not_found_error'],
    ['KP-PROV-105', 400, 'invalid_request_error'],
    ['KP-PROV-106', 400, 'invalid_request_error'],
    ['KP-PROV-107', 529, 'overloaded_error'],
    ['KP-PROV-108', 429, 'rate_limit_error'],
    ['KP-PROV-110', 429, 'rate_limit_error'],
    ['KP-PROV-112', 400, 'invalid_request_error'],
    ['KP-SYS-510', 413, 'request_too_large'],
  ]
  for (const [code, status, type] of cases) t.match(render(code), { status, body: { error: { type } } }, code)
  t.end()
})

t.test('R3.3 a full context window is told in the words that Claude Code reads', (t) => {
  const cases: readonly [string, string][] = [
    [
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please reduce the length of the messages.",
      'prompt is too long: 9000 tokens > 8192 maximum',
    ],
    [
      "This model's maximum context length is 8192 tokens. However, you requested 9500 tokens (9000 in the messages, 500 in the completion).",
      'prompt is too long: 9000 tokens > 8192 maximum',
    ],
    [
      "This model's maximum context length is 8192 tokens. However, you requested 9500 tokens (1500 in the messages, 8000 in the completion).",
      'input length and `max_tokens` exceed context limit: 1500 + 8000 > 8192, decrease input length or `max_tokens` and try again',
    ],
    [
      'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
      'prompt is too long: 1200000 tokens > 1048576 maximum',
    ],
    [
      'The input token count (1,200,000) exceeds the maximum number of tokens allowed (1,048,576).',
      'prompt is too long: 1200000 tokens > 1048576 maximum',
    ],
    [
      'request (9000 tokens) exceeds the available context size',
      'prompt is too long: request (9000 tokens) exceeds the available context size',
    ],
    ['Range of input length should be [1, 30720]', 'prompt is too long: Range of input length should be [1, 30720]'],
    ['prompt is too long: 210000 tokens > 200000 maximum', 'prompt is too long: 210000 tokens > 200000 maximum'],
    [
      'input length and `max_tokens` exceed context limit: 10 + 20 > 25',
      'input length and `max_tokens` exceed context limit: 10 + 20 > 25',
    ],
  ]
  for (const [message, expected] of cases) {
    t.match(render('KP-PROV-105', message).body, { error: { message: expected, kp_code: 'KP-PROV-105' } })
  }
  t.end()
})

const MODEL: ModelEntry = {
  id: 'claude-test',
  displayName: 'Claude Test',
  ownedBy: 'anthropic',
  createdAt: 1_760_000_000,
  contextWindow: 200_000,
  maxOutputTokens: undefined,
  capabilities: {},
  requestTypes: ['chat'],
}

t.test('R3.2 the model list is one page', (t) => {
  const entry = {
    type: 'model',
    id: 'claude-test',
    display_name: 'Claude Test',
    created_at: '2025-10-09T08:53:20.000Z',
    max_input_tokens: 200_000,
    max_tokens: null,
    capabilities: null,
    lifecycle: 'active',
  }
  t.strictSame(anthropicShapes.encodeModel(MODEL), entry)
  t.strictSame(anthropicShapes.encodeModelList([MODEL, { ...MODEL, id: 'z' }]), {
    data: [entry, { ...entry, id: 'z' }],
    has_more: false,
    first_id: 'claude-test',
    last_id: 'z',
  })
  t.strictSame(anthropicShapes.encodeModelList([]), { data: [], has_more: false, first_id: null, last_id: null })
  t.end()
})
