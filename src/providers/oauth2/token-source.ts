import { KorProxyError } from '#errors/korproxy-error.ts'
import { type OAuth2Tokens, readTokenReply, type TokenReply } from './read-token-reply.ts'
import { encodeTokenRequest, type OAuth2Credential, type TokenRequest } from './token-request.ts'

export interface OAuth2TokenSourceOptions {
  /** Named in errors. */
  readonly account: string
  readonly credential: OAuth2Credential
  /** Rejects when no whole reply came. */
  readonly fetchToken: (request: TokenRequest) => Promise<TokenReply>
  /** Unix time, milliseconds. */
  readonly now: () => number
  /** 0 ≤ x < 1 */
  readonly random: () => number
  /** Tokens that an earlier process saved for this credential. */
  readonly load: () => Promise<OAuth2Tokens | undefined>
  /** Resolves when the tokens are safely stored. */
  readonly persist: (tokens: OAuth2Tokens) => Promise<void>
  /** Hears of failures that no caller sees, such as a refresh ahead of time. */
  readonly report: (error: KorProxyError) => void
}

const MINIMUM_LEAD_MS = 300_000
/** Part of the lead by which it may grow, so that gateways and accounts do not refresh at one moment. */
const LEAD_JITTER = 0.2
/** A token this young that a provider refuses will not get better by another one. */
const FRESH_MS = 30_000
const BACKOFF_BASE_MS = 1_000
const BACKOFF_MAX_MS = 60_000
const RETRY_AFTER_MAX_MS = 3_600_000

/**
 * Access tokens of one account from its refresh token. A server that rotates refresh tokens kills the authorisation when an old
 * one comes twice: one refresh at a time, and a new refresh token is stored before anything is done with its access token.
 */
export class OAuth2TokenSource {
  readonly #options: OAuth2TokenSourceOptions
  #credential: OAuth2Credential
  #refreshToken: string
  #tokens: OAuth2Tokens | undefined
  #issuedAtMs = Number.NEGATIVE_INFINITY
  #refreshAtMs = Number.NEGATIVE_INFINITY
  /** The access token that the provider refused before its time. */
  #refused: string | undefined
  /** Granted, but not stored yet. */
  #unsaved: OAuth2Tokens | undefined
  /** The server's last word. */
  #final: KorProxyError | undefined
  #lastFailure: KorProxyError | undefined
  #failedAtMs = Number.NEGATIVE_INFINITY
  #retryAtMs = Number.NEGATIVE_INFINITY
  #failures = 0
  #loading: Promise<void> | undefined
  #loaded = false
  #flight: Promise<void> | undefined

  constructor(options: OAuth2TokenSourceOptions) {
    this.#options = options
    this.#credential = options.credential
    this.#refreshToken = options.credential.refreshToken
  }

  /** True when a changed credential belongs to the authorisation that this source already works with. */
  continues(credential: OAuth2Credential): boolean {
    const { tokenUrl, clientId, refreshToken } = this.#credential
    const sameClient = credential.tokenUrl === tokenUrl && credential.clientId === clientId
    return sameClient && [refreshToken, this.#refreshToken].includes(credential.refreshToken)
  }

  /** Goes on with changed settings; what the server refused may be asked once more. */
  configure(credential: OAuth2Credential): void {
    this.#credential = credential
    this.#final = undefined
    this.#retryAtMs = Number.NEGATIVE_INFINITY
  }

  /**
   * The token to send now. A promise only where one must be fetched first; a refresh ahead of expiry runs in the background.
   * @throws KorProxyError KP-PROV-114 when the server refused for good, KP-PROV-116 when there is no valid token for now
   */
  accessToken(): string | Promise<string> {
    const valid = this.#valid()
    if (valid === undefined || !this.#loaded) return this.#fetched()
    if (this.#mayRefresh() && this.#isDue()) this.#refreshInBackground()
    return valid
  }

  /**
   * Replaces a token that the provider refused before its expiry; at most once a token.
   * @throws KorProxyError KP-PROV-114, KP-PROV-116
   */
  async renew(): Promise<void> {
    const ageMs = this.#options.now() - this.#issuedAtMs
    // Younger than nothing: the clock was set back.
    const isFresh = ageMs >= 0 && ageMs < FRESH_MS
    if (this.#flight === undefined && isFresh) return
    if (this.#flight === undefined) this.#refused = this.#tokens?.accessToken
    await this.#refresh()
  }

  #valid(): string | undefined {
    const tokens = this.#tokens
    if (tokens === undefined || this.#options.now() >= tokens.expiresAtMs) return undefined
    return tokens.accessToken === this.#refused ? undefined : tokens.accessToken
  }

  #isDue(): boolean {
    return this.#options.now() >= this.#refreshAtMs
  }

  #mayRefresh(): boolean {
    return this.#final === undefined && this.#flight === undefined && this.#waitMs <= 0
  }

  /** A wait that began later than now is over: the clock was set back. */
  get #waitMs(): number {
    const nowMs = this.#options.now()
    return nowMs < this.#failedAtMs ? 0 : this.#retryAtMs - nowMs
  }

  async #fetched(): Promise<string> {
    if (!this.#loaded) {
      this.#checkWait()
      await this.#load()
    }
    const resumed = this.#valid()
    if (resumed !== undefined) return resumed
    await this.#refresh()
    const fetched = this.#valid()
    if (fetched === undefined) throw this.#failure('the token endpoint hands out expired tokens', undefined)
    return fetched
  }

  #refreshInBackground(): void {
    this.#refresh().catch((error: unknown) => {
      this.#options.report(error instanceof KorProxyError ? error : this.#failure('internal error', error))
    })
  }

  async #refresh(): Promise<void> {
    if (this.#flight === undefined) {
      this.#checkWait()
      this.#flight = this.#refreshOnce().finally(() => {
        this.#flight = undefined
      })
    }
    await this.#flight
  }

  /** Until the wait is over the last failure stands for the next one. */
  #checkWait(): void {
    if (this.#final !== undefined) throw this.#final
    const retryAfterMs = this.#waitMs
    if (this.#lastFailure === undefined || retryAfterMs <= 0) return
    const { code, details, cause } = this.#lastFailure
    throw new KorProxyError(code, details, { cause, retryAfterMs })
  }

  async #refreshOnce(): Promise<void> {
    await this.#load()
    if (this.#unsaved !== undefined) await this.#take(this.#unsaved)
    if (this.#unsaved === undefined && this.#valid() !== undefined && !this.#isDue()) return
    await this.#take(await this.#grant())
  }

  async #take(granted: OAuth2Tokens): Promise<void> {
    await this.#save(granted)
    this.#adopt(granted)
    this.#failures = 0
    this.#lastFailure = undefined
  }

  async #grant(): Promise<OAuth2Tokens> {
    const { fetchToken, now, account } = this.#options
    const sent = this.#refreshToken
    let reply: TokenReply
    try {
      reply = await fetchToken(encodeTokenRequest(this.#credential, sent))
    } catch (cause) {
      throw this.#failed('the token endpoint gave no answer', undefined, cause)
    }
    const answer = readTokenReply(reply, sent, now())
    switch (answer.kind) {
      case 'granted':
        return answer.tokens
      case 'refused':
        this.#final = new KorProxyError('KP-PROV-114', { account, reason: answer.reason })
        throw this.#final
      case 'failed':
        throw this.#failed(answer.reason, answer.retryAfterMs, undefined)
    }
  }

  /** A rotated refresh token is the only one that still works: lost, the account is lost. */
  async #save(granted: OAuth2Tokens): Promise<void> {
    const isRotated = granted.refreshToken !== this.#refreshToken
    try {
      await this.#options.persist(granted)
      this.#unsaved = undefined
    } catch (cause) {
      const reason = `the ${isRotated ? 'rotated refresh token' : 'new access token'} could not be saved`
      if (isRotated) {
        this.#unsaved = granted
        throw this.#failed(reason, undefined, cause)
      }
      this.#options.report(this.#failure(reason, cause))
    }
  }

  #adopt(tokens: OAuth2Tokens): void {
    const nowMs = this.#options.now()
    const lifetimeMs = Math.max(0, tokens.expiresAtMs - nowMs)
    const wantedLeadMs = this.#credential.refreshLeadMs ?? Math.max(MINIMUM_LEAD_MS, lifetimeMs / 10)
    // A token that lives shorter than the lead would be refreshed at every request.
    const leadMs = Math.min(wantedLeadMs, lifetimeMs / 2)
    this.#tokens = tokens
    this.#refreshToken = tokens.refreshToken
    this.#issuedAtMs = nowMs
    this.#refreshAtMs = tokens.expiresAtMs - leadMs * (1 + LEAD_JITTER * this.#options.random())
  }

  #load(): Promise<void> {
    this.#loading ??= this.#loadOnce().catch((error: unknown) => {
      this.#loading = undefined
      throw error
    })
    return this.#loading
  }

  /** Without its saved tokens a rotated authorisation would be lost by using the first refresh token again. */
  async #loadOnce(): Promise<void> {
    if (this.#loaded) return
    let saved: OAuth2Tokens | undefined
    try {
      saved = await this.#options.load()
    } catch (cause) {
      throw this.#failed('the saved tokens could not be read', undefined, cause)
    }
    this.#loaded = true
    if (saved === undefined) return
    this.#adopt(saved)
    this.#issuedAtMs = Number.NEGATIVE_INFINITY
  }

  #failed(reason: string, retryAfterMs: number | undefined, cause: unknown): KorProxyError {
    const ceilingMs = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** this.#failures)
    const ownWaitMs = ceilingMs * (0.5 + this.#options.random() / 2)
    const waitMs = Math.max(ownWaitMs, Math.min(retryAfterMs ?? 0, RETRY_AFTER_MAX_MS))
    this.#failures += 1
    this.#failedAtMs = this.#options.now()
    this.#retryAtMs = this.#failedAtMs + waitMs
    this.#lastFailure = this.#failure(reason, cause, waitMs)
    return this.#lastFailure
  }

  #failure(reason: string, cause: unknown, retryAfterMs?: number): KorProxyError {
    const details = { account: this.#options.account, reason }
    return new KorProxyError('KP-PROV-116', details, {
      cause,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })
  }
}
