import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { createHttpTransport } from '../../../src/gateway/table-client/http-transport.ts'
import { manifestSet, manifests, startClient } from '../../helpers/controller-rig.ts'
import { type HttpsController, startHttpsController } from '../../helpers/https-controller.ts'
import { scratch, waitFor } from '../../helpers/stack.ts'

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

function ask(
  server: HttpsController,
  path: string,
  options: { token?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { token = 'token-gateway-0', body, headers = {} } = options
  return new Promise((resolve, reject) => {
    const call = request(
      `${server.url}${path}`,
      {
        ca: readFileSync(server.authorityPath),
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
      },
      (reply) => {
        const chunks: Buffer[] = []
        reply.on('data', (chunk) => chunks.push(chunk))
        reply.on('end', () =>
          resolve({ status: reply.statusCode, headers: reply.headers, body: Buffer.concat(chunks) }),
        )
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}

const STREAM = '/internal/v1/stream?gateway=gateway-0&formats=1'
const CURRENT = '/internal/v1/current?gateway=gateway-0&formats=1'

t.test('R4.2 nothing is told to whoever is no gateway', async (t) => {
  const server = await startHttpsController(t)
  server.controller.configure(await manifestSet(t, manifests()), { urgent: false, highWater: {} })
  const version = server.controller.published?.version
  const paths = [STREAM, CURRENT, `/internal/v1/snapshots/${version}`, `/internal/v1/snapshots/${version}/credentials`]
  for (const path of paths) {
    for (const token of ['', 'stolen']) {
      const { status, body } = await ask(server, path, { token })
      t.match([status, JSON.parse(body.toString())], [401, { code: 'KP-AUTH-010' }], `${path} ${token}`)
      t.notMatch(body.toString(), /sk-secret/)
    }
  }
  for (const path of ['/internal/v1/ack', '/internal/v1/report']) {
    t.equal((await ask(server, path, { token: 'stolen', body: '{}' })).status, 401)
    t.match(await ask(server, path, { body: '{}' }), { status: 400 })
    t.match(await ask(server, path, { body: '{' }), { status: 400 })
  }
  const foreign = '/internal/v1/stream?gateway=gateway-1&formats=1'
  t.match(JSON.parse((await ask(server, foreign)).body.toString()), {
    code: 'KP-AUTH-010',
    message: /pod gateway-0 speaks for gateway-1/,
  })
})

t.test('R4.2 versions are named by their content and never change', async (t) => {
  const server = await startHttpsController(t)
  t.equal((await ask(server, CURRENT)).status, 503, 'before the first table')
  t.equal((await ask(server, STREAM)).status, 503)
  server.controller.configure(await manifestSet(t, manifests()), { urgent: false, highWater: { Secret: '5' } })
  const version = server.controller.published?.version
  const current = await ask(server, CURRENT)
  t.equal(current.headers.etag, `"${version}"`)
  t.match(JSON.parse(current.body.toString()), { version, urgent: false, highWater: { Secret: '5' } })
  t.equal((await ask(server, CURRENT, { headers: { 'if-none-match': `"${version}"` } })).status, 304)
  const manifest = await ask(server, `/internal/v1/snapshots/${version}`)
  t.match(JSON.parse(manifest.body.toString()), { format: 1, version })
  t.match(manifest.headers['cache-control'], /immutable/)
  const section = await ask(server, `/internal/v1/snapshots/${version}/clients`)
  t.equal(section.headers['content-encoding'], 'gzip')
  t.match(JSON.parse(gunzipSync(section.body).toString()), { clients: { 'default/client-0': { name: 'client-0' } } })
  t.equal((await ask(server, `/internal/v1/snapshots/${version}/passwords`)).status, 404)
  t.equal((await ask(server, `/internal/v1/snapshots/sha256:${'0'.repeat(64)}`)).status, 404)
  t.equal((await ask(server, '/internal/v1/current?gateway=gateway-0&formats=99')).status, 400)
  t.equal((await ask(server, '/internal/v1/current?gateway=gateway-0&formats=x')).status, 400)
})

t.test('R4.5 a gateway whose token is refused serves on', async (t) => {
  let revoked = false
  const server = await startHttpsController(t, {
    review: async (token) =>
      revoked || token !== 'token-gateway-0'
        ? undefined
        : { username: 'system:serviceaccount:korproxy:korproxy-gateway', pod: { name: 'gateway-0', uid: 'u' } },
  })
  server.controller.configure(await manifestSet(t, manifests()), { urgent: false, highWater: {} })
  const rig = await startClient(t, { name: 'gateway-0', transport: await server.transport('gateway-0') })
  await waitFor(
    () => rig.gateway.ready,
    (ready) => ready,
  )
  revoked = true
  await server.stop()
  const next = await server.restart()
  next.configure(await manifestSet(t, manifests({ displayName: 'Renamed' })), { urgent: false, highWater: {} })
  t.match(await waitFor(rig.log, (text) => text.includes('KP-AUTH-010')), /KP-AUTH-010/)
  t.equal(rig.gateway.ready, true)
  t.equal(rig.gateway.registry.find('default', 'a')?.account.displayName, 'Account A')
  t.notMatch(rig.log(), /token-gateway-0/)
})

t.test('R4.2 a gateway trusts no certificate of another authority', async (t) => {
  const server = await startHttpsController(t)
  const other = await startHttpsController(t)
  server.controller.configure(await manifestSet(t, manifests()), { urgent: false, highWater: {} })
  const tokenPath = join(scratch(t), 'token')
  writeFileSync(tokenPath, 'token-gateway-0')
  const session = await createHttpTransport({
    url: server.url,
    gateway: 'gateway-0',
    formats: [1],
    tokenPath,
    authorityPath: other.authorityPath,
    random: () => 0,
    onUnknown: () => {},
  }).connect()
  await t.rejects(session.manifest('sha256:0'), { code: 'KP-SYS-532', message: /certificate/ })
  await session.close()
})
