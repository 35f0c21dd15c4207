import type { ClientContext, ClientError } from '#formats/format.ts'
import type { ChatOptions } from '#formats/ir/chat-request.ts'
import type { FailedReply, Failure, ReplyHeaders } from '#providers/provider.ts'
import type { Exchange } from '../exchange.ts'
import type { ClientReply } from '../reply/client-reply.ts'
import { forwardedReplyHeaders } from '../reply/forwarded-headers.ts'
import { clientContext, toClientError } from '../reply/render-error.ts'
import type { GatewayRuntime } from '../runtime.ts'
import type { DispatchInput } from '../stages/dispatch.ts'
import { withoutSecret } from '../stages/without-secret.ts'
import type { AttemptFailure } from '../upstream/attempt-result.ts'

/** A provider's reply on its way to the client: what every way of taking it needs. */
export class Relay {
  readonly exchange: Exchange
  readonly client: ClientReply
  /** Status of the provider's reply. */
  readonly status: number
  /** Lower-case names. */
  readonly headers: ReplyHeaders
  readonly #runtime: GatewayRuntime
  readonly #input: DispatchInput

  constructor(
    runtime: GatewayRuntime,
    input: DispatchInput,
    reply: { readonly status: number; readonly headers: ReplyHeaders },
  ) {
    this.exchange = input.exchange
    this.client = input.client
    this.status = reply.status
    this.headers = reply.headers
    this.#runtime = runtime
    this.#input = input
  }

  /** The client has something to read. */
  noteFirstToken(): void {
    this.exchange.firstTokenMs = this.#runtime.monotonic() - this.exchange.startedAt
  }

  /** Head of the client's reply, flat: `own`, then what may pass of the provider's. The caller's to change. */
  replyHeaders(own: string[]): string[] {
    const list = this.#runtime.allowLists.get(this.#input.account.provider.forwardedReplyHeaders)
    return forwardedReplyHeaders(this.headers, list, own)
  }

  classifyFailure(reply: FailedReply): Failure {
    const failure = this.#input.account.provider.classifyFailure(reply, this.#runtime.now())
    return this.exchange.requestedModel === '' ? withoutModel(failure, reply.status) : failure
  }

  clientError(failure: AttemptFailure): ClientError {
    return toClientError(this.#runtime, this.exchange, withoutSecret(failure, this.#input.secret))
  }

  clientContext(request: ChatOptions): ClientContext {
    return clientContext(this.#runtime, this.exchange, request)
  }

  /** Outcome of an answer that reached the client whole. */
  answered(): {
    readonly kind: 'answered'
    readonly outcome: { kind: 'ok'; latencyMs: number; firstTokenMs: number | undefined }
  } {
    const { startedAt } = this.#input
    const before = startedAt - this.exchange.startedAt
    const { firstTokenMs } = this.exchange
    return {
      kind: 'answered',
      outcome: {
        kind: 'ok',
        latencyMs: this.#runtime.monotonic() - startedAt,
        firstTokenMs: firstTokenMs === undefined ? undefined : firstTokenMs - before,
      },
    }
  }
}

/** Where no model was asked for, a 404 is of whatever the path names: the provider's own words tell. */
function withoutModel(failure: Failure, status: number): Failure {
  return failure.outcome.kind === 'model-not-found' ? { ...failure, code: 'KP-PROV-104', status } : failure
}
