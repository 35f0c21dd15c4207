import t from 'tap'
import { readTokenReply } from '#providers/oauth2/read-token-reply.ts'

const NOW_MS = 1_800_000_000_000

function read(status: number, body: string, headers: Readonly<Record<string, string>> = {}) {
  return readTokenReply({ status, headers, body }, 'old', NOW_MS)
}

t.test('a grant without expires_in lasts an hour, one without refresh_token keeps the old one', (t) => {
  t.strictSame(read(200, '{"access_token":"a"}'), {
    kind: 'granted',
    tokens: { accessToken: 'a', expiresAtMs: NOW_MS + 3_600_000, refreshToken: 'old' },
  })
  t.end()
})

t.test('answers that are no grant say what is wrong', (t) => {
  const cases: readonly [number, string, string][] = [
    [200, '<html>', 'the answer of the token endpoint holds no access_token'],
    [200, '{"access_token":""}', 'the answer of the token endpoint holds no access_token'],
    [200, '{"access_token":"a\\r\\nx: y"}', 'the access_token holds characters that no header may carry'],
    [200, '{"error":"slow_down"}', 'the token endpoint answered 200 slow_down'],
    [302, '', 'the token endpoint answered 302'],
    [404, 'no such page', 'the token endpoint answered 404'],
    [400, '{"error":"the secret abc is wrong"}', 'the token endpoint answered 400 unknown_error'],
    [500, '{"error":"invalid_grant"}', 'the token endpoint answered 500 invalid_grant'],
  ]
  for (const [status, body, reason] of cases) {
    t.strictSame(read(status, body), { kind: 'failed', reason, retryAfterMs: undefined }, body)
  }
  t.end()
})

t.test('Retry-After counts for failures', (t) => {
  t.match(read(503, '', { 'retry-after': '7' }), { kind: 'failed', retryAfterMs: 7_000 })
  t.end()
})
