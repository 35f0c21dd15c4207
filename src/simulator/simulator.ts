import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { ZodError } from 'zod'
import { handleRequest } from './handle-request.ts'
import { createRequestLog, type KeyStats, type RecordedRequest } from './request-log.ts'
import type { ScriptRule } from './script.ts'
import { createScriptBook } from './script-book.ts'
import type { SimulatorState } from './simulator-state.ts'
import { createTokenEndpoint, type TokenCounts, type TokenSettings } from './token-endpoint.ts'

export interface SimulatorOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number | undefined
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** Milliseconds since the epoch; stamps replies, limits and tokens. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** Pieces of text in every answer, for demonstrations and load. */
  readonly chunks?: number | undefined
  /** Pause between two events of a stream, milliseconds. */
  readonly gapMs?: number | undefined
  /** Requests kept for `requests()`. Default 1,000. */
  readonly keepRequests?: number | undefined
  /** An idle connection is closed after so many milliseconds. Default 75,000. */
  readonly keepAliveMs?: number | undefined
  readonly oauth?: TokenSettings | undefined
  /** PEM: serves HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined
}

interface SimulatorStats {
  readonly total: number
  readonly inFlight: number
  /** By credential, as `maskKey` shows it. */
  readonly keys: Readonly<Record<string, KeyStats>>
  readonly oauth: TokenCounts
}

export interface Simulator {
  /** Without a path: `http://127.0.0.1:40123`. */
  readonly url: string
  readonly port: number
  /** Everything that arrived since the start or the last reset, oldest first; control requests are not among it. */
  requests(): readonly RecordedRequest[]
  stats(): SimulatorStats
  /** Adds a rule. Throws `ZodError` or `RangeError` for a script that is none. */
  script(rule: ScriptRule): void
  configureTokens(settings: TokenSettings): void
  /** Forgets requests, counts, rules and tokens; open connections go on. */
  reset(): void
  /** Open connections to this simulator. */
  connections(): number
  /** Ends all sockets, busy ones too. */
  close(): Promise<void>
}

const DEFAULT_KEPT_REQUESTS = 1000
const DEFAULT_KEEP_ALIVE_MS = 75_000

/** Starts the stand-in for every provider. Rejects with the system's error when the port cannot be had. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  let closing = false
  const sockets = new Set<Socket>()
  const state = createState(options, { isClosing: () => closing, sockets })
  const server = createListener(options, state)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve)
  })
  // A server that listens on a TCP port has such an address.
  const { port, address, family } = server.address() as AddressInfo
  const host = family === 'IPv6' ? `[${address}]` : address
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`,
    port,
    requests: () => state.log.list(),
    stats: () => ({ ...state.log.stats(), oauth: state.tokens.counts() }),
    script: (rule) => state.scripts.add(rule),
    configureTokens: (settings) => state.tokens.configure(settings),
    reset: () => state.reset(),
    connections: () => sockets.size,
    close: async () => {
      closing = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
      sockets.clear()
    },
  }
}

interface Connections {
  readonly isClosing: () => boolean
  readonly sockets: ReadonlySet<Socket>
}

function createState(options: SimulatorOptions, { isClosing, sockets }: Connections): SimulatorState {
  const log = createRequestLog(options.keepRequests ?? DEFAULT_KEPT_REQUESTS)
  const scripts = createScriptBook()
  const tokens = createTokenEndpoint(options.oauth ?? {})
  let minted = 0
  return {
    log,
    scripts,
    tokens,
    clock: options.clock ?? Date.now,
    chunks: options.chunks,
    gapMs: options.gapMs,
    mintId(prefix) {
      minted += 1
      return `${prefix}mock${minted}`
    },
    reset() {
      minted = 0
      log.reset()
      scripts.reset()
      tokens.reset()
    },
    isClosing,
    // Under TLS the request knows the wrapped socket only.
    transportOf: (socket) => [...sockets].find((other) => other.remotePort === socket.remotePort) ?? socket,
  }
}

/** No time-outs of Node's own: only scripts may end a connection. */
function createListener(options: SimulatorOptions, state: SimulatorState): Server {
  const settings = {
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: options.keepAliveMs ?? DEFAULT_KEEP_ALIVE_MS,
  }
  const server =
    options.tls === undefined ? createServer(settings) : createSecureServer({ ...settings, ...options.tls })
  server.on('request', (request, response) => {
    handleRequest(state, request, response).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error)
      if (response.headersSent) response.destroy()
      else
        response
          .writeHead(statusOf(error), { 'content-type': 'application/json' })
          .end(JSON.stringify({ mock_error: text }))
    })
  })
  server.on('clientError', (_error, socket) => socket.destroy())
  return server
}

/** A script that cannot be read is its sender's mistake. */
function statusOf(error: unknown): number {
  return error instanceof ZodError || error instanceof RangeError || error instanceof SyntaxError ? 400 : 500
}
