import type { Usage } from '#formats/ir/chat-event.ts'
import type { JsonScan } from '#formats/json-scan/scan-json.ts'
import type { Client, GroupTarget, RequestType, Rule } from '#table/routing-table.ts'
import type { AttemptRecord } from '#telemetry/request-event.ts'
import type { HttpReply, HttpRequest } from './client-http/http-exchange.ts'
import type { ServingTenant } from './serving-table.ts'
import type { Surface } from './surface.ts'

/**
 * Something that can be ended from outside. An object, not a function: a closure on every exchange was measured to make V8 promote
 * whole requests to the old generation (40 µs of garbage collection a request instead of 4).
 */
export interface Abortable {
  abort(reason: Error): void
}

/** An attempt whose outcome is still being written. */
type OpenAttempt = { -readonly [Key in keyof AttemptRecord]: AttemptRecord[Key] }

/** One client request and all it collects on its way through the stages. Each field is written by the stage that its comment names. */
export interface Exchange {
  readonly request: HttpRequest
  readonly reply: HttpReply
  readonly path: string
  readonly query: URLSearchParams
  /** Unix time, milliseconds. */
  readonly startedAtMs: number
  /** Monotonic, milliseconds. */
  readonly startedAt: number
  readonly correlationId: string

  /** authenticate */
  tenant: ServingTenant
  client: Client | undefined

  /** The request line tells it, once more precisely the body. */
  surface: Surface

  /** receive-body */
  body: Uint8Array
  /** Undefined where the body is not a JSON object (`other` paths). */
  scan: JsonScan | undefined

  /** classify */
  requestType: RequestType
  requestedModel: string
  stream: boolean

  /** route */
  profile: string
  rule: Rule | undefined
  targets: readonly GroupTarget[]

  /** select, dispatch: of the last attempt. */
  group: string
  account: string
  provider: string
  model: string
  readonly attempts: OpenAttempt[]
  readonly droppedParameters: string[]
  panic: boolean

  /** relay */
  commitment: 'open' | 'committed'
  clientGone: boolean
  truncated: boolean
  firstTokenMs: number | undefined
  usage: Usage | undefined
  usageEstimated: boolean
  answeredModel: string | undefined
  replyBytes: number
  /** The attempt (or the wait) under way. */
  underWay: Abortable | undefined

  /** The error that went to the client, if one did. */
  errorCode: string
  status: number
}
