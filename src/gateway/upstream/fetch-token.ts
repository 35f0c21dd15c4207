import type { TokenReply } from '#providers/oauth2/read-token-reply.ts'
import type { TokenRequest } from '#providers/oauth2/token-request.ts'
import type { ConnectionPool } from '../provider-http/connection-pool.ts'
import { wholeReply } from '../provider-http/whole-reply.ts'

/** An answer of a token endpoint is a few hundred bytes, a JWT access token some thousand. */
const MAX_REPLY_BYTES = 65_536
const TIMEOUT_MS = 10_000

/**
 * Calls a token endpoint; redirects are answers, not followed, so that a refresh token goes nowhere but where it was configured to.
 * @throws Error when no whole reply came in ten seconds, or one larger than 64 KiB or compressed
 */
export async function fetchToken(pool: ConnectionPool, request: TokenRequest): Promise<TokenReply> {
  const { pathname, search } = new URL(request.url)
  const call = {
    method: 'POST',
    path: pathname + search,
    headers: Object.entries({ ...request.headers, 'accept-encoding': 'identity' }).flat(),
    body: Buffer.from(request.body),
  }
  const reply = await wholeReply(pool, call, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_REPLY_BYTES })
  const { status, headers, body, isCut } = reply
  if (isCut) throw new Error(`the token endpoint answered with more than ${MAX_REPLY_BYTES} bytes`)
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    throw new Error(`the token endpoint answered with content-encoding ${String(encoding)}`)
  }
  return { status, headers, body: body.toString('utf8') }
}
