import type { ErrorCode } from '#errors/registry.ts'
import type { ChatFormatName, EmbeddingFormatName, ModelCapabilities, TargetQuirks } from '#formats/format.ts'
import type { Outcome } from '#table/outcome.ts'
import type { Account, ProviderName } from '#table/routing-table.ts'

/** What a gateway asks of a provider. */
export type Operation =
  | { readonly kind: 'chat'; readonly format: ChatFormatName }
  | { readonly kind: 'embedding'; readonly format: EmbeddingFormatName }
  | { readonly kind: 'count-tokens'; readonly format: ChatFormatName }
  /** Pass-through of any other path below the base URL; the client's own path and query. */
  | { readonly kind: 'other'; readonly method: string; readonly path: string }

export interface UpstreamCall {
  readonly operation: Operation
  readonly account: Account
  /** The provider's name of the model; '' for `other`. */
  readonly model: string
  readonly stream: boolean
  /** Query of the client's request without `?` and without credentials, e.g. `beta=true`. */
  readonly query: string
}

export interface UpstreamTarget {
  /** Absolute URL, built from the account's configuration only. */
  readonly url: string
  readonly method: string
}

/** A vendor's API as data and small pure functions over a wire format. */
export interface Provider {
  readonly name: ProviderName
  /** `gen_ai.provider.name` of OpenTelemetry, also the label in metrics. */
  readonly telemetryName: string
  /** Chat formats spoken natively, best first. The client's own format is preferred when it is in the list. */
  chatFormats(account: Account, model: string): readonly ChatFormatName[]
  embeddingFormats(account: Account): readonly EmbeddingFormatName[]
  /** Whether token counting passes through for this format. */
  countsTokens(format: ChatFormatName): boolean
  /** @throws KorProxyError KP-CONF-203 when the account lacks a base URL that its provider needs */
  target(call: UpstreamCall): UpstreamTarget
  /** Headers of the request besides those of the client's allow-list: credential, version, organisation. Lower-case names. */
  headers(call: UpstreamCall, secret: string | undefined): Readonly<Record<string, string>>
  /** Sent where the client's request has no such header. */
  readonly defaultHeaders: Readonly<Record<string, string>>
  /** Client request headers that pass upstream in pass-through, lower case; a trailing `*` matches any rest. */
  readonly forwardedRequestHeaders: readonly string[]
  /** Upstream reply headers that pass to the client, same rule. */
  readonly forwardedReplyHeaders: readonly string[]
  /** Reads a reply that is not a success (or a success that carries an error) into an outcome and words for the client. */
  classifyFailure(reply: FailedReply, nowMs: number): Failure
  /** What the headers of any reply say about the account's remaining quota. */
  readRateLimits(headers: ReplyHeaders, nowMs: number): RateLimits | undefined
  quirks(account: Account, model: string): Omit<TargetQuirks, 'onUnsupported'>
  /** Issuer of signatures: models of one family accept each other's. */
  issuer(account: Account, model: string): string
  /** Capabilities that follow from the provider where the catalogue does not know the model. */
  capabilities(model: string): ModelCapabilities
  /** A cheap, unbilled call for active health checks and `provider test` (list models), or undefined when there is none. */
  healthCheck(account: Account): UpstreamTarget | undefined
}

/** Lower-case names. */
export type ReplyHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

export interface FailedReply {
  readonly status: number
  readonly headers: ReplyHeaders
  /** At most the first 64 KiB, decoded as UTF-8. */
  readonly body: string
}

export interface Failure {
  readonly outcome: Outcome
  /** The error the client gets if this was the last attempt. */
  readonly code: ErrorCode
  /** The provider's own message about the request, free of credentials and account ids; shown for the request's own faults. */
  readonly message: string
  /** The provider's own error code or type, for logs. */
  readonly providerCode: string | undefined
  /** The status to keep for the client where the fault is the request's own (400, 404, 413, 422). */
  readonly status: number | undefined
  /** Of a refusal in OpenAI's shape. */
  readonly fault?: RequestFault
}

/** What OpenAI's error object says of the request beside its message: SDKs show both as fields of their exceptions. */
export interface RequestFault {
  /** `param`, such as `messages[0].content`. */
  readonly parameter?: string
  /** `code`, such as `invalid_value`. */
  readonly upstreamCode?: string
}

export interface RateLimits {
  readonly requestsRemaining?: number
  readonly tokensRemaining?: number
  /** Unix time in milliseconds. */
  readonly requestsResetAtMs?: number
  readonly tokensResetAtMs?: number
}
