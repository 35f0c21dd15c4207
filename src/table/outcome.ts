/** What one attempt at an account came to. The health machine and the retry policy decide by it alone. */
export type Outcome =
  | { readonly kind: 'ok'; readonly latencyMs: number; readonly firstTokenMs: number | undefined }
  /** 429 or the provider's own word for it. Never a failure of the account. */
  | { readonly kind: 'rate-limited'; readonly retryAfterMs: number | undefined; readonly scope: 'account' | 'model' }
  /** Credit, plan or daily quota is used up: minutes do not help. */
  | { readonly kind: 'quota-exhausted'; readonly retryAfterMs: number | undefined; readonly scope: 'account' | 'model' }
  /** 503, 529: the provider has no capacity. Backs off like a rate limit, never a failure. */
  | { readonly kind: 'overloaded'; readonly retryAfterMs: number | undefined }
  /** 401, 403: the account is of no use until its credential changes. */
  | { readonly kind: 'bad-credential' }
  | { readonly kind: 'server-error'; readonly status: number }
  /** The reply broke its own format, or ended early. */
  | { readonly kind: 'bad-reply' }
  | { readonly kind: 'network'; readonly phase: 'connect' | 'reset' }
  | { readonly kind: 'timed-out'; readonly phase: 'connect' | 'first-byte' | 'idle' | 'total' }
  /** The request's own fault: another account would refuse it too. Says nothing about the account. */
  | {
      readonly kind: 'refused'
      /** `foreign-thinking`: the history holds thinking that somebody else signed, or lacks some that this provider wants back. */
      readonly reason: 'invalid' | 'context-length' | 'content-filter' | 'too-large' | 'foreign-thinking'
    }
  /** The provider does not know the model; says nothing about the account, but another may know it. */
  | { readonly kind: 'model-not-found' }
  /** The client left. Says nothing. */
  | { readonly kind: 'aborted' }
