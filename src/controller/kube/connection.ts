import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { unreachable } from './api-error.ts'

const CONNECT_TIMEOUT_MS = 5_000
/**
 * A peer that fell silent without a word is found by the kernel: first probe after this time, then ten a second apart.
 * @see https://github.com/libuv/libuv/blob/v1.x/src/unix/tcp.c
 */
const KEEP_ALIVE_DELAY_MS = 30_000

/** Name that the client gives to a guess (localhost:8080) when it finds no configuration at all. */
const GUESSED_CONTEXT = 'loaded-context'
const NOT_FOUND = 'no kubeconfig was found, neither KUBECONFIG nor ~/.kube/config, and this is no pod'

export interface ConnectionOptions {
  /** Absent: `KUBECONFIG`, `~/.kube/config`, or the pod's own service account, as `kubectl` does. */
  readonly kubeconfigPath?: string
  readonly context?: string
}

/** How one request is to be sent. */
export interface Authorized {
  /** Address of the API server, without a slash at the end. */
  readonly server: string
  readonly headers: Readonly<Record<string, string>>
  readonly dispatcher: Dispatcher
}

/** Where the API server is, and who we are there. Credentials are read anew as they rotate. */
export interface Connection {
  authorize(): Promise<Authorized>
  /** Reads every credential again: the API server refused the present ones. */
  reload(): void
  close(): Promise<void>
}

/** @throws KP-SYS-531 when there is no usable configuration. */
export function openConnection(
  options: ConnectionOptions = {},
): Connection & { readonly namespace: string; readonly context: string } {
  const load = (): KubeConfig => loadConfig(options)
  const connection = new KubeConnection(load)
  const config = load()
  return Object.assign(connection, { namespace: namespaceOf(config), context: config.getCurrentContext() })
}

function loadConfig({ kubeconfigPath, context }: ConnectionOptions): KubeConfig {
  const config = new KubeConfig()
  try {
    if (kubeconfigPath === undefined) config.loadFromDefault()
    else config.loadFromFile(kubeconfigPath)
    if (context !== undefined) config.setCurrentContext(context)
    if (config.getCurrentCluster() === null) throw new Error(noCluster(config))
    if (config.getCurrentContext() === GUESSED_CONTEXT) throw new Error(NOT_FOUND)
  } catch (cause) {
    throw unreachable('read kubeconfig', missingFile(cause) ?? cause)
  }
  // The client refuses plain HTTP, as of `kubectl proxy`, unless told that there is no certificate to check.
  config.clusters = config.clusters.map((cluster) =>
    cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster,
  )
  return config
}

function missingFile(cause: unknown): Error | undefined {
  const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' && 'path' in cause
  return isMissing ? new Error(`${String(cause.path)} does not exist`, { cause }) : undefined
}

function noCluster(config: KubeConfig): string {
  const current = config.getCurrentContext()
  const known = config.getContexts().map(({ name }) => name)
  if (known.includes(current)) return `context ${current} names no cluster`
  return `there is no context ${current === '' ? 'chosen' : current}; there are: ${known.join(', ') || 'none'}`
}

function namespaceOf(config: KubeConfig): string {
  return config.getContextObject(config.getCurrentContext())?.namespace ?? 'default'
}

class KubeConnection implements Connection {
  readonly #load: () => KubeConfig
  #config: KubeConfig
  #agent: { readonly material: string; readonly dispatcher: Dispatcher } | undefined

  constructor(load: () => KubeConfig) {
    this.#load = load
    this.#config = load()
  }

  async authorize(): Promise<Authorized> {
    const server = this.#config.getCurrentCluster()?.server.replace(/\/+$/, '') ?? ''
    const options: RequestOptions = {}
    try {
      await this.#config.applyToHTTPSOptions(options)
    } catch (cause) {
      throw unreachable('read credentials', cause)
    }
    return { server, headers: headersOf(options), dispatcher: this.#dispatcherFor(options) }
  }

  reload(): void {
    this.#config = this.#load()
  }

  async close(): Promise<void> {
    await this.#agent?.dispatcher.destroy()
  }

  /** One pool of connections for as long as the certificates stay the same. */
  #dispatcherFor({ ca, cert, key, rejectUnauthorized, servername }: RequestOptions): Dispatcher {
    const tls = { ca, cert, key, rejectUnauthorized, servername }
    const proxy = this.#config.getCurrentCluster()?.proxyUrl
    const material = JSON.stringify([Object.values(tls).map(String), proxy])
    if (this.#agent?.material === material) return this.#agent.dispatcher
    // Requests under way on the old certificates end by themselves.
    void this.#agent?.dispatcher.close()
    const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined))
    const dispatcher = createDispatcher(given, proxy)
    this.#agent = { material, dispatcher }
    return dispatcher
  }
}

function createDispatcher(tls: object, proxy: string | undefined): Dispatcher {
  const connect = {
    timeout: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
  }
  // HTTP/1.1 gives every watch a connection of its own: one that hangs does not hold up the others.
  if (proxy === undefined) return new Agent({ allowH2: false, connect: { ...connect, ...tls } })
  if (proxy.startsWith('socks')) {
    throw new KorProxyError('KP-SYS-531', { operation: 'read kubeconfig', reason: 'SOCKS proxies are not supported' })
  }
  return new ProxyAgent({ uri: proxy, allowH2: false, requestTls: { ...connect, ...tls } })
}

function headersOf({ headers = {}, auth }: RequestOptions): Record<string, string> {
  const basic = typeof auth === 'string' ? { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value)])
  return { ...basic, ...Object.fromEntries(entries) }
}
