import t from 'tap'
import { findProvider } from '#providers/find-provider.ts'
import { account } from './account.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 20, 0, 0)
const openai = findProvider(account('OpenAI'))

function failureOf(status: number, body: string) {
  return openai.classifyFailure({ status, headers: {}, body }, NOW_MS)
}
const messageOf = (message: string): string => failureOf(400, JSON.stringify({ error: { message } })).message

t.test('credentials and account ids are taken out of what a provider says', (t) => {
  const rows: readonly (readonly [string, string])[] = [
    ['Incorrect API key provided: sk-proj-abcd****wxyz.', 'Incorrect API key provided: ***'],
    ['invalid x-api-key sk-ant-api03-AbC_d-e', 'invalid x-api-key ***'],
    ['Key AIzaSyA1b2C3d4E5f6G7h8I9 is blocked', 'Key *** is blocked'],
    ['gsk_0123456789abcdef is invalid', '*** is invalid'],
    ['token ya29.a0AfH6SMB-x_y expired', 'token *** expired'],
    ['jwt eyJhbGciOi.eyJzdWIiOi.c2ln is bad', 'jwt *** is bad'],
    ['Authorization: Bearer abc.def refused', 'Authorization: Bearer *** refused'],
    ['see https://api.example/v1?key=abc123&x=1', 'see https://api.example/v1?key=***&x=1'],
    ['limit in organization org-9aBcD3xYz', 'limit in organization ***'],
    ['Project `proj_4kE9abc` has no access', 'Project `***` has no access'],
  ]
  for (const [said, told] of rows) t.equal(messageOf(said), told, said)
  t.end()
})

t.test('names of fields and plain words stay', (t) => {
  for (const text of [
    "Invalid value for 'user_location'",
    'key_points: required',
    "tools[0]: 'org_chart' is not of type 'object'",
    'risk-averse task-list',
    "Unknown parameter: 'sampling'",
  ]) {
    t.equal(messageOf(text), text)
  }
  t.end()
})

t.test('a failure without words of its own is told by its status; the page of a proxy is not shown', (t) => {
  t.equal(failureOf(400, '').message, 'HTTP 400')
  t.equal(failureOf(502, '<html><h1>Bad Gateway</h1></html>').message, 'HTTP 502')
  t.equal(failureOf(400, ' upstream says no \n').message, 'upstream says no')
  t.equal(failureOf(400, '{"error":{"message":""}}').message, 'HTTP 400')
  t.equal(failureOf(302, '').message, 'unexpected status 302')
  t.end()
})

t.test('a long message is cut', (t) => {
  t.equal(messageOf('x '.repeat(5_000)).length, 2_000)
  t.end()
})

t.test("the provider's own code is kept for the log", (t) => {
  t.equal(
    failureOf(429, '{"error":{"code":"rate_limit_exceeded","type":"tokens"}}').providerCode,
    'rate_limit_exceeded tokens',
  )
  t.equal(failureOf(500, '').providerCode, undefined)
  t.end()
})

t.test('R2.3 a provider says in many ways how long to wait', (t) => {
  const waitOf = (headers: Record<string, string | readonly string[]>, message = '') => {
    const body = JSON.stringify({ error: { message } })
    const { outcome } = openai.classifyFailure({ status: 429, headers, body }, NOW_MS)
    return 'retryAfterMs' in outcome ? outcome.retryAfterMs : 'none'
  }
  t.equal(waitOf({ 'retry-after': '3' }), 3_000)
  t.equal(waitOf({ 'retry-after': '0' }), 0)
  t.equal(waitOf({ 'retry-after': ' 1.5 ' }), 1_500)
  t.equal(waitOf({ 'retry-after': ['4', '9'] }), 4_000, 'the first of several')
  t.equal(waitOf({ 'retry-after': 'Sat, 21 Nov 2026 20:01:00 GMT' }), 60_000)
  t.equal(waitOf({ 'retry-after': 'Sat, 21 Nov 2026 19:59:00 GMT' }), 0, 'a moment in the past')
  t.equal(waitOf({ 'retry-after': '1m30s' }), 90_000)
  t.equal(waitOf({ 'retry-after-ms': '250', 'retry-after': '9' }), 250, 'the exact one first')
  t.equal(waitOf({ 'x-ms-retry-after-ms': '750' }), 750)
  t.equal(waitOf({ 'retry-after-ms': 'soon', 'retry-after': '9' }), 9_000)
  for (const text of ['', 'soon', '-5', 'in 5', '1e3', 'NaN']) t.equal(waitOf({ 'retry-after': text }), undefined, text)
  t.equal(waitOf({}, 'Please try again in 7m12s.'), 432_000)
  t.equal(waitOf({}, 'Please try again in 20ms. Visit …'), 20)
  t.equal(waitOf({}, 'Please retry in 37.5s'), 37_500)
  t.equal(waitOf({ 'retry-after': '2' }, 'Please try again in 1.26s.'), 2_000, 'the header counts more')
  t.equal(waitOf({}, 'Please try again in a while.'), undefined)
  t.end()
})

t.test('R2.3 what is left of an allowance stands in the headers', (t) => {
  const limits = (headers: Record<string, string>, provider: 'OpenAI' | 'Anthropic' = 'OpenAI') =>
    findProvider(account(provider)).readRateLimits(headers, NOW_MS)
  t.strictSame(
    limits({
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-remaining-tokens': '149984',
      'x-ratelimit-reset-requests': '6m0s',
      'x-ratelimit-reset-tokens': '20ms',
    }),
    {
      requestsRemaining: 0,
      tokensRemaining: 149_984,
      requestsResetAtMs: NOW_MS + 360_000,
      tokensResetAtMs: NOW_MS + 20,
    },
  )
  t.strictSame(
    limits({ 'x-ratelimit-remaining-requests': '1', 'x-ratelimit-reset-requests': '60' }),
    { requestsRemaining: 1, requestsResetAtMs: NOW_MS + 60_000 },
    'Azure: whole seconds',
  )
  t.strictSame(
    limits({ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '59.7' }),
    { requestsRemaining: 0, requestsResetAtMs: NOW_MS + 59_700 },
    'seconds with a fraction',
  )
  t.strictSame(
    limits({ 'x-ratelimit-remaining-requests': '1', 'x-ratelimit-reset-requests': '1763755200000' }),
    { requestsRemaining: 1 },
    'a moment is not taken for a wait',
  )
  t.equal(limits({}), undefined)
  t.equal(limits({ 'x-ratelimit-remaining-requests': '-1', 'x-ratelimit-remaining-tokens': 'many' }), undefined)
  t.strictSame(
    limits(
      {
        'anthropic-ratelimit-requests-remaining': '0',
        'anthropic-ratelimit-requests-reset': '2026-11-21T20:00:30Z',
        'anthropic-ratelimit-tokens-remaining': '5000',
        'anthropic-ratelimit-tokens-reset': 'soon',
      },
      'Anthropic',
    ),
    { requestsRemaining: 0, tokensRemaining: 5_000, requestsResetAtMs: NOW_MS + 30_000 },
  )
  t.strictSame(
    limits(
      { 'anthropic-ratelimit-unified-status': 'rejected', 'anthropic-ratelimit-unified-reset': '1795291200' },
      'Anthropic',
    ),
    { requestsRemaining: 0, requestsResetAtMs: 1_795_291_200_000 },
    'a plan that is used up',
  )
  t.equal(
    limits(
      { 'anthropic-ratelimit-unified-status': 'allowed', 'anthropic-ratelimit-unified-reset': '1795291200' },
      'Anthropic',
    ),
    undefined,
  )
  for (const provider of ['Gemini', 'Ollama'] as const) {
    t.equal(findProvider(account(provider)).readRateLimits({ 'retry-after': '1' }, NOW_MS), undefined, provider)
  }
  t.end()
})

t.test("R2.3 Gemini's day ends at midnight in California, in winter and in summer", (t) => {
  const gemini = findProvider(account('Gemini'))
  const body = JSON.stringify({
    error: { status: 'RESOURCE_EXHAUSTED', details: [{ violations: [{ quotaId: 'RequestsPerDay' }] }] },
  })
  const waitAt = (nowMs: number) => gemini.classifyFailure({ status: 429, headers: {}, body }, nowMs).outcome
  const wait = (hours: number) => ({ kind: 'quota-exhausted', retryAfterMs: hours * 3_600_000, scope: 'account' })
  t.strictSame(waitAt(Date.UTC(2026, 10, 21, 20)), wait(12))
  t.strictSame(waitAt(Date.UTC(2026, 6, 1, 20)), wait(11))
  t.strictSame(waitAt(Date.UTC(2026, 6, 1, 7)), wait(24))
  t.end()
})
