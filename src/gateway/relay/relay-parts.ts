import type { ClientContext, ClientError } from '#formats/format.ts'
import type { ChatRequest } from '#formats/ir/chat-request.ts'
import type { FailedReply, Failure } from '#providers/provider.ts'
import type { Exchange } from '../exchange.ts'
import type { ClientReply } from '../reply/client-reply.ts'
import type { AttemptFailure } from '../upstream/attempt.ts'

/** What every way of taking a reply needs. */
export interface RelayParts {
  readonly exchange: Exchange
  readonly client: ClientReply
  /** Upstream headers that may pass, flat. */
  readonly replyHeaders: readonly string[]
  /** Status of the provider's reply. */
  readonly status: number
  readonly monotonic: () => number
  readonly classifyFailure: (reply: FailedReply) => Failure
  readonly clientError: (failure: AttemptFailure) => ClientError
  readonly clientContext: (request: ChatRequest) => ClientContext
}

/** Outcome of an answer that reached the client whole. */
export function answered(parts: RelayParts): {
  readonly kind: 'answered'
  readonly outcome: { kind: 'ok'; latencyMs: number; firstTokenMs: number | undefined }
} {
  const { exchange } = parts
  const latencyMs = parts.monotonic() - exchange.startedAt
  return { kind: 'answered', outcome: { kind: 'ok', latencyMs, firstTokenMs: exchange.firstTokenMs } }
}
