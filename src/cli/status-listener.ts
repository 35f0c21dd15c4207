import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StatusListenerOptions {
  readonly host: string
  readonly port: number
  /** `undefined` = ready; else why not. */
  readonly notReady: () => string | undefined
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
}

export interface StatusListener {
  readonly port: number
  close(): Promise<void>
}

/** Probes and metrics, on a listener of their own: no client of the service reaches them. */
export async function startStatusListener(options: StatusListenerOptions): Promise<StatusListener> {
  const server = createServer((request, reply) => {
    answer(request.url ?? '', reply, options).catch((error: unknown) => {
      reply.writeHead(500).end(error instanceof Error ? error.message : 'failed')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return {
    // It listens on TCP.
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(url: string, reply: ServerResponse, options: StatusListenerOptions): Promise<void> {
  switch (url.split('?')[0]) {
    case '/livez':
      return send(reply, 200, { status: 'ok' })
    case '/readyz': {
      const reason = options.notReady()
      return reason === undefined ? send(reply, 200, { status: 'ok' }) : send(reply, 503, { status: reason })
    }
    case '/metrics': {
      const { contentType, text } = await options.metrics()
      reply.writeHead(200, { 'content-type': contentType }).end(text)
      return
    }
    default:
      return send(reply, 404, { status: 'no such path' })
  }
}

function send(reply: ServerResponse, status: number, body: object): void {
  reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
