import type { Credential } from '#table/routing-table.ts'

/** What an account configures of its OAuth 2 client. */
export type OAuth2Credential = Extract<Credential, { readonly type: 'OAuth2' }>

/** Always a POST. */
export interface TokenRequest {
  readonly url: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * The refresh grant.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-6
 */
export function encodeTokenRequest(credential: OAuth2Credential, refreshToken: string): TokenRequest {
  const { clientAuthentication, clientId, clientSecret, scopes, bodyFormat } = credential
  const fields: Record<string, string> = { grant_type: 'refresh_token', refresh_token: refreshToken }
  if (scopes.length > 0) fields['scope'] = scopes.join(' ')
  if (clientAuthentication !== 'Basic') fields['client_id'] = clientId
  if (clientAuthentication === 'Post' && clientSecret !== undefined) fields['client_secret'] = clientSecret
  const extra = Object.entries(credential.headers).map(([name, value]) => [name.toLowerCase(), value])
  return {
    url: credential.tokenUrl,
    headers: {
      accept: 'application/json',
      ...Object.fromEntries(extra),
      'content-type': bodyFormat === 'JSON' ? 'application/json' : 'application/x-www-form-urlencoded',
      ...(clientAuthentication === 'Basic' ? { authorization: basic(clientId, clientSecret ?? '') } : {}),
    },
    body: bodyFormat === 'JSON' ? JSON.stringify(fields) : new URLSearchParams(fields).toString(),
  }
}

/**
 * Both halves are form-encoded before base64.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
 */
function basic(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret)}`).toString('base64')}`
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}
