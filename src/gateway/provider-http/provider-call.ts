import type { ReplyHeaders } from '#providers/provider.ts'

/** One request to a provider, ready to be written. */
export interface ProviderCall {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Flat: name, value, name, value. Neither `host` nor what frames the message. */
  readonly headers: readonly string[]
  readonly body: Uint8Array | undefined
}

/** The way of a reply, for whoever takes it. */
export interface CallControl {
  /** What has been read already still comes. */
  pause(): void
  resume(): void
  /** Ends the call and its connection; `failed` is told the reason, and nothing after it. */
  abort(reason: Error): void
}

/** Takes a reply as it comes. Of `ended` and `failed` one is called, once, as the last. */
export interface ReplyTaker {
  /** Before anything else; the connection may still have to be made. */
  begun(control: CallControl): void
  /** The final reply's: those with a status below 200 are skipped. */
  head(status: number, headers: ReplyHeaders): void
  data(chunk: Buffer): void
  ended(): void
  failed(error: Error): void
}
