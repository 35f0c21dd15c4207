import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { fetchToken } from '#gateway/upstream/fetch-token.ts'
import { UpstreamPools } from '#gateway/upstream/pools.ts'
import { startTokenServer, type TokenAnswerScript, type TokenCall } from '../../helpers/token-server.ts'

async function call(t: Test, answer: TokenAnswerScript) {
  const { url, calls } = await startTokenServer(t, answer)
  const pools = new UpstreamPools({ privateAddresses: 'Allow' })
  t.teardown(() => pools.close())
  const reply = fetchToken(pools.ofTokenEndpoint(url, undefined), {
    url,
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  return { reply, calls }
}

t.test('a token request is a POST with its headers and query, and the reply comes whole', async (t) => {
  const { reply, calls } = await call(t, (_call, response) => response.writeHead(418, { 'x-a': '1' }).end('body'))
  t.match(await reply, { status: 418, headers: { 'x-a': '1' }, body: 'body' })
  const [asked]: TokenCall[] = calls
  t.equal(asked?.path, '/oauth/token?tenant=1')
  t.equal(asked?.body, '{}')
  t.equal(asked?.headers['accept-encoding'], 'identity')
})

t.test('a redirect is not followed', async (t) => {
  const { reply, calls } = await call(t, (_call, response) => response.writeHead(307, { location: '/else' }).end())
  t.match(await reply, { status: 307 })
  t.equal(calls.length, 1)
})

t.test('a reply larger than 64 KiB is refused', async (t) => {
  const { reply } = await call(t, (_call, response) => response.end('x'.repeat(65_537)))
  await t.rejects(reply, { message: 'the token endpoint answered with more than 65536 bytes' })
})

t.test('a compressed reply is refused', async (t) => {
  const { reply } = await call(t, (_call, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{}')),
  )
  await t.rejects(reply, { message: 'the token endpoint answered with content-encoding gzip' })
})

t.test('a reply that breaks off is an error', async (t) => {
  const { reply } = await call(t, (_call, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('{"access', () => response.destroy())
  })
  await t.rejects(reply)
})
