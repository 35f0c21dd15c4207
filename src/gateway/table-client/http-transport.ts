import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import type { LookupFunction } from 'node:net'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Agent, type Dispatcher, request as send } from 'undici'
import { KorProxyError, type KorProxyErrorOptions } from '#errors/korproxy-error.ts'
import { SseSplitter } from '#formats/sse/event-splitter.ts'
import {
  type GatewayAck,
  type GatewayReport,
  readNotice,
  readStreamEvent,
  type SnapshotNotice,
} from '#table/messages.ts'
import { MAX_SNAPSHOT_BYTES } from '#table/snapshot.ts'
import type { SectionName } from '#table/table-formats.ts'
import type { ControllerSession, ControllerTransport, StreamListener } from './controller-transport.ts'

const CONNECT_MS = 3_000
const ANSWER_MS = 10_000
/** How much longer than it was asked to wait an answer may take. */
const WAIT_GRACE_MS = 5_000
const MAX_ANSWER_BYTES = 1024 * 1024

const decompress = promisify(gunzip)

export interface HttpTransportOptions {
  /** e.g. `https://korproxy-controller.korproxy.svc:8443`. */
  readonly url: string
  /** Pod. */
  readonly gateway: string
  readonly formats: readonly number[]
  /** File with the token of this pod; it rotates. */
  readonly tokenPath: string
  /** File with the authorities of the controllers; it may change. */
  readonly authorityPath: string
  /** 0 ≤ x < 1 */
  readonly random: () => number
  readonly onUnknown: (what: string) => void
}

/**
 * Reaches controllers over HTTP/1.1 and TLS. Behind a headless Service each session picks one of the addresses and stays there, so that
 * what a controller announces is fetched from that same controller.
 */
export function createHttpTransport(options: HttpTransportOptions): ControllerTransport {
  return {
    connect: async () => {
      try {
        const { hostname } = new URL(options.url)
        const addresses = await lookup(hostname, { all: true })
        const chosen = addresses[Math.floor(options.random() * addresses.length)]
        if (chosen === undefined) throw new Error(`${hostname} has no address`)
        const authorities = await readFile(options.authorityPath, 'utf8')
        const pinned: LookupFunction = (_name, { all }, done) =>
          all === true ? done(null, [chosen]) : done(null, chosen.address, chosen.family)
        return new HttpSession(
          options,
          new Agent({
            allowH2: false,
            connections: 8,
            connect: { ca: authorities, timeout: CONNECT_MS, lookup: pinned, keepAlive: true },
          }),
        )
      } catch (cause) {
        throw unreachable('connect', cause)
      }
    },
  }
}

interface Call {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
  readonly answerMs?: number
  readonly bodyMs?: number
  readonly signal?: AbortSignal
}

class HttpSession implements ControllerSession {
  readonly #options: HttpTransportOptions
  readonly #agent: Agent

  constructor(options: HttpTransportOptions, agent: Agent) {
    this.#options = options
    this.#agent = agent
  }

  async stream(listener: StreamListener, signal: AbortSignal): Promise<void> {
    const query = this.#introduction()
    const { body } = await this.#send({ path: '/internal/v1/stream', query, signal, bodyMs: 0 })
    const splitter = new SseSplitter()
    try {
      for await (const chunk of body) {
        listener.alive()
        // A response body gives Buffers.
        for (const { frame } of splitter.push(chunk as Buffer)) {
          if (frame !== undefined) this.#take(frame.event ?? '', frame.data, listener)
        }
      }
    } catch (cause) {
      if (!signal.aborted) throw unreachable('stream', cause)
    }
  }

  async manifest(version: string): Promise<unknown> {
    const { body } = await this.#send({ path: `/internal/v1/snapshots/${version}` })
    return parse(await readAll(body, MAX_ANSWER_BYTES), 'manifest')
  }

  async section(version: string, name: SectionName, maxBytes: number): Promise<string> {
    const { body } = await this.#send({ path: `/internal/v1/snapshots/${version}/${name}` })
    const limit = Math.min(maxBytes, MAX_SNAPSHOT_BYTES)
    try {
      // Gzip makes nothing larger but by its frame.
      const bytes = await decompress(await readAll(body, limit + 4_096), { maxOutputLength: Math.max(limit, 1) })
      return bytes.toString('utf8')
    } catch (cause) {
      if (cause instanceof KorProxyError) throw cause
      // Cut short, no gzip, or more than the manifest says.
      throw altered(version, cause)
    }
  }

  async current(has: string | undefined, waitMs: number, signal: AbortSignal): Promise<SnapshotNotice | undefined> {
    const wait: Record<string, string> = waitMs > 0 ? { wait: `${Math.floor(waitMs / 1_000)}s` } : {}
    const { statusCode, body } = await this.#send({
      path: '/internal/v1/current',
      query: { ...this.#introduction(), ...wait },
      headers: has === undefined ? {} : { 'if-none-match': `"${has}"` },
      answerMs: waitMs + ANSWER_MS,
      bodyMs: WAIT_GRACE_MS,
      signal,
    })
    const text = await readAll(body, MAX_ANSWER_BYTES)
    if (statusCode === 304) return undefined
    const received = readNotice(parse(text, 'current'))
    if ('fault' in received) throw unreachable('current', received.fault)
    return received.message
  }

  async acknowledge(ack: GatewayAck): Promise<void> {
    await this.#post('/internal/v1/ack', ack)
  }

  async report(report: GatewayReport): Promise<void> {
    await this.#post('/internal/v1/report', report)
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  #introduction(): Record<string, string> {
    return { gateway: this.#options.gateway, formats: this.#options.formats.join(',') }
  }

  #take(event: string, data: string, listener: StreamListener): void {
    const received = readStreamEvent(event, parse(Buffer.from(data), event))
    if (received === undefined) this.#options.onUnknown(`event ${event.slice(0, 64)}`)
    else if ('fault' in received) throw new Error(received.fault)
    else listener.event(received.message)
  }

  async #post(path: string, message: object): Promise<void> {
    const { body } = await this.#send({ method: 'POST', path, body: message })
    await body.dump()
  }

  async #send(call: Call): Promise<Dispatcher.ResponseData> {
    const { method = 'GET', path, query, headers, body, answerMs = ANSWER_MS, bodyMs = ANSWER_MS, signal } = call
    let response: Dispatcher.ResponseData
    try {
      response = await send(`${this.#options.url}${path}`, {
        method,
        ...(query !== undefined && { query }),
        ...(signal !== undefined && { signal }),
        dispatcher: this.#agent,
        headersTimeout: answerMs,
        bodyTimeout: bodyMs,
        headers: {
          authorization: `Bearer ${(await readFile(this.#options.tokenPath, 'utf8')).trim()}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
    } catch (cause) {
      throw unreachable(path, cause)
    }
    if (response.statusCode < 300 || response.statusCode === 304) return response
    throw await refusal(path, response)
  }
}

async function readAll(body: AsyncIterable<unknown>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of body) {
      // A response body gives Buffers.
      const bytes = chunk as Buffer
      length += bytes.length
      if (length > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`)
      chunks.push(bytes)
    }
  } catch (cause) {
    throw unreachable('read the answer', cause)
  }
  return Buffer.concat(chunks)
}

function parse(bytes: Buffer, operation: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw unreachable(operation, cause)
  }
}

async function refusal(path: string, { statusCode, headers, body }: Dispatcher.ResponseData): Promise<KorProxyError> {
  const text = (await readAll(body, MAX_ANSWER_BYTES)).toString('utf8').slice(0, 512)
  const seconds = Number(headers['retry-after'] ?? Number.NaN)
  const options: KorProxyErrorOptions = Number.isFinite(seconds) ? { retryAfterMs: seconds * 1_000 } : {}
  if (statusCode === 401) return new KorProxyError('KP-AUTH-010', { reason: text }, options)
  if (statusCode === 429) return new KorProxyError('KP-SYS-533', {}, options)
  if (statusCode === 503) return new KorProxyError('KP-SYS-503', {}, options)
  return new KorProxyError('KP-SYS-532', { operation: path, reason: `status ${statusCode}: ${text}` }, options)
}

function altered(version: string, cause: unknown): KorProxyError {
  return new KorProxyError('KP-CONF-213', { version }, { cause })
}

function unreachable(operation: string, cause: unknown): KorProxyError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new KorProxyError('KP-SYS-532', { operation, reason }, { cause })
}
