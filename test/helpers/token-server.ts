import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface TokenCall {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type TokenAnswerScript = (call: TokenCall, reply: ServerResponse) => void

/** An authorisation server on loopback that answers as the test says, and remembers what it was asked. */
export async function startTokenServer(
  t: Test,
  answer: TokenAnswerScript,
): Promise<{ url: string; calls: TokenCall[] }> {
  const calls: TokenCall[] = []
  const server = createServer((request, reply) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const call = { path: request.url ?? '', headers: request.headers, body }
      calls.push(call)
      answer(call, reply)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/oauth/token?tenant=1`, calls }
}

export function answerJson(
  reply: ServerResponse,
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): void {
  reply.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/**
 * Rotates as strict servers do: each refresh token works once (`refresh-1`, `refresh-2`, …, for `access-1`, …), and a used one is
 * answered with `refresh_token_reused`.
 */
export function rotatingAnswers(lifetimeSeconds: number): TokenAnswerScript {
  let generation = 1
  return ({ body }, reply) => {
    const sent = new URLSearchParams(body).get('refresh_token')
    if (sent !== `refresh-${generation}`) {
      answerJson(reply, 400, { error: { code: 'refresh_token_reused', message: 'already used' } })
      return
    }
    const access = `access-${generation}`
    generation += 1
    answerJson(reply, 200, {
      access_token: access,
      refresh_token: `refresh-${generation}`,
      token_type: 'Bearer',
      expires_in: lifetimeSeconds,
    })
  }
}
