import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { Gateway } from './gateway.ts'
import type { ServingAccount } from './serving-account.ts'

export interface AdminOptions {
  /** Bearer token that reads and writes need. */
  readonly managementToken: string
  readonly now: () => number
  /** Told of every write: who can know is the caller's business. */
  readonly audit: (entry: { readonly action: string; readonly target: string; readonly remoteAddress: string }) => void
  /** Problems of the configuration, for `status`. */
  readonly problems: () => readonly unknown[]
}

/** The first management routes: state of the accounts, and the reset of their health (R2.8). Denied without the token. */
export function addAdminRoutes(app: FastifyInstance, gateway: Gateway, options: AdminOptions): void {
  app.register((admin, _options, done) => {
    admin.addHook('onRequest', async (request) => {
      if (!isAuthorized(request, options.managementToken)) {
        throw new KorProxyError('KP-AUTH-009', { server: request.headers.host ?? '', reason: refusal(request) })
      }
    })
    admin.get('/_korproxy/status', () => ({
      version: gateway.table?.version,
      inFlight: gateway.inFlight,
      draining: gateway.draining,
      problems: options.problems(),
      accounts: [...gateway.registry.all()].map((account) => accountStatus(account, options.now())),
    }))
    admin.post('/_korproxy/health/reset', async (request) => {
      const wanted = await readAccountName(request)
      const reset = resetHealth(gateway, wanted, options.now())
      if (wanted !== undefined && reset.length === 0) {
        throw new KorProxyError('KP-CONF-207', { message: `no account ${wanted}` }, { status: 404 })
      }
      options.audit({ action: 'health.reset', target: wanted ?? '*', remoteAddress: request.ip })
      return { reset }
    })
    done()
  })
}

/** Resets one account, or all; the names of those that were reset. */
function resetHealth(gateway: Gateway, wanted: string | undefined, nowMs: number): string[] {
  const accounts = [...gateway.registry.all()].filter(({ account }) => wanted === undefined || account.name === wanted)
  for (const { health } of accounts) health.reset(nowMs)
  return accounts.map(({ account }) => account.name)
}

/** Compares digests, which have one length: a comparison must not tell how much of a token was right. */
function isAuthorized(request: FastifyRequest, token: string): boolean {
  const given = givenToken(request)
  if (given === undefined) return false
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}

function givenToken({ headers }: FastifyRequest): string | undefined {
  const { authorization, 'x-management-key': management } = headers
  const given = authorization?.startsWith('Bearer ') === true ? authorization.slice(7) : management
  return typeof given === 'string' ? given : undefined
}

function refusal(request: FastifyRequest): string {
  return givenToken(request) === undefined
    ? 'needs its management token, and none was sent; `korproxy serve` keeps it in the file management-token of its --state-dir'
    : 'refused the management token'
}

function accountStatus({ account, tenant, health, inFlight }: ServingAccount, nowMs: number): Record<string, unknown> {
  return {
    namespace: tenant,
    name: account.name,
    provider: account.provider,
    state: account.state,
    inFlight,
    health: health.summary(nowMs),
    score: health.score(nowMs),
    unavailableModels: health.unavailableModels(nowMs),
  }
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unreadableBody(error)
  }
}

function unreadableBody(cause: unknown): KorProxyError {
  return new KorProxyError('KP-SYS-511', { reason: 'expected {"account": "name"}' }, { cause })
}

/** Body `{"account": "name"}`, or none (`{}`) for all. */
async function readAccountName(request: FastifyRequest): Promise<string | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of request.raw) {
    // A request body gives Buffers.
    chunks.push(chunk as Buffer)
    if (chunks.reduce((sum, { length }) => sum + length, 0) > 4_096) break
  }
  const text = Buffer.concat(chunks).toString('utf8')
  if (text.trim() === '') return undefined
  return accountOf(parseBody(text))
}

/** A misspelt wish must not reset what nobody named. @throws KorProxyError KP-SYS-516 */
function accountOf(body: unknown): string | undefined {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    const members: readonly (readonly [string, unknown])[] = Object.entries(body)
    const [name, account] = members[0] ?? []
    if (name === undefined) return undefined
    if (members.length === 1 && name === 'account' && typeof account === 'string') return account
  }
  throw new KorProxyError('KP-SYS-516', { message: 'body: expected {"account": "name"}, or nothing for all accounts' })
}
