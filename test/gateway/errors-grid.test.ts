import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { ERRORS, type ErrorCode } from '#errors/registry.ts'
import { openExchange } from '#gateway/open-exchange.ts'
import { ClientReply } from '#gateway/reply/client-reply.ts'
import { sendError } from '#gateway/reply/render-error.ts'
import type { GatewayRuntime } from '#gateway/runtime.ts'

const GRID = new URL('errors-grid.txt', import.meta.url)
// The keys of the registry.
const CODES = Object.keys(ERRORS) as ErrorCode[]
const PATHS = {
  openai: '/v1/chat/completions',
  anthropic: '/v1/messages',
  gemini: '/v1beta/models/m:generateContent',
  ollama: '/api/chat',
} as const
type Family = keyof typeof PATHS
// As above.
const FAMILIES = Object.keys(PATHS) as Family[]

/** A server that answers every request with the error at hand, as the gateway would. */
async function errorServer(t: Test): Promise<(family: Family, error: KorProxyError) => Promise<Response>> {
  let error = new KorProxyError('KP-SYS-500')
  // All that an error needs of the runtime.
  const runtime = {
    now: () => 0,
    monotonic: () => 0,
    options: { docsUrl: 'https://docs.test' },
  } as unknown as GatewayRuntime
  const server = createServer((request, reply) => {
    const exchange = openExchange(runtime, request, reply)
    sendError(runtime, exchange, new ClientReply(exchange, { draining: false }), error)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo
  return (family, given) => {
    error = given
    return fetch(`http://127.0.0.1:${port}${PATHS[family]}`, {
      method: 'POST',
      headers: { 'x-correlation-id': 'corr-1' },
      body: '{}',
    })
  }
}

/** The words by which clients of a family decide. */
function wordsOf(family: Family, body: unknown): string {
  // The shapes are what the grid shows.
  const { error } = body as { error: Record<string, unknown> | string }
  if (typeof error === 'string') return '-'
  if (family === 'gemini') return String(error['status'])
  return family === 'anthropic' ? String(error['type']) : `${String(error['type'])}/${String(error['code'])}`
}

t.test('R8.2 the status and the words of every code in every family are those of the grid', async (t) => {
  const ask = await errorServer(t)
  const lines: string[] = []
  for (const code of CODES) {
    const cells: string[] = []
    for (const family of FAMILIES) {
      const reply = await ask(family, new KorProxyError(code))
      cells.push(`${reply.status} ${wordsOf(family, await reply.json())}`)
    }
    const retry = (await ask('openai', new KorProxyError(code))).headers.get('x-should-retry')
    lines.push(`${code} | ${cells.join(' | ')} | ${retry === 'true' ? 'retry' : 'no retry'}`)
  }
  const text = `code | ${FAMILIES.join(' | ')} | x-should-retry\n${lines.join('\n')}\n`
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GRID, text)
  t.equal(text, readFileSync(GRID, 'utf8'))
})

t.test('R8.2 every error is JSON with its code, correlation id and page', async (t) => {
  const ask = await errorServer(t)
  for (const code of CODES) {
    for (const family of FAMILIES) {
      const reply = await ask(family, new KorProxyError(code))
      t.equal(reply.headers.get('content-type'), 'application/json', `${code} ${family}`)
      t.equal(reply.headers.get('x-korproxy-error'), code, `${code} ${family}`)
      t.equal(reply.headers.get('x-correlation-id'), 'corr-1', `${code} ${family}`)
      const text = await reply.text()
      t.equal(reply.headers.get('content-length'), String(Buffer.byteLength(text)))
      for (const part of [code, 'corr-1', ...(family === 'ollama' ? [] : [`https://docs.test/errors/${code}`])]) {
        t.ok(text.includes(part), `${code} ${family} has ${part}: ${text}`)
      }
    }
  }
})

t.test('R2.4 R8.2 Retry-After is the truth in whole seconds, and never stands beside a spent quota', async (t) => {
  const ask = await errorServer(t)
  const hints = async (code: ErrorCode, retryAfterMs: number) => {
    const { headers } = await ask('openai', new KorProxyError(code, {}, { retryAfterMs }))
    return `${headers.get('retry-after')} ${headers.get('x-should-retry')}`
  }
  t.equal(await hints('KP-PROV-110', 1), '1 true')
  t.equal(await hints('KP-PROV-110', 2_001), '3 true')
  t.equal(await hints('KP-PROV-110', 60_000), '60 true')
  t.equal(await hints('KP-PROV-110', 60_001), '61 false', 'an SDK would sleep all that time')
  t.equal(await hints('KP-PROV-110', 3_600_000), '3600 false')
  t.equal(await hints('KP-SYS-501', 1_000), '1 true')
  t.equal(await hints('KP-SYS-502', 0), '1 true')
  t.equal(await hints('KP-PROV-108', 30_000), 'null false')
  t.equal(await hints('KP-RATE-401', 30_000), 'null false')
  t.equal(await hints('KP-RATE-400', 30_000), '30 true')
})

t.test("R8.2 a provider's own status is kept where the fault is the request's", async (t) => {
  const ask = await errorServer(t)
  for (const family of FAMILIES) {
    const reply = await ask(family, new KorProxyError('KP-PROV-104', { message: 'no' }, { status: 422 }))
    t.equal(reply.status, 422, family)
  }
})
