import type { ReplyHeaders } from '#providers/provider.ts'
import type { HttpReply } from '../client-http/http-exchange.ts'
import type { Exchange } from '../exchange.ts'

/** Adds the headers that say how a request was routed (R1.9), and its correlation id under both names. */
function addRoutingHeaders(headers: string[], exchange: Exchange): void {
  headers.push('x-correlation-id', exchange.correlationId, 'x-request-id', exchange.correlationId)
  addHeader(headers, 'x-korproxy-profile', exchange.profile)
  addHeader(headers, 'x-korproxy-provider-group', exchange.group)
  addHeader(headers, 'x-korproxy-account', exchange.account)
  addHeader(headers, 'x-korproxy-provider', exchange.provider)
  addHeader(headers, 'x-korproxy-model', exchange.model)
  addHeader(headers, 'x-korproxy-type', exchange.requestType)
  headers.push('x-korproxy-attempts', String(exchange.attempts.length))
  if (exchange.panic) headers.push('x-korproxy-panic', 'true')
  if (exchange.droppedParameters.length > 0)
    headers.push('x-korproxy-dropped', headerText(exchange.droppedParameters.join(',')))
}

function addHeader(headers: string[], name: string, value: string): void {
  if (value !== '') headers.push(name, headerText(value))
}

const PLAIN = /^[\x20-\x7e]{0,512}$/

/** Names come from configuration and clients; a header takes visible ASCII only. */
function headerText(text: string): string {
  return PLAIN.test(text) ? text : text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 512)
}

/** The client's side of an exchange: head once, then bytes with back-pressure. */
export class ClientReply {
  readonly #exchange: Exchange
  readonly #reply: HttpReply
  readonly #gateway: { readonly draining: boolean }

  /** @param gateway once it drains, a reply closes its connection, also that of a request which came before */
  constructor(exchange: Exchange, gateway: { readonly draining: boolean }) {
    this.#exchange = exchange
    this.#reply = exchange.reply
    this.#gateway = gateway
  }

  /** After this nothing can move to another account. @param headers flat; more are added to it */
  commit(status: number, headers: string[]): void {
    addRoutingHeaders(headers, this.#exchange)
    if (this.#gateway.draining) headers.push('connection', 'close')
    // Throws for a header that Node cannot send; then nothing has been committed yet.
    this.#reply.writeHead(status, headers)
    this.#exchange.commitment = 'committed'
    this.#exchange.status = status
  }

  /** False: the client reads slower than the provider writes; wait for `onDrain`. */
  write(chunk: Uint8Array | string): boolean {
    if (chunk.length === 0) return true
    this.#exchange.replyBytes += chunk.length
    return this.#reply.write(chunk)
  }

  end(chunk?: Uint8Array | string): void {
    if (chunk === undefined || chunk.length === 0) {
      this.#reply.end()
      return
    }
    this.#exchange.replyBytes += chunk.length
    this.#reply.end(chunk)
  }

  /** A reply with a known body, head and body in one write. */
  send(status: number, headers: string[], body: Uint8Array): void {
    if (status !== 204) headers.push('content-length', String(body.length))
    this.commit(status, headers)
    this.end(this.#exchange.request.method === 'HEAD' ? undefined : body)
  }

  /** The reply to HEAD: the length is that of the body which GET would bring. */
  sendHead(status: number, headers: string[], { 'content-length': length }: ReplyHeaders): void {
    if (typeof length === 'string') headers.push('content-length', length)
    this.commit(status, headers)
    this.end()
  }

  onDrain(callback: () => void): void {
    this.#reply.once('drain', callback)
  }

  get bufferedBytes(): number {
    return this.#reply.writableLength
  }
}
