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

const ISSUED_PREFIX = 'mock-rt-'
const ACCESS_PREFIX = 'mock-at-'

export function createTokenEndpoint(initial: TokenSettings): TokenEndpoint {
  const start = { rotate: initial.rotate ?? true, expiresInS: initial.expiresInS ?? 3600 }
  let settings = start
  let counts = { requests: 0, issued: 0, reused: 0, refused: 0 }
  const refreshTokens = new Map<string, { readonly family: Family; used: boolean }>()
  const accessTokens = new Map<string, { expiresAtMs: number; readonly family: Family }>()

  const issue = (family: Family, oldToken: string | undefined, context: CallContext) => {
    counts = { ...counts, issued: counts.issued + 1 }
    const access = `${ACCESS_PREFIX}${counts.issued}`
    accessTokens.set(access, { expiresAtMs: context.nowMs + settings.expiresInS * 1000, family })
    const next = `${ISSUED_PREFIX}${counts.issued}`
    const rotates = settings.rotate && oldToken !== undefined
    if (rotates) refreshTokens.set(next, { family, used: false })
    const body = {
      access_token: access,
      token_type: 'Bearer',
      expires_in: settings.expiresInS,
      ...(rotates ? { refresh_token: next } : {}),
    }
    const reply = jsonReply(body)
    return { ...reply, headers: { ...reply.headers, 'cache-control': 'no-store' } }
  }
  const refuse = (failure: Failure, context: CallContext) => {
    counts = { ...counts, refused: counts.refused + 1 }
    const { status, body } = renderFailure(failure, context)
    return jsonReply(body, status)
  }
  const invalidGrant = (message: string, context: CallContext) =>
    refuse({ kind: 'bad_request', code: 'invalid_grant', message }, context)

  const refresh = (token: string, context: CallContext) => {
    const known = refreshTokens.get(token)
    if (known?.used === true) {
      counts = { ...counts, reused: counts.reused + 1 }
      known.family.revoked = true
      return invalidGrant('refresh token was already used', context)
    }
    const stranger = known === undefined && token.startsWith(ISSUED_PREFIX)
    if (token.startsWith('bad') || stranger || known?.family.revoked === true)
      return invalidGrant('refresh token is invalid', context)
    const entry = known ?? { family: { revoked: false }, used: false }
    entry.used = settings.rotate
    refreshTokens.set(token, entry)
    return issue(entry.family, token, context)
  }

  return {
    configure({ rotate, expiresInS, expireAll }) {
      settings = { rotate: rotate ?? settings.rotate, expiresInS: expiresInS ?? settings.expiresInS }
      if (expireAll === true) for (const entry of accessTokens.values()) entry.expiresAtMs = 0
    },
    answer(body, context) {
      counts = { ...counts, requests: counts.requests + 1 }
      const fields = readFields(body)
      if (fields('client_id')?.startsWith('bad') === true)
        return refuse({ kind: 'unauthorized', message: 'unknown client' }, context)
      const grant = fields('grant_type')
      const token = fields('refresh_token')
      if (grant === 'client_credentials') return issue({ revoked: false }, undefined, context)
      if (grant !== 'refresh_token') return refuse({ kind: 'bad_request', code: 'unsupported_grant_type' }, context)
      if (token === undefined) return refuse({ kind: 'bad_request', message: 'refresh_token is missing' }, context)
      return refresh(token, context)
    },
    accepts(token, nowMs) {
      if (!token.startsWith(ACCESS_PREFIX)) return true
      const entry = accessTokens.get(token)
      return entry !== undefined && !entry.family.revoked && entry.expiresAtMs > nowMs
    },
    counts: () => counts,
    reset() {
      settings = start
      counts = { requests: 0, issued: 0, reused: 0, refused: 0 }
      refreshTokens.clear()
      accessTokens.clear()
    },
  }
}

/** Form or JSON: providers differ. */
function readFields(body: Uint8Array): (name: string) => string | undefined {
  const json = parseJsonBytes(body)
  if (json !== undefined) return (name) => textOf(json, name)
  const form = new URLSearchParams(new TextDecoder().decode(body))
  return (name) => form.get(name) ?? undefined
}
