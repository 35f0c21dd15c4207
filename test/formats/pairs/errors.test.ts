import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { ErrorKind } from '#errors/error-entry.ts'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { ERRORS, type ErrorCode } from '#errors/registry.ts'
import type { ChatFormatName, FormatFamily, RenderedError } from '#formats/format.ts'
import { CHAT_FORMATS, FAMILY_SHAPES } from '#formats/registry.ts'
import { retryHeaders } from '#gateway/reply/render-error.ts'
import { CLIENTS, type Question } from './clients.ts'

const QUESTION: Question = { model: 'alias', prompt: 'hi', tools: false, thinking: false, json: false }
const CORRELATION = 'c-4711'
/** Who asks in each family's name. */
const ASKERS: Readonly<Record<FormatFamily, ChatFormatName>> = {
  openai: 'openai-chat',
  anthropic: 'anthropic',
  gemini: 'gemini',
  ollama: 'ollama-chat',
}

/** Error classes of the OpenAI and Anthropic SDKs by status; other statuses from 500 on are an InternalServerError. */
const CLASSES: Readonly<Record<number, string>> = {
  400: 'BadRequestError',
  401: 'AuthenticationError',
  403: 'PermissionDeniedError',
  404: 'NotFoundError',
  409: 'ConflictError',
  422: 'UnprocessableEntityError',
  429: 'RateLimitError',
}
/** The Anthropic SDK has more of them. */
const ANTHROPIC_CLASSES: Readonly<Record<number, string>> = {
  402: 'PaymentRequiredError',
  408: 'RequestTimeoutError',
  413: 'ContentTooLargeError',
  501: 'NotImplementedError',
  503: 'ServiceUnavailableError',
  504: 'GatewayTimeoutError',
  529: 'OverloadedError',
}
/** What each SDK reads in the body, by kind: OpenAI's `type` and `code`, Anthropic's `type`, Google's `status`. */
const WORDS: Readonly<Record<ErrorKind, readonly [openai: string, anthropic: string, gemini: string]>> = {
  authentication: ['invalid_request_error invalid_api_key', 'authentication_error', 'UNAUTHENTICATED'],
  permission: ['permission_error permission_denied', 'permission_error', 'PERMISSION_DENIED'],
  invalid_request: ['invalid_request_error null', 'invalid_request_error', 'INVALID_ARGUMENT'],
  upstream: ['server_error upstream_error', 'api_error', 'UNAVAILABLE'],
  overloaded: ['server_error server_overloaded', 'overloaded_error', 'UNAVAILABLE'],
  not_found: ['invalid_request_error not_found', 'not_found_error', 'NOT_FOUND'],
  context_length: ['invalid_request_error context_length_exceeded', 'invalid_request_error', 'INVALID_ARGUMENT'],
  content_filter: ['invalid_request_error content_policy_violation', 'invalid_request_error', 'INVALID_ARGUMENT'],
  quota_exhausted: ['insufficient_quota insufficient_quota', 'rate_limit_error', 'RESOURCE_EXHAUSTED'],
  rate_limited: ['rate_limit_error rate_limit_exceeded', 'rate_limit_error', 'RESOURCE_EXHAUSTED'],
  unsupported: ['invalid_request_error unsupported_parameter', 'invalid_request_error', 'INVALID_ARGUMENT'],
  timeout: ['server_error timeout', 'timeout_error', 'DEADLINE_EXCEEDED'],
  internal: ['server_error internal_error', 'api_error', 'INTERNAL'],
  too_large: ['invalid_request_error request_too_large', 'request_too_large', 'INVALID_ARGUMENT'],
}
/** Anthropic's own status of an overload; else the registry's holds. */
const ANTHROPIC_OVERLOADED = 529

interface Answer {
  readonly rendered: RenderedError
  readonly headers: readonly string[]
}

/** Plays one answer to every request and counts them. */
async function playback(t: Test, answer: () => Answer): Promise<{ url: string; requests: () => number }> {
  let count = 0
  const server: Server = createServer((request, response) => {
    count += 1
    request.resume()
    const { rendered, headers } = answer()
    response.writeHead(rendered.status, ['content-type', 'application/json', ...headers])
    response.end(JSON.stringify(rendered.body))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on a TCP port has such an address.
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => count }
}

function render(family: FormatFamily, error: KorProxyError): Answer {
  const docsUrl = `https://docs.test/errors/${error.code}`
  return {
    rendered: FAMILY_SHAPES[family].encodeError({ error, correlationId: CORRELATION, docsUrl }),
    headers: retryHeaders(error),
  }
}

async function raised(family: FormatFamily, url: string): Promise<Error & Record<string, unknown>> {
  try {
    await CLIENTS[ASKERS[family]].whole(url, QUESTION)
  } catch (error) {
    // Errors of SDKs carry members of their own.
    if (error instanceof Error) return error as Error & Record<string, unknown>
  }
  throw new Error('the SDK raised nothing')
}

function expectedClass(family: FormatFamily, status: number): string {
  if (family === 'gemini') return 'ApiError'
  if (family === 'ollama') return 'ResponseError'
  const own = family === 'anthropic' ? ANTHROPIC_CLASSES[status] : undefined
  return own ?? CLASSES[status] ?? (status >= 500 ? 'InternalServerError' : 'APIError')
}

// The keys of the registry.
const CODES = Object.keys(ERRORS) as ErrorCode[]

for (const family of ['openai', 'anthropic', 'gemini', 'ollama'] as const) {
  t.test(`R8.2 every code is raised by the SDK of ${family} as the error it is`, async (t) => {
    let answer: Answer | undefined
    const { url } = await playback(t, () => answer ?? { rendered: { status: 500, body: {} }, headers: [] })
    for (const code of CODES) {
      const { kind, status } = ERRORS[code]
      answer = render(family, new KorProxyError(code))
      const wanted = family === 'anthropic' && kind === 'overloaded' ? ANTHROPIC_OVERLOADED : status
      const error = await raised(family, url)
      t.equal(error.constructor.name, expectedClass(family, wanted), `${code} ${error.message}`)
      t.equal(error['status'] ?? error['status_code'], wanted, `${code} has its status`)
      t.equal(wordsOf(family, error), expectedWords(family, code), `${code} has the words that agents look at`)
      t.match(JSON.stringify(answer.rendered.body), code, `${code} is named`)
      t.match(JSON.stringify(answer.rendered.body), CORRELATION, `${code} has the correlation id`)
    }
  })
}

function wordsOf(family: FormatFamily, error: Record<string, unknown> & { readonly message: string }): string {
  switch (family) {
    case 'openai':
      return `${String(error['type'])} ${String(error['code'])}`
    case 'anthropic':
      return String(error['type'])
    case 'gemini':
      // The SDK gives the body as its message.
      return (JSON.parse(error.message) as { error: { status: string } }).error.status
    case 'ollama':
      return ''
  }
}

function expectedWords(family: FormatFamily, code: ErrorCode): string {
  const [openai, anthropic, gemini] = WORDS[ERRORS[code].kind]
  if (family === 'openai') return openai
  if (family === 'anthropic') return anthropic
  if (family === 'ollama') return ''
  return ERRORS[code].status === 501 ? 'UNIMPLEMENTED' : gemini
}

t.test(
  'R8.2 a provider’s 401 or 403 never looks like the client’s own: no code of the provider’s side has that status',
  (t) => {
    const upstream = CODES.filter((code) => /^KP-(PROV|NET)-/.test(code))
    for (const family of ['openai', 'anthropic', 'gemini', 'ollama'] as const) {
      for (const code of upstream) {
        t.notOk([401, 403].includes(render(family, new KorProxyError(code)).rendered.status), `${family} ${code}`)
      }
    }
    t.end()
  },
)

t.test('R8.2 SDKs are told to try again only what may succeed, and how long to wait', (t) => {
  const headersOf = (code: ErrorCode, retryAfterMs?: number) =>
    retryHeaders(new KorProxyError(code, {}, retryAfterMs === undefined ? {} : { retryAfterMs })).join(' ')
  t.equal(headersOf('KP-PROV-110', 2_500), 'x-should-retry true retry-after 3')
  t.equal(headersOf('KP-PROV-110', 3_600_000), 'x-should-retry false retry-after 3600')
  t.equal(headersOf('KP-PROV-111'), 'x-should-retry true')
  t.equal(headersOf('KP-PROV-108', 3_600_000), 'x-should-retry false')
  t.equal(headersOf('KP-AUTH-001'), 'x-should-retry false')
  t.equal(headersOf('KP-PROV-105'), 'x-should-retry false')
  t.equal(headersOf('KP-PROV-112'), 'x-should-retry false')
  t.end()
})

t.test(
  'R8.4 an error in the middle of a stream is raised by the SDK of every client, and nothing after it is success',
  async (t) => {
    const error = new KorProxyError('KP-PROV-111', { account: 'a', reason: 'reset' })
    // The keys of the record.
    for (const name of Object.keys(CLIENTS) as ChatFormatName[]) {
      const format = CHAT_FORMATS[name]
      const request = CHAT_FORMATS['openai-chat'].decodeRequest(
        { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] },
        {},
      )
      const server = createServer((incoming, response) => {
        incoming.resume()
        const encoder = format.streamEncoder({ request, now: 0, newId: () => 'id1', estimatedInputTokens: 1 })
        response.writeHead(200, { 'content-type': format.streamContentType })
        response.write(encoder.push({ type: 'start', id: undefined, model: 'm', createdAt: 1 }))
        response.write(encoder.push({ type: 'text-delta', choice: 0, text: 'Half an ans' }))
        response.end(encoder.fail({ error, correlationId: CORRELATION, docsUrl: 'https://docs.test' }))
      })
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve)
      })
      t.teardown(() => {
        server.closeAllConnections()
        server.close()
      })
      // As above.
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      if (name === 'openai-responses') {
        // The SDK gives the failed response instead of raising.
        t.equal((await CLIENTS[name].stream(url, QUESTION)).finish, 'failed', name)
      } else await t.rejects(CLIENTS[name].stream(url, QUESTION), name)
    }
  },
)
