import { KorProxyError } from '#errors/korproxy-error.ts'
import { CHAT_FORMATS } from '#formats/registry.ts'
import type { UpstreamCall, UpstreamTarget } from '#providers/provider.ts'
import { resolveModel } from '#routing/model-access.ts'
import { IMPLIED_GROUP } from '#table/routing-table.ts'
import { ReplyTimeout, wholeReply } from './provider-http/whole-reply.ts'
import type { ServingAccount } from './serving-account.ts'
import type { ServingTenant } from './serving-table.ts'
import { secretOf } from './stages/account-secret.ts'
import { targetModel } from './stages/encode.ts'
import type { AttemptFailure } from './upstream/attempt-result.ts'
import { AttemptTimeout, connectionFailure } from './upstream/connection-failure.ts'
import type { UpstreamPools } from './upstream/pools.ts'

/** A request that shows whether an account works, at the least cost. */
export interface SmallestCall {
  readonly target: UpstreamTarget
  readonly call: UpstreamCall
  readonly body: string | null
}

interface CallOptions {
  readonly pools: UpstreamPools
  readonly timeoutMs: number
  /** Unix time, milliseconds. */
  readonly nowMs: number
}

const CONNECT_MS = 5_000
const MAX_REPLY_BYTES = 65_536
/** @see https://platform.openai.com/docs/api-reference/responses/create#responses-create-max_output_tokens */
const LEAST_TOKENS: Readonly<Record<string, number>> = { 'openai-responses': 16 }

/**
 * Asks for something unbilled, or this model for one token.
 * @throws KorProxyError KP-PROV-103 and KP-PROV-113 for a model that cannot be asked, KP-SYS-516 where nothing is unbilled
 */
export function smallestCall(tenant: ServingTenant, serving: ServingAccount, model: string | undefined): SmallestCall {
  if (model !== undefined) return chatCall(tenant, serving, model)
  const { account, provider } = serving
  const target = provider.healthCheck(account)
  if (target === undefined) {
    const message = `ProviderAccount ${account.name}: this provider has no unbilled call; name a model`
    throw new KorProxyError('KP-SYS-516', { message })
  }
  const { pathname } = new URL(target.url)
  const operation = { kind: 'other', method: target.method, path: pathname } as const
  return { target, call: { operation, account, model: '', stream: false, query: '' }, body: null }
}

function chatCall(tenant: ServingTenant, { account, provider }: ServingAccount, requested: string): SmallestCall {
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
    targetModel({ provider, account, group, model, tenant }),
  )
  const operation = { kind: 'chat', format: format.name } as const
  const call = { operation, account, model, stream: streamOnly, query: '' }
  return { target: provider.target(call), call, body: JSON.stringify(body) }
}

/** Makes the call with the account's real credential. Undefined = the provider answered well. */
export async function makeSmallestCall(
  account: ServingAccount,
  { target, call, body }: SmallestCall,
  { pools, timeoutMs, nowMs }: CallOptions,
): Promise<AttemptFailure | undefined> {
  const secret = await secretOf(account)
  if (typeof secret === 'object') return secret.failure
  const { provider } = account
  const { origin, pathname, search } = new URL(target.url)
  const pool = pools.get({
    origin,
    connectMs: CONNECT_MS,
    idleTimeoutMs: account.account.connections.idleTimeoutMs,
    proxyUrl: account.account.proxyUrl,
    caPem: account.credential.caPem,
  })
  try {
    const headers = {
      ...provider.defaultHeaders,
      ...(body === null ? {} : { 'content-type': 'application/json' }),
      accept: '*/*',
      'accept-encoding': 'identity',
      ...provider.headers(call, secret),
    }
    const reply = await wholeReply(
      pool,
      {
        method: target.method,
        path: pathname + search,
        headers: Object.entries(headers).flat(),
        body: body === null ? undefined : Buffer.from(body),
      },
      { timeoutMs, maxBytes: MAX_REPLY_BYTES },
    )
    if (reply.status >= 200 && reply.status < 300) return undefined
    return provider.classifyFailure({ ...reply, body: reply.body.toString('utf8') }, nowMs)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const reason = error instanceof ReplyTimeout ? new AttemptTimeout('first-byte', timeoutMs) : error
    return connectionFailure(reason, CONNECT_MS)
  }
}
