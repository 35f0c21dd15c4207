/** What a client's SDK must understand; each format has its own word for it. */
export type ErrorKind =
  | 'authentication'
  | 'permission'
  | 'invalid_request'
  | 'upstream'
  | 'overloaded'
  | 'not_found'
  | 'context_length'
  | 'content_filter'
  | 'quota_exhausted'
  | 'rate_limited'
  | 'unsupported'
  | 'timeout'
  | 'internal'
  | 'too_large'

export interface ErrorEntry {
  /** HTTP status towards the client. */
  readonly status: number
  readonly kind: ErrorKind
  readonly severity: 'warning' | 'error' | 'critical'
  readonly title: string
  /** `{name}` stands for a detail. */
  readonly message: string
  readonly description: string
  /** Steps that end the trouble, most likely first. */
  readonly fix: readonly string[]
}

/** Entries by code, all of one area. */
export type ErrorTable<Area extends string> = Readonly<Record<`KP-${Area}-${number}`, ErrorEntry>>
