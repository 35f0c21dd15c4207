import { z } from 'zod'
import type { CallContext } from './call-context.ts'
import type { Failure } from './failure-kind.ts'
import { parseJsonBytes, textOf } from './json-value.ts'
import { renderFailure } from './render-failure.ts'
import { jsonReply, type Reply } from './wire-event.ts'

export const tokenSettingsSchema = z.strictObject({
  /** A refresh makes the old refresh token useless. */
  rotate: z.boolean().optional(),
  /** Lifetime of access tokens, seconds. */
  expiresInS: z.int().min(0).optional(),
  /** All access tokens given out so far expire now. */
  expireAll: z.literal(true).optional(),
})
export type TokenSettings = z.infer<typeof tokenSettingsSchema>

export interface TokenCounts {
  readonly requests: number
  readonly issued: number
  /** A refresh token came a second time: its whole family is revoked. */
  readonly reused: number
  readonly refused: number
}

/** An OAuth 2 token endpoint: https://datatracker.ietf.org/doc/html/rfc6749#section-6, with rotation and reuse detection as in RFC 9700 §4.14. */
export interface TokenEndpoint {
  configure(settings: TokenSettings): void
  /** Any refresh token is good the first time, except those that begin with `bad`. */
  answer(body: Uint8Array, context: CallContext): Reply
  /** Tokens given out here must be alive; others are no business of this endpoint. */
  accepts(token: string, nowMs: number): boolean
  counts(): TokenCounts
  reset(): void
}

interface Family {
  revoked: boolean
}

interface TokenState {
  settings: { readonly rotate: boolean; readonly expiresInS: number }
  counts: TokenCounts
  readonly refreshTokens: Map<string, { readonly family: Family; used: boolean }>
  readonly accessTokens: Map<string, { expiresAtMs: number; readonly family: Family }>
}

const ISSUED_PREFIX = 'mock-rt-'
const ACCESS_PREFIX = 'mock-at-'
const NO_COUNTS: TokenCounts = { requests: 0, issued: 0, reused: 0, refused: 0 }

export function createTokenEndpoint(initial: TokenSettings): TokenEndpoint {
  const start = { rotate: initial.rotate ?? true, expiresInS: initial.expiresInS ?? 3600 }
  const state: TokenState = { settings: start, counts: NO_COUNTS, refreshTokens: new Map(), accessTokens: new Map() }
  return {
    configure({ rotate, expiresInS, expireAll }) {
      state.settings = { rotate: rotate ?? state.settings.rotate, expiresInS: expiresInS ?? state.settings.expiresInS }
      if (expireAll === true) for (const entry of state.accessTokens.values()) entry.expiresAtMs = 0
    },
    answer: (body, context) => answerGrant(state, readFields(body), context),
    accepts(token, nowMs) {
      if (!token.startsWith(ACCESS_PREFIX)) return true
      const entry = state.accessTokens.get(token)
      return entry !== undefined && !entry.family.revoked && entry.expiresAtMs > nowMs
    },
    counts: () => state.counts,
    reset() {
      state.settings = start
      state.counts = NO_COUNTS
      state.refreshTokens.clear()
      state.accessTokens.clear()
    },
  }
}

function answerGrant(state: TokenState, fields: (name: string) => string | undefined, context: CallContext): Reply {
  state.counts = { ...state.counts, requests: state.counts.requests + 1 }
  const grant = fields('grant_type')
  const token = fields('refresh_token')
  if (fields('client_id')?.startsWith('bad') === true) {
    return refuse(state, { kind: 'unauthorized', message: 'unknown client' }, context)
  }
  if (grant === 'client_credentials') return issue(state, { revoked: false }, undefined, context)
  if (grant !== 'refresh_token') return refuse(state, { kind: 'bad_request', code: 'unsupported_grant_type' }, context)
  if (token === undefined) return refuse(state, { kind: 'bad_request', message: 'refresh_token is missing' }, context)
  return refresh(state, token, context)
}

function refresh(state: TokenState, token: string, context: CallContext): Reply {
  const known = state.refreshTokens.get(token)
  if (known?.used === true) {
    state.counts = { ...state.counts, reused: state.counts.reused + 1 }
    known.family.revoked = true
    return refuse(state, invalidGrant('refresh token was already used'), context)
  }
  const stranger = known === undefined && token.startsWith(ISSUED_PREFIX)
  if (token.startsWith('bad') || stranger || known?.family.revoked === true) {
    return refuse(state, invalidGrant('refresh token is invalid'), context)
  }
  const entry = known ?? { family: { revoked: false }, used: false }
  entry.used = state.settings.rotate
  state.refreshTokens.set(token, entry)
  return issue(state, entry.family, token, context)
}

function issue(state: TokenState, family: Family, oldToken: string | undefined, context: CallContext): Reply {
  const { rotate, expiresInS } = state.settings
  const issued = state.counts.issued + 1
  state.counts = { ...state.counts, issued }
  const access = `${ACCESS_PREFIX}${issued}`
  const next = `${ISSUED_PREFIX}${issued}`
  const rotates = rotate && oldToken !== undefined
  state.accessTokens.set(access, { expiresAtMs: context.nowMs + expiresInS * 1000, family })
  if (rotates) state.refreshTokens.set(next, { family, used: false })
  const rotated = rotates ? { refresh_token: next } : {}
  const reply = jsonReply({ access_token: access, token_type: 'Bearer', expires_in: expiresInS, ...rotated })
  return { ...reply, headers: { ...reply.headers, 'cache-control': 'no-store' } }
}

function invalidGrant(message: string): Failure {
  return { kind: 'bad_request', code: 'invalid_grant', message }
}

function refuse(state: TokenState, failure: Failure, context: CallContext): Reply {
  state.counts = { ...state.counts, refused: state.counts.refused + 1 }
  const { status, body } = renderFailure(failure, context)
  return jsonReply(body, status)
}

/** Form or JSON: providers differ. */
function readFields(body: Uint8Array): (name: string) => string | undefined {
  const json = parseJsonBytes(body)
  if (json !== undefined) return (name) => textOf(json, name)
  const form = new URLSearchParams(new TextDecoder().decode(body))
  return (name) => form.get(name) ?? undefined
}
