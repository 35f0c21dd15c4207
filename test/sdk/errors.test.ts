import { AnthropicError } from '@anthropic-ai/sdk'
import { ApiError } from '@google/genai'
import { APICallError } from 'ai'
import { APIError } from 'openai'
import t from 'tap'
import { startStack, waitFor } from '../helpers/stack.ts'
import { CHAT_CLIENTS } from './clients/all.ts'
import { anthropicOf } from './clients/anthropic.ts'
import type { Connection } from './clients/chat-client.ts'
import { googleOf } from './clients/google.ts'
import { openaiOf } from './clients/openai-chat.ts'
import { CLIENT_KEY, MOCK, manifests, UPSTREAMS, type Upstream } from './upstreams.ts'

const ALL: readonly Upstream[] = [...UPSTREAMS, MOCK]
/** What breaks a stream after its first words. */
const BREAKS = ['errorevent', 'cut', 'cutreset', 'broken', 'cleancut'] as const

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => ({ noError: value }),
    (error: unknown) => error,
  )
}

/** Every SDK has its own name for the HTTP status; LangChain wraps the error that has it. */
function statusOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error
  if ('status' in error) return error.status
  if ('statusCode' in error) return error.statusCode
  if ('status_code' in error) return error.status_code
  return 'cause' in error ? statusOf(error.cause) : error
}

for (const client of CHAT_CLIENTS) {
  t.test(`R8.2 errors that ${client.name} shows`, async (t) => {
    const stack = await startStack(t, manifests(ALL, ['429r30', '401', 'toolong', '503', ...BREAKS]))
    t.strictSame(stack.standalone.problems(), [])
    const connection: Connection = { url: stack.url, key: CLIENT_KEY }

    t.equal(statusOf(await failureOf(client.text({ ...connection, key: 'kp-wrong' }, 'openai-chat'))), 401, 'wrong key')
    t.equal(statusOf(await failureOf(client.stream({ ...connection, key: 'kp-wrong' }, 'openai-chat'))), 401)
    t.equal(statusOf(await failureOf(client.text(connection, 'nobody-has-it'))), 404, 'unknown model')
    t.equal(statusOf(await failureOf(client.stream(connection, 'nobody-has-it'))), 404)
    t.strictSame(stack.simulator.requests(), [], 'no provider was asked')

    await Promise.all(
      ALL.map(async ({ name }) => {
        const limited = await failureOf(client.text(connection, `${name}-429r30-chat`))
        t.equal(statusOf(limited), 429, `${name}: every account limited`)
        t.match(String(limited), /Provider rate limited\. Retrying in (29|30)s…/, name)
        t.equal(
          statusOf(await failureOf(client.stream(connection, `${name}-429r30-chat`))),
          429,
          `${name}: in a stream`,
        )
        t.equal(statusOf(await failureOf(client.text(connection, `${name}-toolong-chat`))), 400, `${name}: too long`)
        t.equal(statusOf(await failureOf(client.text(connection, `${name}-401-chat`))), 502, `${name}: bad credential`)
        const down = await failureOf(client.stream(connection, `${name}-503-chat`))
        t.equal(statusOf(down), client.overloadedStatus ?? 503, `${name}: down`)
        for (const scenario of BREAKS) {
          const error = await failureOf(client.stream(connection, `${name}-${scenario}-chat`))
          t.notMatch(error, { noError: Object }, `${name}: ${scenario} is no success`)
        }
      }),
    )
  })
}

t.test('missing keys are refused in the format of each API', async (t) => {
  const { url } = await startStack(t, manifests([MOCK]))
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const reply = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'mock-chat' }),
    })
    return [reply.status, await reply.json()]
  }
  t.match(await ask('/v1/chat/completions'), [401, { error: { code: 'invalid_api_key' } }])
  t.match(await ask('/v1/messages'), [401, { type: 'error', error: { type: 'authentication_error' } }])
  t.match(await ask('/v1beta/models/mock-chat:generateContent'), [401, { error: { status: 'UNAUTHENTICATED' } }])
  t.match(await ask('/api/chat'), [401, { error: /key/ }])
})

t.test('errors have the fields that developers switch on', async (t) => {
  const { url } = await startStack(t, manifests(UPSTREAMS, ['429r30', 'toolong']))
  const connection: Connection = { url, key: CLIENT_KEY }
  const messages = [{ role: 'user' as const, content: 'Hi' }]

  const openai = openaiOf(connection)
  const tooLong = await failureOf(openai.chat.completions.create({ model: 'anthropic-toolong-chat', messages }))
  t.ok(tooLong instanceof APIError)
  t.match(tooLong, { code: 'context_length_exceeded', type: 'invalid_request_error' })
  const unknown = await failureOf(openai.chat.completions.create({ model: 'nobody-has-it', messages }))
  t.match(unknown, { code: 'model_not_found' })
  const limited = await failureOf(openai.chat.completions.create({ model: 'google-429r30-chat', messages }))
  t.match(limited, { code: 'rate_limit_exceeded' })
  t.ok(limited instanceof APIError && /^(29|30)$/.test(limited.headers?.get('retry-after') ?? ''))
  t.ok(limited instanceof APIError && /^[0-9a-f-]{16,}$/.test(limited.requestID ?? ''), 'the request id is there')

  const claude = { max_tokens: 100, messages }
  const claudeLong = await failureOf(
    anthropicOf(connection).messages.create({ ...claude, model: 'openai-toolong-chat' }),
  )
  t.ok(claudeLong instanceof AnthropicError)
  t.match(claudeLong, {
    error: { error: { type: 'invalid_request_error', message: /prompt is too long: \d+ tokens > \d+ maximum/ } },
  })
  t.match(await failureOf(anthropicOf(connection).messages.create({ ...claude, model: 'openai-429r30-chat' })), {
    error: { error: { type: 'rate_limit_error' } },
  })

  const google = await failureOf(
    googleOf(connection).models.generateContent({ model: 'openai-429r30-chat', contents: 'Hi' }),
  )
  t.ok(google instanceof ApiError)
  t.match(google, { status: 429, message: /"status":"RESOURCE_EXHAUSTED".*"retryDelay":"(29|30)s"/ })
})

t.test('R8.2 SDKs with their own retries give up at once when the wait is long', async (t) => {
  const stack = await startStack(t, manifests([UPSTREAMS[0] ?? MOCK], ['429r90']))
  const connection: Connection = { url: stack.url, key: CLIENT_KEY }
  const messages = [{ role: 'user' as const, content: 'Hi' }]
  const openai = openaiOf(connection).withOptions({ maxRetries: 2 })
  const anthropic = anthropicOf(connection).withOptions({ maxRetries: 2 })
  const model = 'openai-429r90-chat'
  t.equal(statusOf(await failureOf(openai.chat.completions.create({ model, messages }))), 429)
  t.equal(statusOf(await failureOf(anthropic.messages.create({ model, max_tokens: 10, messages }))), 429)
  const lines = await waitFor(stack.accessLog, (found) => found.length >= 2)
  t.equal(lines.length, 2, 'one request each')
})

t.test('the AI SDK reads message and status', async (t) => {
  const { url } = await startStack(t, manifests(UPSTREAMS, ['429r30']))
  const client = CHAT_CLIENTS.find(({ name }) => name === 'ai + @ai-sdk/openai-compatible')
  const error = await failureOf(client?.text({ url, key: CLIENT_KEY }, 'ollama-429r30-chat') ?? Promise.resolve())
  t.ok(APICallError.isInstance(error))
  t.match(error, { statusCode: 429, isRetryable: true })
})
