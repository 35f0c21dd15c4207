import type { ReplyHeaders } from '../provider.ts'
import { member, parseBody, textMember } from '../read-error-body.ts'
import { readRetryAfter } from '../retry-after.ts'

export interface TokenReply {
  readonly status: number
  readonly headers: ReplyHeaders
  readonly body: string
}

/** Tokens of one authorisation; the refresh token is the one to use next. */
export interface OAuth2Tokens {
  readonly accessToken: string
  /** Unix time, milliseconds. */
  readonly expiresAtMs: number
  readonly refreshToken: string
}

export type TokenAnswer =
  | { readonly kind: 'granted'; readonly tokens: OAuth2Tokens }
  /** No repetition helps: somebody has to authorise anew or correct the client. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs: number | undefined }

/** RFC 6749 lets a server leave `expires_in` out; an hour is what most of them mean. */
const DEFAULT_LIFETIME_MS = 3_600_000

/**
 * Errors that stay: those of RFC 6749, and OpenAI's words for a refresh token that was used, revoked or has expired.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 */
const FINAL_ERRORS: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'refresh_token_reused',
  'refresh_token_expired',
  'refresh_token_invalidated',
])

/**
 * @param refreshToken the token that was sent; it stays the one to use where the server does not rotate
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5
 */
export function readTokenReply(reply: TokenReply, refreshToken: string, nowMs: number): TokenAnswer {
  const body = parseBody(reply.body)
  const error = errorWord(body)
  if (error !== undefined && FINAL_ERRORS.has(error) && reply.status < 500 && reply.status !== 429) {
    return { kind: 'refused', reason: `the token endpoint answered ${reply.status} ${error}` }
  }
  const retryAfterMs = readRetryAfter(reply.headers, nowMs)
  const failed = (reason: string): TokenAnswer => ({ kind: 'failed', reason, retryAfterMs })
  if (reply.status < 200 || reply.status > 299 || error !== undefined) {
    return failed(`the token endpoint answered ${reply.status}${error === undefined ? '' : ` ${error}`}`)
  }
  const accessToken = member(body, 'access_token')
  if (typeof accessToken !== 'string' || accessToken === '') {
    return failed('the answer of the token endpoint holds no access_token')
  }
  // It travels in a header: a line break or the like would be header injection.
  if (!/^[\x21-\x7e]+$/.test(accessToken)) return failed('the access_token holds characters that no header may carry')
  const rotated = textMember(body, 'refresh_token')
  return {
    kind: 'granted',
    tokens: {
      accessToken,
      expiresAtMs: nowMs + lifetimeMs(member(body, 'expires_in')),
      refreshToken: rotated === '' ? refreshToken : rotated,
    },
  }
}

/** Some servers write the number as a string. */
function lifetimeMs(expiresIn: unknown): number {
  const seconds = typeof expiresIn === 'string' ? Number.parseFloat(expiresIn) : expiresIn
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : DEFAULT_LIFETIME_MS
}

/** `{"error": "word"}` of the RFC, or `{"error": {"code" | "type": "word"}}`. Anything but a plain word might be a secret. */
function errorWord(body: unknown): string | undefined {
  const error = member(body, 'error')
  if (error === undefined || error === null) return undefined
  const word = typeof error === 'string' ? error : textMember(error, 'code') || textMember(error, 'type')
  return /^[a-z][a-z0-9_.-]{0,63}$/i.test(word) ? word : 'unknown_error'
}
