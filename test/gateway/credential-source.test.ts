import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createCredentialSource, type TokenCaller } from '#gateway/credential-source.ts'
import type { CredentialSource } from '#gateway/serving-account.ts'
import { fetchToken } from '#gateway/upstream/fetch-token.ts'
import { UpstreamPools } from '#gateway/upstream/pools.ts'
import type { OAuth2Tokens } from '#providers/oauth2/read-token-reply.ts'
import type { OAuth2Credential } from '#providers/oauth2/token-request.ts'
import { rotatingAnswers, startTokenServer, type TokenAnswerScript, type TokenCall } from '../helpers/token-server.ts'

interface Rig {
  readonly source: CredentialSource
  readonly credential: OAuth2Credential
  readonly calls: readonly TokenCall[]
  readonly callers: TokenCaller[]
  readonly store: Map<string, { readonly version: string; readonly tokens: OAuth2Tokens }>
}

async function rig(t: Test, answer: TokenAnswerScript): Promise<Rig> {
  const { url, calls } = await startTokenServer(t, answer)
  const pools = new UpstreamPools({ privateAddresses: 'Allow' })
  t.teardown(() => pools.close())
  const store: Rig['store'] = new Map()
  const callers: TokenCaller[] = []
  const source = createCredentialSource({
    fetch: (request, caller) => {
      callers.push(caller)
      return fetchToken(pools.ofTokenEndpoint(request.url, undefined), request)
    },
    now: () => 1_800_000_000_000,
    random: () => 0,
    loadTokens: async (account, version) => {
      const kept = store.get(account)
      return kept?.version === version ? kept.tokens : undefined
    },
    saveTokens: async (account, version, tokens) => {
      if (tokens !== undefined) store.set(account, { version, tokens })
      else if (store.get(account)?.version === version) store.delete(account)
    },
    report: (account, failure) => t.fail(`${account}: ${String(failure)}`),
  })
  const credential: OAuth2Credential = {
    type: 'OAuth2',
    version: 'uid:1',
    tokenUrl: url,
    clientId: 'client',
    refreshToken: 'refresh-1',
    scopes: [],
    clientAuthentication: 'None',
    bodyFormat: 'Form',
    headers: {},
    caPem: 'PEM',
  }
  return { source, credential, calls, callers, store }
}

t.test('an API key is its own secret, no credential has none, and neither can be renewed', async (t) => {
  const { source } = await rig(t, rotatingAnswers(3600))
  const withKey = source.open('team/a', { type: 'APIKey', version: '1', apiKey: 'key' })
  t.equal(withKey.secret(), 'key')
  t.equal(withKey.renew, undefined)
  const without = source.open('team/b', { type: 'None', version: '1' })
  t.equal(without.secret(), undefined)
  t.equal(without.renew, undefined)
})

t.test('R3.6 an OAuth 2 account sends access tokens and stores what was rotated', async (t) => {
  const { source, credential, store, callers } = await rig(t, rotatingAnswers(3600))
  const { secret } = source.open('team/pro', credential)
  t.equal(await secret(), 'access-1')
  t.equal(secret(), 'access-1')
  t.strictSame(store.get('team/pro'), {
    version: 'uid:1',
    tokens: { accessToken: 'access-1', expiresAtMs: 1_800_003_600_000, refreshToken: 'refresh-2' },
  })
  t.strictSame(callers, [{ account: 'team/pro', caPem: 'PEM' }])
})

t.test('R3.6 a new authorisation drops the tokens of the old one', async (t) => {
  const { source, credential, store, calls } = await rig(t, ({ body }, reply) => {
    const refreshToken = new URLSearchParams(body).get('refresh_token') ?? ''
    reply.end(
      JSON.stringify({ access_token: `for-${refreshToken}`, refresh_token: `${refreshToken}+`, expires_in: 3600 }),
    )
  })
  const old = source.open('team/pro', credential)
  await old.secret()
  const next = source.open('team/pro', { ...credential, version: 'uid:2', refreshToken: 'other' })
  await sleep(0)
  t.equal(store.size, 0)
  t.equal(await next.secret(), 'for-other')
  t.equal(calls.length, 2)
  t.match(store.get('team/pro'), { version: 'uid:2', tokens: { refreshToken: 'other+' } })
})

t.test('a refresh of the old authorisation that ends late does not overwrite the new tokens', async (t) => {
  const { source, credential, store } = await rig(t, ({ body }, reply) => {
    const refreshToken = new URLSearchParams(body).get('refresh_token') ?? ''
    const answer = JSON.stringify({ access_token: `for-${refreshToken}`, expires_in: 3600 })
    setTimeout(() => reply.end(answer), refreshToken === 'other' ? 0 : 50)
  })
  const late = source.open('team/pro', credential).secret()
  await sleep(10)
  const next = source.open('team/pro', { ...credential, version: 'uid:2', refreshToken: 'other' })
  t.equal(await next.secret(), 'for-other')
  t.equal(await late, 'for-refresh-1')
  t.match(store.get('team/pro'), { version: 'uid:2', tokens: { accessToken: 'for-other' } })
})

t.test('R3.6 a rotated token that comes back as a new version of the Secret costs no refresh', async (t) => {
  const { source, credential, calls } = await rig(t, rotatingAnswers(3600))
  await source.open('team/pro', credential).secret()
  const back = source.open('team/pro', { ...credential, version: 'uid:2', refreshToken: 'refresh-2' })
  t.equal(await back.secret(), 'access-1')
  t.equal(calls.length, 1)
})

t.test('R3.6 a Secret that changes elsewhere does not use up the first refresh token twice', async (t) => {
  const { source, credential } = await rig(t, rotatingAnswers(1))
  await source.open('team/pro', credential).secret()
  const changed = source.open('team/pro', { ...credential, version: 'uid:2', scopes: ['more'] })
  await changed.renew?.()
  t.ok(await changed.secret())
})

t.test('R3.6 a new process goes on with the stored tokens of the same version only', async (t) => {
  const { source, credential, store, calls } = await rig(t, rotatingAnswers(3600))
  const tokens = { accessToken: 'stored', expiresAtMs: 1_800_003_600_000, refreshToken: 'refresh-9' }
  store.set('team/pro', { version: 'uid:1', tokens })
  store.set('team/free', { version: 'uid:0', tokens })
  t.equal(await source.open('team/pro', credential).secret(), 'stored')
  t.equal(calls.length, 0)
  t.equal(await source.open('team/free', credential).secret(), 'access-1')
})
