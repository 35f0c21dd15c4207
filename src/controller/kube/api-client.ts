import { type Dispatcher, request as send } from 'undici'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { isRecord } from '#resources/finding.ts'
import { isExpired, isRefusal, refusal, unreachable } from './api-error.ts'
import { type ApiAddress, apiVersionOf, pathOf } from './api-resource.ts'
import type { Authorized, Connection } from './connection.ts'
import { readJsonLines } from './json-lines.ts'
import { type KubeObject, readKubeObject } from './kube-object.ts'
import { SYSTEM_TIME_AND_CHANCE, type TimeAndChance } from './time-and-chance.ts'

const REQUEST_TIMEOUT_MS = 30_000
const PAGE_SIZE = 500

export type Query = Readonly<Record<string, string | number | boolean>>

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: KubeObject
}
export interface ObjectList {
  readonly items: readonly KubeObject[]
  readonly resourceVersion: string
}
export interface ApplyOptions {
  readonly fieldManager: string
}
/** Which bytes go where; `body` is sent as JSON. */
interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly address: ApiAddress
  readonly query?: Query
  readonly body?: object
  readonly contentType?: string
  readonly signal?: AbortSignal
}

/** The part of the API client that follows a collection. */
export interface WatchingClient {
  list(address: ApiAddress, query?: Query, signal?: AbortSignal): Promise<ObjectList>
  watch(address: ApiAddress, query: Query, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>>
}

/**
 * Requests to the Kubernetes API. Every method throws KP-SYS-530 (refused: `status`, `details.reason`, `retryAfterMs`) or
 * KP-SYS-531 (no answer). After a 401 credentials are read again, once.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/
 */
export class ApiClient implements WatchingClient {
  readonly #connection: Connection
  readonly #world: TimeAndChance

  constructor(connection: Connection, world: TimeAndChance = SYSTEM_TIME_AND_CHANCE) {
    this.#connection = connection
    this.#world = world
  }

  async get(address: ApiAddress): Promise<KubeObject> {
    return this.#object({ method: 'GET', address })
  }

  /** The whole collection, page by page, as of one moment. */
  async list(address: ApiAddress, query: Query = {}, signal?: AbortSignal): Promise<ObjectList> {
    const call = { method: 'GET', address, ...(signal && { signal }) } as const
    let page = await this.#page({ ...call, query: { ...query, limit: PAGE_SIZE } })
    const items = [...page.items]
    while (page.token !== '') {
      try {
        page = await this.#page({ ...call, query: { ...query, limit: PAGE_SIZE, continue: page.token } })
      } catch (error) {
        if (!isExpired(error)) throw error
        // The rest of the pages is gone already: all at once, then.
        return this.#page({ ...call, query })
      }
      items.push(...page.items)
    }
    return { items, resourceVersion: page.resourceVersion }
  }

  /**
   * Events as they come, until the server ends the stream, the connection breaks (KP-SYS-531), the server reports an error in
   * the stream (KP-SYS-530), or `signal` is aborted.
   */
  async watch(address: ApiAddress, query: Query, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>> {
    const operation = `watch ${pathOf(address)}`
    const call = { method: 'GET', address, query: { ...query, watch: true }, signal } as const
    const { body } = await this.#send(call, { bodyTimeoutMs: 0 })
    return readWatch(body, { operation, address })
  }

  async create(address: ApiAddress, object: object): Promise<KubeObject> {
    return this.#object({ method: 'POST', address, body: object })
  }

  /** For objects that are answers and stored nowhere, such as a TokenReview. */
  async ask(address: ApiAddress, object: object): Promise<unknown> {
    return this.#json({ method: 'POST', address, body: object })
  }

  /** @throws KP-SYS-530 with status 409 when the object changed since it was read. */
  async update(address: ApiAddress, object: object): Promise<KubeObject> {
    return this.#object({ method: 'PUT', address, body: object })
  }

  async mergePatch(address: ApiAddress, patch: object): Promise<KubeObject> {
    return this.#object({ method: 'PATCH', address, body: patch, contentType: 'application/merge-patch+json' })
  }

  /** @see https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
  async apply(address: ApiAddress, object: object, { fieldManager }: ApplyOptions): Promise<KubeObject> {
    return this.#object(applyCall(address, object, { fieldManager, force: true }))
  }

  /** Asks whether `apply` would be taken, unknown fields included; nothing is stored. Throws as `apply` does. */
  async rehearseApply(address: ApiAddress, object: object, { fieldManager }: ApplyOptions): Promise<void> {
    await this.#json(
      applyCall(address, object, { fieldManager, force: true, dryRun: 'All', fieldValidation: 'Strict' }),
    )
  }

  async delete(address: ApiAddress): Promise<void> {
    await this.#json({ method: 'DELETE', address })
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  async #page(call: ApiCall): Promise<Page> {
    return readList(await this.#json(call), call.address)
  }

  async #object(call: ApiCall): Promise<KubeObject> {
    const object = readKubeObject(await this.#json(call))
    if (object === undefined) throw unreachable(operationOf(call), 'the answer is no object')
    return object
  }

  async #json(call: ApiCall): Promise<unknown> {
    const { body } = await this.#send(call, { bodyTimeoutMs: REQUEST_TIMEOUT_MS })
    try {
      return await body.json()
    } catch (cause) {
      throw unreachable(operationOf(call), cause)
    }
  }

  async #send(call: ApiCall, limits: { readonly bodyTimeoutMs: number }): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#sendOnce(call, limits)
    } catch (error) {
      if (!isRefusal(error, 401)) throw error
      this.#connection.reload()
      return this.#sendOnce(call, limits)
    }
  }

  async #sendOnce(call: ApiCall, limits: { readonly bodyTimeoutMs: number }): Promise<Dispatcher.ResponseData> {
    const operation = operationOf(call)
    const authorized = await this.#connection.authorize()
    const response = await this.#dispatch(call, authorized, limits)
    const { statusCode, headers, body } = response
    if (statusCode >= 200 && statusCode < 300) return response
    const text = await body.text().catch((cause: unknown) => {
      throw unreachable(operation, cause)
    })
    throw refusal(operation, statusCode, parseOrText(text), retryAfterMs(headers['retry-after']))
  }

  async #dispatch(
    { method, address, query = {}, body, contentType = 'application/json', signal }: ApiCall,
    { server, headers, dispatcher }: Authorized,
    { bodyTimeoutMs }: { readonly bodyTimeoutMs: number },
  ): Promise<Dispatcher.ResponseData> {
    const controller = new AbortController()
    const abort = (): void => controller.abort(signal?.reason)
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort, { once: true })
    const late = (): void => controller.abort(new Error(`no answer within ${REQUEST_TIMEOUT_MS / 1000} s`))
    const cancel = this.#world.after(REQUEST_TIMEOUT_MS, late)
    try {
      return await send(`${server}${pathOf(address)}`, {
        method,
        query,
        dispatcher,
        headersTimeout: REQUEST_TIMEOUT_MS,
        bodyTimeout: bodyTimeoutMs,
        headers: {
          ...headers,
          accept: 'application/json',
          'user-agent': 'korproxy-controller',
          ...(body !== undefined && { 'content-type': contentType }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: controller.signal,
      })
    } catch (cause) {
      throw unreachable(`${method} ${pathOf(address)}`, cause)
    } finally {
      cancel()
    }
  }
}

function applyCall(address: ApiAddress, object: object, query: Query): ApiCall {
  return {
    method: 'PATCH',
    address,
    body: { apiVersion: apiVersionOf(address.resource), kind: address.resource.kind, ...object },
    // JSON is YAML.
    contentType: 'application/apply-patch+yaml',
    query,
  }
}

function operationOf({ method, address }: ApiCall): string {
  return `${method} ${pathOf(address)}`
}

async function* readWatch(
  body: AsyncIterable<Uint8Array>,
  { operation, address }: { readonly operation: string; readonly address: ApiAddress },
): AsyncGenerator<WatchEvent, void, undefined> {
  try {
    for await (const line of readJsonLines(body)) yield readEvent(line, operation, address)
  } catch (cause) {
    throw cause instanceof KorProxyError ? cause : unreachable(operation, cause)
  }
}

function readEvent(line: unknown, operation: string, address: ApiAddress): WatchEvent {
  const { type, object } = isRecord(line) ? line : {}
  if (type === 'ERROR') {
    const code = isRecord(object) && typeof object['code'] === 'number' ? object['code'] : 500
    throw refusal(operation, code, object)
  }
  const known = type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK'
  // A bookmark has no name.
  const named = isRecord(object) && type === 'BOOKMARK' ? withName(object) : object
  const read = known ? readKubeObject(named) : undefined
  if (!known || read === undefined)
    throw unreachable(operation, `an event of the watch is not understood: ${String(type)}`)
  return { type, object: withKind(read, address) }
}

function withName(object: Readonly<Record<string, unknown>>): object {
  const metadata = isRecord(object['metadata']) ? object['metadata'] : {}
  return { ...object, metadata: { name: '', ...metadata } }
}

/** Items of a list of a built-in kind do not say what they are. */
function withKind(object: KubeObject, { resource }: ApiAddress): KubeObject {
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind }
}

interface Page extends ObjectList {
  /** Names the next page; empty after the last one. */
  readonly token: string
}

function readList(answer: unknown, address: ApiAddress): Page {
  const { metadata, items } = isRecord(answer) ? answer : {}
  if (!isRecord(metadata) || typeof metadata['resourceVersion'] !== 'string') {
    throw unreachable(`list ${pathOf(address)}`, 'the answer is no list')
  }
  const objects = (Array.isArray(items) ? items : []).map((item) => {
    const object = readKubeObject(item)
    if (object === undefined) throw unreachable(`list ${pathOf(address)}`, 'an item of the list is no object')
    return withKind(object, address)
  })
  const token = metadata['continue']
  return {
    items: objects,
    resourceVersion: metadata['resourceVersion'],
    token: typeof token === 'string' ? token : '',
  }
}

function retryAfterMs(header: string | string[] | undefined): number | undefined {
  const seconds = Number(typeof header === 'string' ? header : Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}

function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Proxies in between answer in HTML or plain text; it becomes the message.
    return text
  }
}
