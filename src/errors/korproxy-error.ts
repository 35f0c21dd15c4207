import type { ErrorEntry } from './error-entry.ts'
import { ERRORS, type ErrorCode } from './registry.ts'

/** Values that a message may name. Nothing secret ever goes in here: details reach clients, logs and status. */
export type ErrorDetails = Readonly<Record<string, string | number>>

export interface KorProxyErrorOptions {
  readonly cause?: unknown
  /** How long the client should wait, in milliseconds; becomes `Retry-After`. */
  readonly retryAfterMs?: number
  /** Replaces the registry's status where a provider's own 4xx is kept. */
  readonly status?: number
}

/** The one error class. What a code means, its status and its cure stand in the registry. */
export class KorProxyError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails
  readonly status: number
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, details: ErrorDetails = {}, options: KorProxyErrorOptions = {}) {
    super(fillTemplate(ERRORS[code].message, details), { cause: options.cause })
    this.name = 'KorProxyError'
    this.code = code
    this.details = details
    this.status = options.status ?? ERRORS[code].status
    this.retryAfterMs = options.retryAfterMs
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code]
  }
}

/** `{name}` in a registry message is replaced by the detail of that name. */
function fillTemplate(template: string, details: ErrorDetails): string {
  return template.replaceAll(/\{(\w+)\}/g, (placeholder, name: string) => String(details[name] ?? placeholder))
}
