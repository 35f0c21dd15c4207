import type { Logger } from 'pino'
import { compile } from '#compile/compile.ts'
import type { ApiClient } from '#controller/kube/api-client.ts'
import { isRefusal } from '#controller/kube/api-error.ts'
import { SECRETS } from '#controller/kube/api-resource.ts'
import type { TimeAndChance } from '#controller/kube/time-and-chance.ts'
import { readTokens, type TokenPlace, tokenPlaceOf, writeTokens } from '#controller/publish/access-tokens.ts'
import { CREDENTIAL_LABEL } from '#controller/sources/named-secrets.ts'
import { createCredentialSource } from '#gateway/credential-source.ts'
import type { CredentialSource } from '#gateway/serving-account.ts'
import { fetchToken } from '#gateway/upstream/fetch-token.ts'
import { UpstreamPools } from '#gateway/upstream/pools.ts'
import type { OAuth2Credential } from '#providers/oauth2/token-request.ts'
import type { ResourceSet, SecretObject } from '#resources/resource.ts'
import type { Sha256 } from '#table/table-version.ts'

const LOOK_MS = 15_000
const WRITE_ATTEMPTS = 3

export interface OAuthRefresherOptions {
  readonly client: Pick<ApiClient, 'get' | 'mergePatch'>
  readonly world: TimeAndChance
  readonly sha256: Sha256
  readonly namespace: string
  /** Asked before each write: only the leader refreshes. */
  readonly leads: () => boolean
  readonly set: () => ResourceSet
  /** A Secret was written: it should be read again at once. */
  readonly written: (namespace: string, secret: string) => void
  readonly log: Pick<Logger, 'warn' | 'info'>
}

/**
 * Refreshes the access tokens of OAuth 2 accounts ahead of their expiry, in the leader alone, and keeps them in the Secrets of their
 * refresh tokens, from where all controllers publish them.
 */
export class OAuthRefresher {
  readonly #options: OAuthRefresherOptions
  readonly #pools = new UpstreamPools({ privateAddresses: 'Allow' })
  #source: CredentialSource | undefined
  #cancel: (() => void) | undefined
  #looking: Promise<void> = Promise.resolve()
  #waiting = false
  /** The refresh token that each account works with. */
  readonly #opened = new Map<string, string>()
  #closed = false

  constructor(options: OAuthRefresherOptions) {
    this.#options = options
  }

  /** This replica leads now: what it remembers of an earlier time may have been used since. */
  takeOver(): void {
    this.#source = this.#createSource()
    this.#lookSoon()
  }

  /** Accounts or Secrets may have changed. */
  setChanged(): void {
    if (this.#source !== undefined) this.#lookSoon()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    await this.#looking
    this.#pools.close()
  }

  #lookSoon(): void {
    if (this.#waiting) return
    this.#waiting = true
    this.#cancel?.()
    this.#cancel = undefined
    this.#looking = this.#looking.then(() => this.#look())
  }

  async #look(): Promise<void> {
    this.#waiting = false
    const { leads, world } = this.#options
    const source = this.#source
    if (this.#closed || source === undefined) return
    if (leads()) {
      await Promise.all(
        this.#credentials().map(async ([account, credential]) => {
          this.#opened.set(account, credential.refreshToken)
          try {
            // Fetches a token where there is none, and the next one in the background where it is time.
            await source.open(account, credential).secret()
          } catch (error) {
            this.#options.log.warn({ account, err: error }, 'no access token; it is tried again')
          }
        }),
      )
    }
    this.#cancel ??= world.after(LOOK_MS, () => this.#lookSoon())
  }

  #credentials(): [string, OAuth2Credential][] {
    const { set, namespace, sha256 } = this.#options
    const current = set()
    if (current.resources.every((resource) => tokenPlaceOf(resource) === undefined)) return []
    const { table } = compile(current, { defaultNamespace: namespace, sha256 })
    return Object.entries(table.credentials).flatMap(([account, credential]): [string, OAuth2Credential][] =>
      credential.type === 'OAuth2' ? [[account, credential]] : [],
    )
  }

  #createSource(): CredentialSource {
    const { world, log } = this.#options
    return createCredentialSource({
      now: () => world.unixTime(),
      random: () => world.random(),
      fetch: (request, { caPem }) => fetchToken(this.#pools.ofTokenEndpoint(request.url, caPem), request),
      loadTokens: async (account) => {
        const place = this.#place(account)
        const secret = this.#secret(place)
        return place === undefined || secret === undefined
          ? undefined
          : readTokens(secret, place.key, this.#options.sha256)
      },
      saveTokens: async (account, _version, tokens) => {
        // Those of an authorisation that is no longer configured go with its Secret.
        if (tokens !== undefined) await this.#save(account, tokens)
      },
      report: (account, failure) =>
        log.warn({ account, err: failure }, 'the access token could not be refreshed in time'),
    })
  }

  #place(account: string): TokenPlace | undefined {
    const { resources } = this.#options.set()
    const resource = resources.find(
      ({ kind, metadata }) => kind === 'ProviderAccount' && `${metadata.namespace}/${metadata.name}` === account,
    )
    return resource === undefined ? undefined : tokenPlaceOf(resource)
  }

  #secret(place: TokenPlace | undefined): SecretObject | undefined {
    return this.#options
      .set()
      .secrets.find(({ namespace, name }) => namespace === place?.namespace && name === place.secret)
  }

  /** Only over the refresh token that was used: somebody may have put another authorisation there meanwhile. */
  async #save(account: string, tokens: Parameters<typeof writeTokens>[1]): Promise<void> {
    const { client, sha256, written, leads, log } = this.#options
    const place = this.#place(account)
    const used = this.#opened.get(account)
    if (place === undefined || used === undefined) throw new Error(`account ${account} has no Secret any more`)
    const address = { resource: SECRETS, namespace: place.namespace, name: place.secret }
    for (let attempt = 1; ; attempt += 1) {
      if (!leads()) throw new Error('this controller does not lead any more')
      const { metadata, ...object } = await client.get(address)
      const present = decode(object['data'], place.key)?.trim()
      if (present !== used && present !== tokens.refreshToken)
        throw new Error(`Secret ${place.secret} has another token now`)
      const entries = Object.entries(writeTokens(place.key, tokens, sha256))
      const data = Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
      try {
        // With the label all replicas see the new token at once; without it the others would read it up to a minute later.
        const labels = { [CREDENTIAL_LABEL]: 'true' }
        await client.mergePatch(address, { metadata: { resourceVersion: metadata.resourceVersion, labels }, data })
        break
      } catch (error) {
        if (!isRefusal(error, 409) || attempt >= WRITE_ATTEMPTS) throw error
      }
    }
    this.#opened.set(account, tokens.refreshToken)
    log.info({ account, expiresAt: new Date(tokens.expiresAtMs).toISOString() }, 'access token refreshed')
    written(place.namespace, place.secret)
  }
}

function decode(data: unknown, key: string): string | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const value: unknown = Object.entries(data).find(([name]) => name === key)?.[1]
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : undefined
}
