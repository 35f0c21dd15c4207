import type { Dispatcher } from 'undici'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { ERRORS, type ErrorCode } from '#errors/registry.ts'
import { CHAT_FORMATS } from '#formats/registry.ts'
import type { ServingAccount } from '#gateway/serving-account.ts'
import type { ServingTenant } from '#gateway/serving-table.ts'
import { targetModel } from '#gateway/stages/encode.ts'
import { connectionFailure } from '#gateway/upstream/connection-failure.ts'
import type { UpstreamPools } from '#gateway/upstream/pools.ts'
import type { UpstreamCall, UpstreamTarget } from '#providers/provider.ts'
import { resolveModel } from '#routing/model-access.ts'
import { IMPLIED_GROUP } from '#table/routing-table.ts'

export interface AccountTest {
  readonly namespace: string
  readonly account: string
  readonly provider: string
  readonly result: 'ok' | 'failed'
  /** What was called, e.g. `GET https://api.openai.com/v1/models`. */
  readonly call?: string
  readonly latencyMs?: number
  readonly code?: ErrorCode
  readonly message?: string
}

export interface TestOptions {
  readonly pools: UpstreamPools
  readonly timeoutMs: number
  /** Asks this model for one token, which is billed. Absent: an unbilled call where the provider has one. */
  readonly model?: string
}

interface SmallestCall {
  readonly target: UpstreamTarget
  readonly call: UpstreamCall
  readonly body: string | null
}

const CONNECT_MS = 5_000
const MAX_REPLY_BYTES = 65_536

/** One smallest real call with the account's real credential; whatever goes wrong is told by its code (R12.3). */
export async function testAccount(
  tenant: ServingTenant,
  account: ServingAccount,
  options: TestOptions,
): Promise<AccountTest> {
  const identity = { namespace: account.tenant, account: account.account.name, provider: account.account.provider }
  const startedAt = performance.now()
  try {
    const smallest = smallestCall(tenant, account, options.model)
    const call = `${smallest.target.method} ${smallest.target.url}`
    const failure = await callProvider(account, smallest, options)
    const latencyMs = Math.round(performance.now() - startedAt)
    if (failure === undefined) return { ...identity, result: 'ok', call, latencyMs }
    return { ...identity, result: 'failed', call, latencyMs, ...failure }
  } catch (error) {
    if (!(error instanceof KorProxyError)) throw error
    return { ...identity, result: 'failed', code: error.code, message: error.message }
  }
}

type Found = Pick<AccountTest, 'code' | 'message'>

function smallestCall(
  tenant: ServingTenant,
  { account, provider }: ServingAccount,
  model: string | undefined,
): SmallestCall {
  if (model !== undefined) return chatCall(tenant, { account, provider }, model)
  const target = provider.healthCheck(account)
  if (target === undefined) {
    const message = `ProviderAccount ${account.name}: this provider has no unbilled call; name a model with --model`
    throw new KorProxyError('KP-SYS-516', { message })
  }
  const { pathname } = new URL(target.url)
  const operation = { kind: 'other', method: target.method, path: pathname } as const
  return { target, call: { operation, account, model: '', stream: false, query: '' }, body: null }
}

function chatCall(
  tenant: ServingTenant,
  { account, provider }: Pick<ServingAccount, 'account' | 'provider'>,
  requested: string,
): SmallestCall {
  const group = tenant.tenant.groups[IMPLIED_GROUP]
  const model = resolveModel(account, requested)
  if (group === undefined || model === undefined) {
    throw new KorProxyError('KP-PROV-103', { model: requested, group: account.name })
  }
  const format = provider
    .chatFormats(account, model)
    .map((name) => CHAT_FORMATS[name])
    .find(({ encodeRequest }) => encodeRequest !== undefined)
  if (format?.encodeRequest === undefined) {
    throw new KorProxyError('KP-PROV-113', { provider: provider.name, operation: 'chat' })
  }
  const streamOnly = provider.quirks(account, model).streamOnly === true
  const question = CHAT_FORMATS['openai-chat'].decodeRequest(
    { model, messages: [{ role: 'user', content: 'Say yes.' }], max_tokens: LEAST_TOKENS[format.name] ?? 1 },
    {},
  )
  const { body } = format.encodeRequest(
    { ...question, stream: streamOnly },
    targetModel({ provider, account, group, model, tenant: tenant.tenant }),
  )
  const operation = { kind: 'chat', format: format.name } as const
  const call = { operation, account, model, stream: streamOnly, query: '' }
  return { target: provider.target(call), call, body: JSON.stringify(body) }
}

/** @see https://platform.openai.com/docs/api-reference/responses/create#responses-create-max_output_tokens */
const LEAST_TOKENS: Readonly<Record<string, number>> = { 'openai-responses': 16 }

/** Undefined = the provider answered well. */
async function callProvider(
  account: ServingAccount,
  { target, call, body }: SmallestCall,
  options: TestOptions,
): Promise<Found | undefined> {
  const secret = await account.secret()
  const { origin, pathname, search } = new URL(target.url)
  const dispatcher = options.pools.get({
    origin,
    connectMs: CONNECT_MS,
    idleTimeoutMs: account.account.connections.idleTimeoutMs,
    proxyUrl: account.account.proxyUrl,
    caPem: account.credential.caPem,
  })
  const { provider } = account
  try {
    const reply = await dispatcher.request({
      path: pathname + search,
      origin,
      method: target.method,
      headers: {
        ...provider.defaultHeaders,
        ...(body === null ? {} : { 'content-type': 'application/json' }),
        accept: '*/*',
        'accept-encoding': 'identity',
        ...provider.headers(call, secret),
      },
      body,
      signal: AbortSignal.timeout(options.timeoutMs),
    })
    const text = await readStart(reply.body)
    if (reply.statusCode >= 200 && reply.statusCode < 300) return undefined
    const failed = { status: reply.statusCode, headers: reply.headers, body: text }
    const { code, message } = provider.classifyFailure(failed, Date.now())
    return { code, message: `${ERRORS[code].title}: ${message}` }
  } catch (error) {
    return connectionFault(account.account.name, error, options.timeoutMs)
  }
}

function connectionFault(account: string, error: unknown, timeoutMs: number): Found {
  if (!(error instanceof Error)) throw error
  if (error.name === 'TimeoutError') {
    return { code: 'KP-NET-302', message: new KorProxyError('KP-NET-302', { account, limit: timeoutMs }).message }
  }
  const { code, details } = connectionFailure(error, CONNECT_MS)
  return { code, message: new KorProxyError(code, { account, ...details }).message }
}

async function readStart(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    // A body without encoding gives Buffers.
    const bytes = chunk as Buffer
    chunks.push(bytes)
    size += bytes.length
    // Leaving the loop early destroys the stream and its connection.
    if (size > MAX_REPLY_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, MAX_REPLY_BYTES)
}
