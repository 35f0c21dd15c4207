import { KorProxyError } from '#errors/korproxy-error.ts'
import type { OAuth2Tokens, TokenReply } from '#providers/oauth2/read-token-reply.ts'
import type { OAuth2Credential, TokenRequest } from '#providers/oauth2/token-request.ts'
import { OAuth2TokenSource } from '#providers/oauth2/token-source.ts'
import type { Credential } from '#table/routing-table.ts'
import type { CredentialSource, ServingAccount } from './serving-account.ts'

export interface CredentialSourceOptions {
  /** Calls a token endpoint. Rejects when no whole reply came. */
  readonly fetch: (request: TokenRequest, caller: TokenCaller) => Promise<TokenReply>
  /** Unix time, milliseconds. */
  readonly now: () => number
  /** 0 ≤ x < 1 */
  readonly random: () => number
  /** What `saveTokens` stored last for this account, if it was for this very credential version. */
  readonly loadTokens: (account: string, credentialVersion: string) => Promise<OAuth2Tokens | undefined>
  /** Keeps one set of tokens an account. Resolves when it is safely stored; `undefined` forgets those of this version. */
  readonly saveTokens: (account: string, credentialVersion: string, tokens: OAuth2Tokens | undefined) => Promise<void>
  /** Hears of failures that no request sees: a refresh ahead of time, old tokens that could not be forgotten. */
  readonly report: (account: string, failure: unknown) => void
}

export interface TokenCaller {
  /** `tenant/account` */
  readonly account: string
  /** Authority that the account trusts besides the public ones. */
  readonly caPem: string | undefined
}

interface OpenSource {
  readonly source: OAuth2TokenSource
  credential: OAuth2Credential
  /** `Retired` once the account has another authorisation: what comes late must not overwrite the new one's tokens. */
  state: 'Current' | 'Retired'
}

/** Turns credentials into what goes on the wire; keeps the token sources of OAuth 2 accounts across tables. */
export function createCredentialSource(options: CredentialSourceOptions): CredentialSource {
  const sources = new Map<string, OpenSource>()
  return {
    open(account, credential) {
      if (credential.type !== 'OAuth2') {
        retire(options, sources, account)
        return credential.type === 'AccessToken'
          ? givenToken(account, credential, options.now)
          : staticSecret(credential)
      }
      const source = openOAuth2(options, sources, account, credential)
      return { secret: () => source.accessToken(), renew: () => source.renew() }
    },
  }
}

type GivenToken = Extract<Credential, { readonly type: 'AccessToken' }>

/** The controller refreshes it, and brings the next one before this one ends. */
function givenToken(
  account: string,
  { accessToken, expiresAtMs }: GivenToken,
  now: () => number,
): Pick<ServingAccount, 'secret' | 'renew'> {
  return {
    secret: () => {
      if (accessToken !== '' && now() < expiresAtMs) return accessToken
      const reason = 'the controller has not brought a valid access token'
      throw new KorProxyError('KP-PROV-116', { account: accountName(account), reason }, { retryAfterMs: 5_000 })
    },
    renew: undefined,
  }
}

function accountName(account: string): string {
  return account.slice(account.indexOf('/') + 1)
}

function staticSecret(
  credential: Exclude<Credential, OAuth2Credential | GivenToken>,
): Pick<ServingAccount, 'secret' | 'renew'> {
  const secret = credential.type === 'APIKey' ? credential.apiKey : undefined
  return { secret: () => secret, renew: undefined }
}

/** Tokens of an authorisation that is no longer configured are forgotten. */
function retire(
  options: CredentialSourceOptions,
  sources: Map<string, OpenSource>,
  account: string,
): OpenSource | undefined {
  const known = sources.get(account)
  if (known === undefined) return undefined
  known.state = 'Retired'
  sources.delete(account)
  options.saveTokens(account, known.credential.version, undefined).catch((error: unknown) => {
    options.report(account, error)
  })
  return known
}

/**
 * A new version of the same authorisation goes on with the tokens at hand: a rotated refresh token that was written back to its
 * Secret comes round as such a version, and the first refresh token must not be used twice. Another authorisation starts anew.
 */
function openOAuth2(
  options: CredentialSourceOptions,
  sources: Map<string, OpenSource>,
  account: string,
  credential: OAuth2Credential,
): OAuth2TokenSource {
  const known = sources.get(account)
  if (known?.source.continues(credential) === true) {
    known.credential = credential
    known.source.configure(credential)
    return known.source
  }
  const replaced = retire(options, sources, account)
  const open: OpenSource = {
    source: new OAuth2TokenSource({
      account: accountName(account),
      credential,
      now: options.now,
      random: options.random,
      fetchToken: (request) => options.fetch(request, { account, caPem: open.credential.caPem }),
      load: async () => {
        if (replaced !== undefined) return undefined
        return await options.loadTokens(account, open.credential.version)
      },
      persist: async (tokens) => {
        if (open.state === 'Current') await options.saveTokens(account, open.credential.version, tokens)
      },
      report: (error: KorProxyError) => options.report(account, error),
    }),
    credential,
    state: 'Current',
  }
  sources.set(account, open)
  return open.source
}
