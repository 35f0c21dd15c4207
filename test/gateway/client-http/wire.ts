import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo, Server as NetServer, Socket } from 'node:net'
import type { Test } from 'tap'
import { ClientListener } from '#gateway/client-http/client-listener.ts'
import type { HttpReply, HttpRequest } from '#gateway/client-http/http-exchange.ts'
import { openSocket } from '../../helpers/raw-socket.ts'

export type ServedBy = 'plain' | 'node'
export type Handler = (request: HttpRequest, reply: HttpReply, by: ServedBy) => void

const PATIENCE_MS = 3_000
const HEAD_END = '\r\n\r\n'

export async function listen(t: Test, server: NetServer): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  // A server that listens on a port has an address of this kind.
  return (server.address() as AddressInfo).port
}

export interface Listening {
  readonly clients: ClientListener
  readonly port: number
}

/** The same handler for both readers. */
export async function startListener(t: Test, handler: Handler): Promise<Listening> {
  const clients = new ClientListener((request, reply) => handler(request, reply, 'node'), {
    serves: ({ url = '' }) => !url.startsWith('/own/'),
    serve: (request, reply) => handler(request, reply, 'plain'),
  })
  const port = await listen(t, clients.server)
  t.teardown(() => clients.closeAll())
  return { clients, port }
}

/** Node alone, with what a listener for clients sets. */
export async function startNode(t: Test, onRequest: RequestListener): Promise<number> {
  const server = createServer({ insecureHTTPParser: false, maxHeaderSize: 65_536, keepAliveTimeout: 75_000 }, onRequest)
  server.maxHeadersCount = 0
  t.teardown(() => server.closeAllConnections())
  return listen(t, server)
}

export interface Echoed {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Latin-1. */
  readonly body: string
}

export const echo: Handler = (request, reply, by) => {
  const { method, url, headers } = request
  readBody(request, (body) => sendText(reply, 200, JSON.stringify({ method, url, headers, body }), by))
}

/** As an `HttpRequest` allows: a chunk that is the whole body is kept as it is, others are copied. */
export function readBody(request: HttpRequest, onBody: (body: string) => void): void {
  const declared = Number(request.headers['content-length'])
  const chunks: Buffer[] = []
  request.on('data', (chunk) => {
    chunks.push(chunk.length === declared ? chunk : Buffer.from(chunk))
  })
  // Not before the listeners have returned, so that a chunk given back too early is seen.
  request.on('end', () => process.nextTick(() => onBody(Buffer.concat(chunks).toString('latin1'))))
}

export function sendText(reply: HttpReply, status: number, text: string, by: ServedBy): void {
  reply.writeHead(status, ['content-length', String(Buffer.byteLength(text)), 'x-served-by', by])
  reply.end(text)
}

export interface WireReply {
  readonly status: number
  /** Lower-case names; one that came twice has both values. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Undefined: the body is not chunked. */
  readonly chunkSizes: readonly number[] | undefined
}

/** A client that reads replies by the letter: what is not framed rightly throws. */
export class Wire {
  readonly socket: Socket
  #bytes: Buffer = Buffer.alloc(0)
  #isClosed = false
  #changed = Promise.withResolvers<void>()

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#change()
    })
    for (const event of ['end', 'error', 'close'] as const) {
      socket.on(event, () => {
        this.#isClosed = true
        this.#change()
      })
    }
  }

  static async connect(t: Test, port: number): Promise<Wire> {
    const socket = await openSocket(`http://127.0.0.1:${port}`)
    t.teardown(() => socket.destroy())
    return new Wire(socket)
  }

  #change(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  /** Text is Latin-1. */
  write(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** What came and no reply took. */
  get rest(): string {
    return this.#bytes.toString('latin1')
  }

  async reply(): Promise<WireReply> {
    const read = await this.#until(() => {
      const reply = readReply(this.#bytes)
      if (reply === undefined && this.#isClosed) throw new Error(`closed with ${JSON.stringify(this.rest)}`)
      return reply
    })
    this.#bytes = this.#bytes.subarray(read.end)
    return read.reply
  }

  /** The server has ended the connection. */
  async closed(): Promise<void> {
    await this.#until(() => this.#isClosed || undefined)
  }

  /** At least so many bytes wait to be taken. */
  async received(bytes: number): Promise<void> {
    await this.#until(() => (this.#bytes.length >= bytes ? true : undefined))
  }

  async #until<T>(look: () => T | undefined): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      const timeout = Promise.withResolvers<never>()
      const lost = (): void =>
        timeout.reject(new Error(`waited in vain; so far ${JSON.stringify(this.rest.slice(0, 2_000))}`))
      const timer = setTimeout(lost, deadline - Date.now())
      await Promise.race([this.#changed.promise, timeout.promise]).finally(() => clearTimeout(timer))
    }
  }
}

interface Read {
  readonly reply: WireReply
  readonly end: number
}

/** Undefined: the reply is not whole. */
function readReply(bytes: Buffer): Read | undefined {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd === -1) return undefined
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) [A-Z][A-Za-z -]*$/.exec(statusLine)?.[1])
  if (Number.isNaN(status)) throw new Error(`status line ${JSON.stringify(statusLine)}`)
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const [, name = '', value = ''] = /^([A-Za-z0-9-]+): ([^\r\n]*)$/.exec(line) ?? []
    if (name === '') throw new Error(`header line ${JSON.stringify(line)}`)
    const key = name.toLowerCase()
    headers[key] = headers[key] === undefined ? value : `${headers[key]} | ${value}`
  }
  const start = headEnd + HEAD_END.length
  const body = readReplyBody(bytes, start, { status, headers })
  if (body === undefined) return undefined
  const { content, chunkSizes, end } = body
  return { reply: { status, headers, body: content, chunkSizes }, end }
}

interface ReadBody {
  readonly content: Buffer
  readonly chunkSizes: readonly number[] | undefined
  readonly end: number
}

function readReplyBody(
  bytes: Buffer,
  start: number,
  { status, headers }: Pick<WireReply, 'status' | 'headers'>,
): ReadBody | undefined {
  const length = headers['content-length']
  const encoding = headers['transfer-encoding']
  if (status < 200 || status === 204 || status === 304) {
    if (encoding !== undefined) throw new Error(`${status} with a transfer-encoding`)
    return { content: Buffer.alloc(0), chunkSizes: undefined, end: start }
  }
  if ((length === undefined) === (encoding === undefined)) throw new Error('not exactly one framing')
  if (encoding !== undefined) return readChunks(bytes, start, encoding)
  if (!/^\d+$/.test(length ?? '')) throw new Error(`content-length ${length}`)
  const end = start + Number(length)
  return end > bytes.length ? undefined : { content: bytes.subarray(start, end), chunkSizes: undefined, end }
}

function readChunks(bytes: Buffer, start: number, encoding: string): ReadBody | undefined {
  if (encoding !== 'chunked') throw new Error(`transfer-encoding ${encoding}`)
  const chunks: Buffer[] = []
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const line = bytes.toString('latin1', at, lineEnd)
    if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`chunk size ${JSON.stringify(line)}`)
    const size = Number.parseInt(line, 16)
    const end = lineEnd + 2 + size
    if (bytes.length < end + 2) return undefined
    if (bytes.toString('latin1', end, end + 2) !== '\r\n') throw new Error(`no CRLF after a chunk of ${size}`)
    at = end + 2
    if (size === 0) return { content: Buffer.concat(chunks), chunkSizes: chunks.map((chunk) => chunk.length), end: at }
    chunks.push(bytes.subarray(lineEnd + 2, end))
  }
}

export interface Extra {
  readonly path?: string
  /** Whole lines. */
  readonly headers?: string
}

/** In the plainest form, but for what the headers add. Bodies are Latin-1. */
export function post(body: string, { path = '/v1/echo', headers = '' }: Extra = {}): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`
}

export function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
}

/** In chunks of three bytes. */
export function postChunked(body: string, { path = '/v1/echo', headers = '' }: Extra = {}): string {
  const chunks = (body.match(/.{1,3}/gs) ?? []).map((chunk) => `${chunk.length}\r\n${chunk}\r\n`)
  return `POST ${path} HTTP/1.1\r\nHost: a\r\n${headers}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`
}
