/**
 * The one record that a request leaves. Metrics, access log, history, cost and budgets are views of it.
 * It holds no prompt, no completion, no credential, no client header.
 */
export interface RequestEvent {
  /** Unix time in milliseconds of arrival. */
  readonly startedAtMs: number
  readonly correlationId: string
  readonly tenant: string
  /** Name of the GatewayClient; '' without client authentication. */
  readonly client: string
  readonly requestType: string
  /** Wire format the client speaks. */
  readonly format: string
  readonly stream: boolean
  readonly profile: string
  readonly rule: string
  readonly group: string
  /** The account of the last attempt. */
  readonly account: string
  readonly provider: string
  /** The model the client asked for. */
  readonly requestedModel: string
  /** The model that answered (or was asked last), in the provider's words. */
  readonly model: string
  /** HTTP status towards the client; 499 = the client left first. */
  readonly status: number
  /** KP code, '' on success. */
  readonly errorCode: string
  /** True when an answer had begun and then broke. */
  readonly truncated: boolean
  readonly attempts: readonly AttemptRecord[]
  readonly durationMs: number
  /** Until the first content reached the client; undefined when none did. */
  readonly firstTokenMs: number | undefined
  readonly usage: UsageRecord | undefined
  /** pico-USD; undefined = the price is not known (never counted as zero). */
  readonly costPicoUsd: number | undefined
  /** Parameters that a translation left out. */
  readonly droppedParameters: readonly string[]
  readonly requestBytes: number
  readonly replyBytes: number
}

/** Whether all names are the same; only figures, outcome and correlation id may differ. */
export function isAlike(a: RequestEvent, b: RequestEvent): boolean {
  return (
    a.tenant === b.tenant &&
    a.client === b.client &&
    a.profile === b.profile &&
    a.group === b.group &&
    a.account === b.account &&
    a.provider === b.provider &&
    a.model === b.model &&
    a.requestedModel === b.requestedModel &&
    a.requestType === b.requestType &&
    a.format === b.format &&
    a.stream === b.stream
  )
}

export interface AttemptRecord {
  readonly account: string
  readonly group: string
  readonly provider: string
  readonly outcome: string
  readonly durationMs: number
}

export interface UsageRecord {
  readonly input: number
  readonly cachedInput: number
  readonly cacheWriteInput: number
  readonly output: number
  readonly reasoning: number
  /** True where the provider gave no count and the gateway estimated. */
  readonly estimated: boolean
}
