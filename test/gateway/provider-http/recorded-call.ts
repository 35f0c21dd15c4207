import { deepStrictEqual } from 'node:assert/strict'
import type { Test } from 'tap'
import { ConnectionPool, type PoolOptions } from '#gateway/provider-http/connection-pool.ts'
import { dialHost } from '#gateway/provider-http/dial.ts'
import type { CallControl, ProviderCall, ReplyTaker } from '#gateway/provider-http/provider-call.ts'
import type { ReplyHeaders } from '#providers/provider.ts'

export const GET: ProviderCall = { method: 'GET', path: '/v1/models', headers: [], body: undefined }

export function post(body: Uint8Array, path = '/v1/chat/completions'): ProviderCall {
  return { method: 'POST', path, headers: ['content-type', 'application/json'], body }
}

/** Names resolve to 127.0.0.1. */
export const toLoopback: Parameters<typeof dialHost>[1]['lookup'] = (_name, { all }, callback) => {
  if (all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}

export function openPool(t: Test, url: string, options: Partial<PoolOptions> = {}): ConnectionPool {
  const target = new URL(url)
  const dial = dialHost(target, { lookup: toLoopback, ca: undefined })
  const pool = new ConnectionPool({ dial, host: target.host, idleTimeoutMs: 60_000, forwarding: undefined, ...options })
  t.teardown(() => pool.destroy())
  return pool
}

type Told = 'begun' | 'head' | 'data' | 'ended' | 'failed'
type When = { readonly [told in Told]?: (call: RecordedCall) => void }

/** Takes a reply, and throws when it is told what it may not be. */
export class RecordedCall implements ReplyTaker {
  /** In order; data once, however many pieces came in a row. */
  readonly told: Told[] = []
  status = 0
  headers: ReplyHeaders = {}
  error: Error | undefined
  readonly #chunks: Buffer[] = []
  readonly #when: When
  readonly #over = Promise.withResolvers<RecordedCall>()
  #control: CallControl | undefined

  constructor(when: When = {}) {
    this.#when = when
  }

  static send(pool: ConnectionPool, call: ProviderCall = GET, when: When = {}): RecordedCall {
    const recorded = new RecordedCall(when)
    pool.send(call, recorded)
    return recorded
  }

  /** Resolves at the call's end, whatever it is. */
  get over(): Promise<RecordedCall> {
    return this.#over.promise
  }

  get control(): CallControl {
    if (this.#control === undefined) throw new Error('it has not begun')
    return this.#control
  }

  get body(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** Latin-1. */
  get text(): string {
    return this.body.toString('latin1')
  }

  /** As one line: what came of it. */
  get outcome(): string {
    return this.error === undefined
      ? `${this.status} ${this.text}`
      : `${this.error.constructor.name}: ${this.error.message}`
  }

  begun(control: CallControl): void {
    this.#control = control
    this.#tell('begun', [])
  }

  head(status: number, headers: ReplyHeaders): void {
    this.status = status
    this.headers = headers
    this.#tell('head', ['begun'])
  }

  data(chunk: Buffer): void {
    deepStrictEqual(chunk.length > 0, true)
    this.#chunks.push(chunk)
    this.#tell('data', ['head', 'data'])
  }

  ended(): void {
    this.#tell('ended', ['head', 'data'])
    this.#over.resolve(this)
  }

  failed(error: Error): void {
    this.error = error
    this.#tell('failed', ['begun', 'head', 'data'])
    this.#over.resolve(this)
  }

  #tell(what: Told, after: readonly (Told | undefined)[]): void {
    const last = this.told.at(-1)
    if (last !== what || what !== 'data') this.told.push(what)
    // Whatever the connection does with an exception, the test fails.
    if (!(last === undefined ? after.length === 0 : after.includes(last))) {
      this.told.push('failed')
      throw new Error(`told ${what} after ${last}`)
    }
    this.#when[what]?.(this)
  }
}
