import type { Dispatcher } from 'undici'
import type { TokenReply } from '#providers/oauth2/read-token-reply.ts'
import type { TokenRequest } from '#providers/oauth2/token-request.ts'

/** An answer of a token endpoint is a few hundred bytes, a JWT access token some thousand. */
const MAX_REPLY_BYTES = 65_536
const TIMEOUT_MS = 10_000

/**
 * Calls a token endpoint; redirects are answers, not followed, so that a refresh token goes nowhere but where it was configured to.
 * @throws Error when no whole reply came in ten seconds, or one larger than 64 KiB or compressed
 */
export async function fetchToken(dispatcher: Dispatcher, request: TokenRequest): Promise<TokenReply> {
  const { origin, pathname, search } = new URL(request.url)
  const { statusCode, headers, body } = await dispatcher.request({
    origin,
    path: pathname + search,
    method: 'POST',
    headers: { ...request.headers, 'accept-encoding': 'identity' },
    body: request.body,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const text = await readCapped(body)
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    throw new Error(`the token endpoint answered with content-encoding ${String(encoding)}`)
  }
  return { status: statusCode, headers, body: text }
}

async function readCapped(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    // Leaving the loop early destroys the stream and its connection.
    if (size > MAX_REPLY_BYTES) throw new Error(`the token endpoint answered with more than ${MAX_REPLY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
