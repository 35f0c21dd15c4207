import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { CHAT_ANSWER } from './chat-answer.ts'

/** A provider that counts connections, and never closes one by itself. */
export interface CountingUpstream {
  readonly url: string
  /** Connections now. */
  open(): number
  /** Connections since the start. */
  accepted(): number
  /** Answers that wait for `release`. */
  held(): number
  /** Answers what waits. */
  release(): void
}

const CHUNK = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini' }
const FIRST_CHUNK = {
  ...CHUNK,
  choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }],
}
const LAST_CHUNK = { ...CHUNK, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }

const event = (content: object): string => `data: ${JSON.stringify(content)}\n\n`

/** Answers chat requests. Of a stream the first event goes out at once; the rest, as whole replies, when they are released. */
export async function startCountingUpstream(
  t: Test,
  tls?: { readonly cert: string; readonly key: string },
): Promise<CountingUpstream> {
  const waiting: (() => void)[] = []
  const answer: RequestListener = async (request, reply) => {
    const { stream } = JSON.parse(await text(request))
    if (stream === true) {
      reply.writeHead(200, { 'content-type': 'text/event-stream' }).write(event(FIRST_CHUNK))
      waiting.push(() => reply.end(`${event(LAST_CHUNK)}data: [DONE]\n\n`))
    } else {
      waiting.push(() => reply.writeHead(200, { 'content-type': 'application/json' }).end(CHAT_ANSWER))
    }
  }
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)
  const { port, connections } = await listen(t, server)
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    open: () => connections.open.size,
    accepted: () => connections.accepted,
    held: () => waiting.length,
    release: () => {
      for (const send of waiting.splice(0)) send()
    },
  }
}

/** An HTTP proxy: tunnels what asks for a tunnel, and forwards other requests over a connection each. */
export async function startCountingProxy(t: Test): Promise<Pick<CountingUpstream, 'url' | 'open' | 'accepted'>> {
  const forward = async (request: IncomingMessage, reply: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '' } = request
    const answer = await fetch(url, { method, headers: { connection: 'close' }, body: await text(request) })
    reply.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
    reply.end(Buffer.from(await answer.arrayBuffer()))
  }
  const server = createServer((request, reply) => void forward(request, reply))
  server.on('connect', ({ url = '' }: IncomingMessage, socket: Socket) => {
    const { hostname, port } = new URL(`http://${url}`)
    const target = connect(Number(port), hostname, () => socket.write('HTTP/1.1 200 Connection Established\r\n\r\n'))
    socket.pipe(target).pipe(socket)
    socket.on('error', () => target.destroy())
    target.on('error', () => socket.destroy())
  })
  const { port, connections } = await listen(t, server)
  return {
    url: `http://127.0.0.1:${port}`,
    open: () => connections.open.size,
    accepted: () => connections.accepted,
  }
}

interface Connections {
  readonly open: Set<Socket>
  accepted: number
}

async function listen(t: Test, server: Server): Promise<{ port: number; connections: Connections }> {
  const connections: Connections = { open: new Set(), accepted: 0 }
  server.keepAliveTimeout = 600_000
  server.on('connection', (socket: Socket) => {
    connections.open.add(socket)
    connections.accepted += 1
    socket.once('close', () => connections.open.delete(socket))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    for (const socket of connections.open) socket.destroy()
  })
  // A server that listens on a port has an address of this kind.
  return { port: (server.address() as AddressInfo).port, connections }
}
