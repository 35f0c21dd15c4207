import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions, type Server as TlsServer } from 'node:tls'
import t, { type Test } from 'tap'
import { ConnectTimeout, NoConnection } from '#gateway/provider-http/call-error.ts'
import type { ConnectionPool } from '#gateway/provider-http/connection-pool.ts'
import { type DialOptions, dialHost, within } from '#gateway/provider-http/dial.ts'
import { waitFor } from '../../helpers/stack.ts'
import { answer, RawProvider, say } from './raw-provider.ts'
import { openPool, RecordedCall, toLoopback } from './recorded-call.ts'

function certificate(name: string): string {
  return readFileSync(new URL(`../certificates/${name}`, import.meta.url), 'utf8')
}

const AUTHORITY = [certificate('authority.crt')]

interface TlsProvider {
  readonly provider: RawProvider
  /** Of each connection: whether it took up an earlier session. */
  readonly resumed: boolean[]
  /** Of each connection: the name it asked for. */
  readonly names: string[]
}

async function startTls(t: Test, name: string, options: TlsOptions = {}): Promise<TlsProvider> {
  const server: TlsServer = createTlsServer({
    cert: certificate(`${name}.crt`),
    key: certificate(`${name}.key`),
    ...options,
  })
  server.on('tlsClientError', () => {})
  const resumed: boolean[] = []
  const names: string[] = []
  server.on('secureConnection', (socket) => {
    resumed.push(socket.isSessionReused())
    names.push(socket.servername || '')
  })
  const provider = await RawProvider.over(t, server, ({ socket }) => say(socket, answer('ok', 'connection: close\r\n')))
  return { provider, resumed, names }
}

function poolTo(t: Test, url: string, options: Partial<DialOptions> & { connectMs?: number } = {}): ConnectionPool {
  const { connectMs = 5_000, ...others } = options
  const dial = within(connectMs, dialHost(new URL(url), { lookup: toLoopback, ca: AUTHORITY, ...others }))
  return openPool(t, url, { dial })
}

/** The code of the innermost cause. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if (error.cause !== undefined) return codeOf(error.cause)
  return 'code' in error ? String(error.code) : error.message
}

t.test('a certificate of an authority that is trusted is taken', async (t) => {
  const { provider } = await startTls(t, 'good')
  const pool = poolTo(t, `https://127.0.0.1:${provider.port}`)
  t.equal((await RecordedCall.send(pool).over).outcome, '200 ok')
})

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`a later connection takes up the session of the first (${maxVersion})`, async (t) => {
    const { provider, resumed } = await startTls(t, 'good', { maxVersion })
    const pool = poolTo(t, `https://127.0.0.1:${provider.port}`)
    for (let at = 0; at < 4; at += 1) t.equal((await RecordedCall.send(pool).over).outcome, '200 ok')
    t.strictSame(resumed, [false, true, true, true])
  })

  const FAULTS: [string, string, Partial<DialOptions>][] = [
    ['expired', 'CERT_HAS_EXPIRED', {}],
    ['wrong-name', 'ERR_TLS_CERT_ALTNAME_INVALID', {}],
    ['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT', {}],
    ['good', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', { ca: undefined }],
    ['good', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', { ca: [certificate('self-signed.crt')] }],
  ]
  for (const [name, code, options] of FAULTS) {
    t.test(`certificate ${name}: ${code}, however often it is tried (${maxVersion})`, async (t) => {
      const { provider } = await startTls(t, name, { maxVersion })
      const pool = poolTo(t, `https://127.0.0.1:${provider.port}`, options)
      for (let at = 0; at < 3; at += 1) {
        const call = await RecordedCall.send(pool).over
        t.type(call.error, NoConnection)
        t.equal(codeOf(call.error), code)
        t.strictSame(call.told, ['begun', 'failed'])
      }
      t.equal(provider.asked.length, 0)
      t.equal(await provider.hasOpen(0), 0)
    })
  }
}

t.test('a name is asked for with TLS, an address is not', async (t) => {
  const { provider, names } = await startTls(t, 'self-signed')
  const ca = [certificate('self-signed.crt')]
  for (const host of ['localhost', '127.0.0.1']) {
    const pool = poolTo(t, `https://${host}:${provider.port}`, { ca })
    t.equal((await RecordedCall.send(pool).over).outcome, '200 ok', host)
  }
  t.strictSame(names, ['localhost', ''])
  t.match(provider.asked[0]?.head, `host: localhost:${provider.port}\r\n`)
})

t.test(
  'a certificate for another name than the one asked for is refused, also when it was good for the first',
  async (t) => {
    const { provider } = await startTls(t, 'self-signed')
    const pool = poolTo(t, `https://other.example:${provider.port}`, { ca: [certificate('self-signed.crt')] })
    t.equal(codeOf((await RecordedCall.send(pool).over).error), 'ERR_TLS_CERT_ALTNAME_INVALID')
    t.equal(await provider.hasOpen(0), 0)
  },
)

const NO_TLS: Readonly<Record<string, [(socket: Socket) => void, string]>> = {
  'HTTP without TLS': [(socket) => say(socket, 'HTTP/1.1 400 Bad Request\r\n\r\n'), 'ERR_SSL_WRONG_VERSION_NUMBER'],
  'a reset': [(socket) => socket.resetAndDestroy(), 'ECONNRESET'],
  'its end': [(socket) => socket.end(), 'ECONNRESET'],
}
for (const [title, [reply, code]] of Object.entries(NO_TLS)) {
  t.test(`${title} where TLS is expected is no connection`, async (t) => {
    const provider = await RawProvider.start(t, () => {})
    provider.server.on('connection', (socket) => socket.once('data', () => reply(socket)))
    const call = await RecordedCall.send(poolTo(t, `https://127.0.0.1:${provider.port}`)).over
    t.type(call.error, NoConnection)
    t.equal(codeOf(call.error), code)
    t.strictSame(call.told, ['begun', 'failed'])
    t.equal(await provider.hasOpen(0), 0)
  })
}

t.test('TLS that is never answered is given up after the time there is to connect', async (t) => {
  const provider = await RawProvider.start(t, () => {})
  const call = await RecordedCall.send(poolTo(t, `https://127.0.0.1:${provider.port}`, { connectMs: 50 })).over
  t.type(call.error, ConnectTimeout)
  t.equal(call.outcome, 'ConnectTimeout: no connection after 50 ms')
  t.strictSame(call.told, ['begun', 'failed'])
  t.equal(provider.sockets.length, 1)
  t.equal(await provider.hasOpen(0), 0)
})

t.test('whoever gives up while TLS is agreed upon closes the connection, and hears nothing else', async (t) => {
  const provider = await RawProvider.start(t, () => {})
  const call = RecordedCall.send(poolTo(t, `https://127.0.0.1:${provider.port}`, { connectMs: 500 }))
  t.equal(await provider.hasOpen(1), 1)
  call.control.abort(new Error('given up'))
  t.equal(await provider.hasOpen(0), 0)
  await new Promise((resolve) => setTimeout(resolve, 600))
  t.equal((await call.over).outcome, 'Error: given up')
  t.strictSame(call.told, ['begun', 'failed'])
})

t.test('a dial that is given up tells nobody anything', async (t) => {
  const provider = await RawProvider.start(t, () => {})
  const told: unknown[] = []
  for (const scheme of ['http', 'https']) {
    const dial = dialHost(new URL(`${scheme}://127.0.0.1:${provider.port}`), { lookup: toLoopback, ca: AUTHORITY })
    const giveUp = dial((result) => told.push(result))
    if (scheme === 'https') t.equal(await provider.hasOpen(1), 1)
    giveUp()
    t.equal(await provider.hasOpen(0), 0)
    within(
      50,
      dialHost(new URL(`${scheme}://127.0.0.1:1`), { lookup: toLoopback, ca: undefined }),
    )((result) => told.push(result))()
  }
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.strictSame(told, [])
})

t.test('whoever gives up while a name is resolved connects to nothing', async (t) => {
  const provider = await RawProvider.start(t, () => {})
  let resolveName = (): void => {}
  const lookup: DialOptions['lookup'] = (name, options, callback) => {
    resolveName = () => toLoopback(name, options, callback)
  }
  for (const scheme of ['http', 'https']) {
    const call = RecordedCall.send(poolTo(t, `${scheme}://provider.example:${provider.port}`, { lookup }))
    await new Promise(setImmediate)
    call.control.abort(new Error('given up'))
    resolveName()
    await new Promise((resolve) => setTimeout(resolve, 20))
    t.strictSame(call.told, ['begun', 'failed'])
  }
  t.equal(provider.sockets.length, 0)
})

t.test('a name that does not resolve is no connection', async (t) => {
  const lookup: DialOptions['lookup'] = (_name, _options, callback) => {
    callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '', 0)
  }
  for (const scheme of ['http', 'https']) {
    const call = await RecordedCall.send(poolTo(t, `${scheme}://provider.example:1`, { lookup })).over
    t.type(call.error, NoConnection)
    t.equal(codeOf(call.error), 'ENOTFOUND')
  }
})

t.test('of a name with two addresses the second is taken where the first refuses', async (t) => {
  const provider = await RawProvider.start(t, ({ socket }) => say(socket, answer('ok')))
  const lookup: DialOptions['lookup'] = (_name, { all }, callback) => {
    const addresses = ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }))
    if (all === true) callback(null, addresses)
    else callback(null, '127.0.0.2', 4)
  }
  const pool = poolTo(t, `http://provider.example:${provider.port}`, { lookup })
  t.equal((await RecordedCall.send(pool).over).outcome, '200 ok')
  t.match(provider.asked[0]?.head, `host: provider.example:${provider.port}\r\n`)
})

t.test('where all addresses of a name refuse, the error says so', async (t) => {
  const provider = await RawProvider.start(t, () => {})
  const lookup: DialOptions['lookup'] = (_name, _options, callback) => {
    callback(null, [
      { address: '127.0.0.2', family: 4 },
      { address: '127.0.0.3', family: 4 },
    ])
  }
  const call = await RecordedCall.send(poolTo(t, `http://provider.example:${provider.port}`, { lookup })).over
  t.type(call.error, NoConnection)
  t.match(call.error?.cause, { code: 'ECONNREFUSED' })
  t.strictSame(call.told, ['begun', 'failed'])
})

t.test('an IPv6 address stands in brackets in a URL and a host header, nowhere else', async (t) => {
  const provider = await RawProvider.start(t, ({ socket }) => say(socket, answer('ok')), '::1')
  const pool = poolTo(t, `http://[::1]:${provider.port}`)
  t.equal((await RecordedCall.send(pool).over).outcome, '200 ok')
  t.match(provider.asked[0]?.head, `host: [::1]:${provider.port}\r\n`)
})

t.test('a connection that is made too late for its call is not kept', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  // A server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo
  const accepted: Socket[] = []
  server.on('connection', (socket) => accepted.push(socket.on('error', () => {}).resume()))
  for (let at = 0; at < 20; at += 1) {
    const call = RecordedCall.send(poolTo(t, `http://127.0.0.1:${port}`))
    if (at % 2 === 0) await new Promise(setImmediate)
    call.control.abort(new Error('given up'))
    t.strictSame(call.told, ['begun', 'failed'])
  }
  const isOpen = (socket: Socket): boolean => !socket.destroyed
  t.equal(
    await waitFor(
      () => accepted.filter(isOpen).length,
      (open) => open === 0,
    ),
    0,
  )
})
