import t, { type Test } from 'tap'
import { startSimulator } from '#simulator/simulator.ts'

async function start(t: Test) {
  let nowMs = 1_800_000_000_000
  const simulator = await startSimulator({ clock: () => nowMs, oauth: { expiresInS: 60 } })
  t.teardown(() => simulator.close())
  const refresh = async (fields: Record<string, string>) => {
    const body = new URLSearchParams({ grant_type: 'refresh_token', ...fields })
    const response = await fetch(`${simulator.url}/oauth/token`, { method: 'POST', body })
    return { status: response.status, headers: response.headers, body: await response.json() }
  }
  const use = async (key: string) => {
    const response = await fetch(`${simulator.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
    return response.status
  }
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { simulator, refresh, use, pass }
}

t.test('R3.6 a refresh gives an access token that lives its time, and a new refresh token', async (t) => {
  const { refresh, use, pass } = await start(t)
  const first = await refresh({ refresh_token: 'rt-start' })
  t.strictSame(first.body, {
    access_token: 'mock-at-1',
    token_type: 'Bearer',
    expires_in: 60,
    refresh_token: 'mock-rt-1',
  })
  t.equal(await use('mock-at-1'), 200)
  t.equal(await use('mock-at-9'), 401)
  pass(60_000)
  t.equal(await use('mock-at-1'), 401)
  t.match(await refresh({ refresh_token: 'mock-rt-1' }), { status: 200, body: { refresh_token: 'mock-rt-2' } })
})

t.test('R3.6 a refresh token used twice revokes its family', async (t) => {
  const { refresh, use, simulator } = await start(t)
  await refresh({ refresh_token: 'rt-start' })
  t.match(await refresh({ refresh_token: 'rt-start' }), { status: 400, body: { error: 'invalid_grant' } })
  t.match(await refresh({ refresh_token: 'mock-rt-1' }), { status: 400, body: { error: 'invalid_grant' } })
  t.equal(await use('mock-at-1'), 401)
  t.strictSame(simulator.stats().oauth, { requests: 3, issued: 1, reused: 1, refused: 2 })
})

t.test('R3.6 rotation can be off, tokens can be bad, expired and refused', async (t) => {
  const { refresh, use, simulator } = await start(t)
  simulator.configureTokens({ rotate: false })
  t.strictSame((await refresh({ refresh_token: 'rt' })).body, {
    access_token: 'mock-at-1',
    token_type: 'Bearer',
    expires_in: 60,
  })
  t.match(await refresh({ refresh_token: 'rt' }), { status: 200 })
  simulator.configureTokens({ expireAll: true })
  t.equal(await use('mock-at-2'), 401)
  t.match(await refresh({ refresh_token: 'bad' }), { status: 400, body: { error: 'invalid_grant' } })
  t.match(await refresh({ refresh_token: 'rt', client_id: 'bad' }), { status: 401, body: { error: 'invalid_client' } })
  t.match(await refresh({ refresh_token: 'rt', grant_type: 'password' }), {
    status: 400,
    body: { error: 'unsupported_grant_type' },
  })
  t.match(await refresh({ grant_type: 'client_credentials' }), { status: 200, body: { access_token: 'mock-at-3' } })
})

t.test('R3.6 a failing token endpoint rotates nothing', async (t) => {
  const { refresh, simulator } = await start(t)
  simulator.script({ match: { path: '/oauth/token' }, times: 1, script: '429r5' })
  simulator.script({ match: { path: '/oauth/token' }, times: 1, script: '500' })
  const limited = await refresh({ refresh_token: 'rt' })
  t.strictSame([limited.status, limited.headers.get('retry-after')], [429, '5'])
  t.equal((await refresh({ refresh_token: 'rt' })).status, 500)
  t.equal((await refresh({ refresh_token: 'rt' })).status, 200)
  t.strictSame(simulator.stats().oauth, { requests: 1, issued: 1, reused: 0, refused: 0 })
})
