import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { KorProxyError } from '#errors/korproxy-error.ts'
import type { OAuth2Tokens } from '#providers/oauth2/read-token-reply.ts'
import type { OAuth2Credential } from '#providers/oauth2/token-request.ts'
import { OAuth2TokenSource } from '#providers/oauth2/token-source.ts'
import { answerJson, rotatingAnswers, startTokenServer, type TokenAnswerScript } from '../../helpers/token-server.ts'

const START_MS = 1_800_000_000_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

interface Rig {
  readonly source: OAuth2TokenSource
  readonly calls: readonly { readonly body: string }[]
  readonly saved: OAuth2Tokens[]
  readonly reported: KorProxyError[]
  readonly clock: { nowMs: number }
  readonly store: { state: 'Writable' | 'Full' | 'Unreadable'; loads?: OAuth2Tokens }
}

async function rig(t: Test, answer: TokenAnswerScript, changes: Partial<OAuth2Credential> = {}): Promise<Rig> {
  const server = await startTokenServer(t, answer)
  const clock = { nowMs: START_MS }
  const store: Rig['store'] = { state: 'Writable' }
  const saved: OAuth2Tokens[] = []
  const reported: KorProxyError[] = []
  const source = new OAuth2TokenSource({
    account: 'pro',
    credential: {
      type: 'OAuth2',
      version: 'uid:1',
      tokenUrl: server.url,
      clientId: 'client',
      refreshToken: 'refresh-1',
      scopes: [],
      clientAuthentication: 'None',
      bodyFormat: 'Form',
      headers: {},
      ...changes,
    },
    fetchToken: async ({ url, headers, body }) => {
      const reply = await fetch(url, { method: 'POST', headers, body })
      return { status: reply.status, headers: Object.fromEntries(reply.headers), body: await reply.text() }
    },
    now: () => clock.nowMs,
    random: () => 0,
    load: async () => {
      if (store.state === 'Unreadable') throw new Error('EIO')
      return store.loads
    },
    persist: async (tokens) => {
      if (store.state === 'Full') throw new Error('ENOSPC')
      saved.push(tokens)
    },
    report: (error) => {
      reported.push(error)
    },
  })
  return { source, calls: server.calls, saved, reported, clock, store }
}

/** Lets a refresh in the background come to its end. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2)
}

t.test('R3.6 the first request fetches a token, later ones get it without waiting', async (t) => {
  const { source, calls, saved } = await rig(t, rotatingAnswers(3600))
  t.equal(await source.accessToken(), 'access-1')
  t.equal(source.accessToken(), 'access-1')
  t.equal(calls.length, 1)
  t.equal(calls[0]?.body, 'grant_type=refresh_token&refresh_token=refresh-1&client_id=client')
  t.strictSame(saved, [{ accessToken: 'access-1', expiresAtMs: START_MS + HOUR_MS, refreshToken: 'refresh-2' }])
})

t.test('R3.6 a token is replaced ahead of its expiry while the old one goes on serving', async (t) => {
  const { source, calls, clock } = await rig(t, rotatingAnswers(3600))
  await source.accessToken()
  clock.nowMs = START_MS + 53 * MINUTE_MS
  t.equal(source.accessToken(), 'access-1')
  t.equal(calls.length, 1, 'the lead is 10 % of the lifetime')
  clock.nowMs = START_MS + 54 * MINUTE_MS
  t.equal(source.accessToken(), 'access-1')
  await until(() => source.accessToken() === 'access-2')
  t.equal(calls.length, 2)
  t.match(calls[1]?.body, /refresh_token=refresh-2/)
})

t.test('R3.6 an expired token is never sent', async (t) => {
  const { source, clock } = await rig(t, rotatingAnswers(3600))
  await source.accessToken()
  clock.nowMs = START_MS + HOUR_MS
  t.equal(await source.accessToken(), 'access-2')
})

t.test('a configured lead counts, and a token shorter than its lead is used for half of its life', async (t) => {
  const long = await rig(t, rotatingAnswers(3600), { refreshLeadMs: 10_000 })
  await long.source.accessToken()
  long.clock.nowMs = START_MS + HOUR_MS - 10_001
  t.equal(long.source.accessToken(), 'access-1')
  t.equal(long.calls.length, 1)
  const short = await rig(t, rotatingAnswers(60))
  await short.source.accessToken()
  short.clock.nowMs = START_MS + 29_999
  t.equal(short.source.accessToken(), 'access-1')
  t.equal(short.calls.length, 1)
  short.clock.nowMs = START_MS + 30_000
  t.equal(short.source.accessToken(), 'access-1')
  await until(() => short.source.accessToken() === 'access-2')
  t.equal(short.calls.length, 2)
})

t.test('R3.6 a hundred requests at once make one refresh', async (t) => {
  const { source, calls } = await rig(t, rotatingAnswers(3600))
  const tokens = await Promise.all(Array.from({ length: 100 }, () => source.accessToken()))
  t.strictSame([...new Set(tokens)], ['access-1'])
  t.equal(calls.length, 1)
})

t.test('R3.6 a hundred refusals at once make one renewal', async (t) => {
  const { source, calls, clock } = await rig(t, rotatingAnswers(3600))
  await source.accessToken()
  clock.nowMs += MINUTE_MS
  await Promise.all(Array.from({ length: 100 }, () => source.renew()))
  t.equal(source.accessToken(), 'access-2')
  t.equal(calls.length, 2)
  await source.renew()
  t.equal(calls.length, 2, 'a refusal of the old token that comes late renews nothing')
})

t.test('while a refused token is renewed nobody gets it', async (t) => {
  const { source, clock } = await rig(t, rotatingAnswers(3600))
  await source.accessToken()
  clock.nowMs += MINUTE_MS
  const renewal = source.renew()
  t.equal(await source.accessToken(), 'access-2')
  await renewal
})

for (const [title, status, body] of [
  ['invalid_grant', 400, { error: 'invalid_grant', error_description: 'revoked' }],
  ['invalid_client', 401, { error: 'invalid_client' }],
  ['a reused refresh token', 400, { error: { code: 'refresh_token_reused', message: 'used' } }],
] as const) {
  t.test(`R3.6 ${title} is final: KP-PROV-114 and no further calls`, async (t) => {
    const { source, calls } = await rig(t, (_call, reply) => answerJson(reply, status, body))
    await t.rejects(async () => await source.accessToken(), { code: 'KP-PROV-114' })
    await t.rejects(async () => await source.accessToken(), { code: 'KP-PROV-114' })
    await t.rejects(source.renew(), { code: 'KP-PROV-114' })
    t.equal(calls.length, 1)
  })
}

t.test('a changed credential ends a refusal', async (t) => {
  const { source, calls } = await rig(t, ({ body }, reply) =>
    body.includes('client_id=right')
      ? answerJson(reply, 200, { access_token: 'access', expires_in: 3600 })
      : answerJson(reply, 400, { error: 'invalid_scope' }),
  )
  await t.rejects(async () => await source.accessToken(), { code: 'KP-PROV-114' })
  source.configure({
    type: 'OAuth2',
    version: 'uid:2',
    tokenUrl: await startTokenServer(t, (_call, reply) => answerJson(reply, 200, { access_token: 'new' })).then(
      ({ url }) => url,
    ),
    clientId: 'right',
    refreshToken: 'refresh-1',
    scopes: [],
    clientAuthentication: 'None',
    bodyFormat: 'Form',
    headers: {},
  })
  t.equal(await source.accessToken(), 'new')
  t.equal(calls.length, 1)
})

t.test('R3.6 the words of a refusal hold neither description nor tokens', async (t) => {
  const { source } = await rig(t, (_call, reply) =>
    answerJson(reply, 400, { error: 'invalid_grant', error_description: 'token refresh-1 is revoked' }),
  )
  await t.rejects(async () => await source.accessToken(), {
    message: 'The OAuth token of account pro cannot be refreshed: the token endpoint answered 400 invalid_grant.',
  })
})

t.test('R3.6 429 of the token endpoint is waited out as its Retry-After says', async (t) => {
  let busy: 'yes' | 'no' = 'yes'
  const { source, calls, clock } = await rig(t, (_call, reply) =>
    busy === 'yes'
      ? answerJson(reply, 429, { error: 'rate_limited' }, { 'retry-after': '120' })
      : answerJson(reply, 200, { access_token: 'access', expires_in: 3600 }),
  )
  await t.rejects(async () => await source.accessToken(), { code: 'KP-PROV-116', retryAfterMs: 120_000 })
  busy = 'no'
  clock.nowMs = START_MS + 119_000
  await t.rejects(async () => await source.accessToken(), { code: 'KP-PROV-116', retryAfterMs: 1_000 })
  t.equal(calls.length, 1)
  clock.nowMs = START_MS + 120_000
  t.equal(await source.accessToken(), 'access')
})

t.test('R3.6 while the token endpoint fails the old token serves until it expires, and calls back off', async (t) => {
  let generation = 0
  const { source, calls, clock, reported } = await rig(t, (_call, reply) => {
    generation += 1
    if (generation === 1) answerJson(reply, 200, { access_token: 'access-1', expires_in: 3600 })
    else reply.writeHead(503).end('<html>')
  })
  await source.accessToken()
  clock.nowMs = START_MS + 55 * MINUTE_MS
  t.equal(source.accessToken(), 'access-1')
  await until(() => reported.length === 1)
  t.equal(source.accessToken(), 'access-1')
  t.equal(calls.length, 2, 'no call during the wait')
  clock.nowMs += 500
  t.equal(source.accessToken(), 'access-1')
  await until(() => reported.length === 2)
  clock.nowMs += 999
  t.equal(source.accessToken(), 'access-1')
  t.equal(calls.length, 3, 'the second wait is twice the first')
  clock.nowMs = START_MS + HOUR_MS
  await t.rejects(async () => await source.accessToken(), {
    code: 'KP-PROV-116',
    message: 'The OAuth token of account pro could not be refreshed: the token endpoint answered 503.',
  })
})

t.test('a token endpoint out of reach is KP-PROV-116 with the cause', async (t) => {
  const { source } = await rig(t, (_call, reply) => reply.destroy())
  await t.rejects(async () => await source.accessToken(), {
    code: 'KP-PROV-116',
    message: 'The OAuth token of account pro could not be refreshed: the token endpoint gave no answer.',
    cause: Error,
  })
})

t.test('R3.6 the rotated refresh token is stored before its access token is used', async (t) => {
  const order: string[] = []
  const server = await startTokenServer(t, rotatingAnswers(3600))
  let release = (): void => undefined
  const stored = new Promise<void>((resolve) => {
    release = resolve
  })
  const source = new OAuth2TokenSource({
    account: 'pro',
    credential: {
      type: 'OAuth2',
      version: '1',
      tokenUrl: server.url,
      clientId: 'client',
      refreshToken: 'refresh-1',
      scopes: [],
      clientAuthentication: 'None',
      bodyFormat: 'Form',
      headers: {},
    },
    fetchToken: async ({ url, headers, body }) => {
      const reply = await fetch(url, { method: 'POST', headers, body })
      return { status: reply.status, headers: {}, body: await reply.text() }
    },
    now: () => START_MS,
    random: () => 0,
    load: async () => undefined,
    persist: async ({ refreshToken }) => {
      order.push(`storing ${refreshToken}`)
      await stored
      order.push(`stored ${refreshToken}`)
    },
    report: () => undefined,
  })
  const used = Promise.resolve(source.accessToken()).then((token) => order.push(`used ${token}`))
  await until(() => order.length === 1)
  await sleep(10)
  t.strictSame(order, ['storing refresh-2'])
  release()
  await used
  t.strictSame(order, ['storing refresh-2', 'stored refresh-2', 'used access-1'])
})

t.test('R3.6 a rotated token that cannot be stored is not used, and not asked for again', async (t) => {
  const { source, calls, store, clock, saved } = await rig(t, rotatingAnswers(3600))
  store.state = 'Full'
  await t.rejects(async () => await source.accessToken(), {
    code: 'KP-PROV-116',
    message: 'The OAuth token of account pro could not be refreshed: the rotated refresh token could not be saved.',
    cause: { message: 'ENOSPC' },
  })
  store.state = 'Writable'
  clock.nowMs += 1_000
  t.equal(await source.accessToken(), 'access-1')
  t.equal(calls.length, 1, 'the granted tokens were stored at last')
  t.equal(saved[0]?.refreshToken, 'refresh-2')
})

t.test('an access token without rotation serves although it could not be stored', async (t) => {
  const { source, store, reported } = await rig(t, (_call, reply) =>
    answerJson(reply, 200, { access_token: 'access', expires_in: '3600' }),
  )
  store.state = 'Full'
  t.equal(await source.accessToken(), 'access')
  t.equal(
    reported[0]?.message,
    'The OAuth token of account pro could not be refreshed: the new access token could not be saved.',
  )
})

t.test('R3.6 a new process goes on with the tokens that were stored', async (t) => {
  const valid = await rig(t, rotatingAnswers(3600))
  valid.store.loads = { accessToken: 'access-0', expiresAtMs: START_MS + HOUR_MS, refreshToken: 'refresh-1' }
  t.equal(await valid.source.accessToken(), 'access-0')
  t.equal(valid.calls.length, 0)
  await valid.source.renew()
  t.equal(valid.source.accessToken(), 'access-1', 'a stored token may be renewed at once')
  const expired = await rig(t, rotatingAnswers(3600), { refreshToken: 'refresh-0' })
  expired.store.loads = { accessToken: 'access-0', expiresAtMs: START_MS, refreshToken: 'refresh-1' }
  t.equal(await expired.source.accessToken(), 'access-1')
})

t.test('a store that cannot be read stops the refresh: the first refresh token may be used up', async (t) => {
  const { source, store, calls, clock } = await rig(t, rotatingAnswers(3600))
  store.state = 'Unreadable'
  await t.rejects(async () => await source.accessToken(), {
    code: 'KP-PROV-116',
    message: 'The OAuth token of account pro could not be refreshed: the saved tokens could not be read.',
  })
  t.equal(calls.length, 0)
  store.state = 'Writable'
  clock.nowMs += 1_000
  t.equal(await source.accessToken(), 'access-1')
})

t.test('Basic, Post and JSON clients send what RFC 6749 says', async (t) => {
  const { url, calls } = await startTokenServer(t, (_call, reply) => answerJson(reply, 200, { access_token: 'a' }))
  const variants: Partial<OAuth2Credential>[] = [
    { clientAuthentication: 'Basic', clientId: 'a b', clientSecret: 's:%' },
    { clientAuthentication: 'Post', clientSecret: 'secret', scopes: ['openid', 'email'] },
    { bodyFormat: 'JSON', headers: { 'X-Extra': '1' } },
  ]
  for (const variant of variants) {
    const { source } = await rig(t, (_call, reply) => reply.end(), { tokenUrl: url, ...variant })
    t.equal(await source.accessToken(), 'a')
  }
  t.equal(calls[0]?.headers.authorization, 'Basic YStiOnMlM0ElMjU=')
  t.equal(calls[0]?.body, 'grant_type=refresh_token&refresh_token=refresh-1')
  t.equal(
    calls[1]?.body,
    'grant_type=refresh_token&refresh_token=refresh-1&scope=openid+email&client_id=client&client_secret=secret',
  )
  t.equal(calls[2]?.headers['content-type'], 'application/json')
  t.equal(calls[2]?.headers['x-extra'], '1')
  t.equal(calls[2]?.body, '{"grant_type":"refresh_token","refresh_token":"refresh-1","client_id":"client"}')
})

t.test('F20 a clock that is set back keeps neither a refused token nor a pause for longer', async (t) => {
  const refused = await rig(t, rotatingAnswers(3600))
  t.equal(await refused.source.accessToken(), 'access-1')
  refused.clock.nowMs = START_MS - HOUR_MS
  await refused.source.renew()
  t.equal(refused.source.accessToken(), 'access-2')
  const waiting = await rig(t, (_request, reply) => answerJson(reply, 503, { error: 'temporarily_unavailable' }))
  await t.rejects(Promise.resolve(waiting.source.accessToken()), { code: 'KP-PROV-116' })
  await t.rejects(Promise.resolve(waiting.source.accessToken()), { code: 'KP-PROV-116' })
  t.equal(waiting.calls.length, 1, 'there is a pause')
  waiting.clock.nowMs = START_MS - HOUR_MS
  await t.rejects(Promise.resolve(waiting.source.accessToken()), { code: 'KP-PROV-116' })
  t.equal(waiting.calls.length, 2)
})
