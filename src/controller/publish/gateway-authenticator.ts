import { createHash } from 'node:crypto'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { TokenIdentity } from '../kube/review-token.ts'
import type { TimeAndChance } from '../kube/time-and-chance.ts'
import { ConnectionLimit } from './connection-limit.ts'

/** A token is looked at again after this time: pods are deleted, and their tokens with them. */
export const REVIEW_MS = 600_000
/** While the API server is away, what it said last counts for so long. */
const GRACE_MS = 3_600_000
const MAX_TOKENS = 5_000

/** Asks who a token belongs to; undefined = nobody we know. Rejects when that cannot be found out now. */
export type TokenReviewer = (token: string) => Promise<TokenIdentity | undefined>

/** Who speaks. */
export interface GatewayIdentity {
  /** Pod. */
  readonly gateway: string
}

export interface GatewayAuthenticatorOptions {
  readonly world: Pick<TimeAndChance, 'monotonic'>
  readonly review: TokenReviewer
  /** Service accounts of gateways, e.g. `system:serviceaccount:korproxy:korproxy-gateway`. */
  readonly users: ReadonlySet<string>
}

interface Reviewed {
  readonly identity: GatewayIdentity
  readonly atMs: number
}

/**
 * Tells gateways by the token of their pod. A review counts for ten minutes; what was never reviewed is limited in number, so that
 * nobody floods the API server through us.
 */
export class GatewayAuthenticator {
  readonly #options: GatewayAuthenticatorOptions
  readonly #limit: ConnectionLimit
  /** By digest: the tokens themselves are not kept. */
  readonly #reviewed = new Map<string, Reviewed>()
  readonly #underWay = new Map<string, Promise<GatewayIdentity>>()

  constructor(options: GatewayAuthenticatorOptions) {
    this.#options = options
    this.#limit = new ConnectionLimit(options.world)
  }

  /** @throws KP-AUTH-010 for whoever is no gateway, KP-SYS-533 when too many come at once, KP-SYS-53x while nobody can say */
  async authenticate(token: string | undefined): Promise<GatewayIdentity> {
    const known = this.#reviewed.get(digestOf(token))
    if (known !== undefined && this.#options.world.monotonic() - known.atMs < REVIEW_MS) return known.identity
    return this.reauthenticate(token)
  }

  /** Asks again, whatever was said before. @throws as `authenticate` */
  async reauthenticate(token: string | undefined): Promise<GatewayIdentity> {
    if (token === undefined || token === '') throw unrecognised('it sent no token.')
    const digest = digestOf(token)
    const underWay = this.#underWay.get(digest)
    if (underWay !== undefined) return underWay
    this.#limit.enter()
    const review = this.#review(token, digest).finally(() => this.#underWay.delete(digest))
    this.#underWay.set(digest, review)
    return review
  }

  async #review(token: string, digest: string): Promise<GatewayIdentity> {
    const { review, users, world } = this.#options
    const known = this.#reviewed.get(digest)
    let found: TokenIdentity | undefined
    try {
      found = await review(token)
    } catch (error) {
      // The API server is away: that must not cut off gateways which it has vouched for.
      if (known !== undefined && world.monotonic() - known.atMs < GRACE_MS) return known.identity
      throw error
    }
    this.#reviewed.delete(digest)
    if (found === undefined) throw unrecognised('the token is not valid.')
    if (!users.has(found.username)) throw unrecognised(`${found.username} is no gateway.`)
    if (found.pod === undefined) throw unrecognised('the token is bound to no pod.')
    const identity = { gateway: found.pod.name }
    if (this.#reviewed.size >= MAX_TOKENS) this.#forgetOldest()
    this.#reviewed.set(digest, { identity, atMs: world.monotonic() })
    return identity
  }

  #forgetOldest(): void {
    const oldest = this.#reviewed.keys().next().value
    if (oldest !== undefined) this.#reviewed.delete(oldest)
  }
}

/** @throws KP-AUTH-010 where a gateway speaks for another */
export function checkSpeaker({ gateway }: GatewayIdentity, claimed: string): void {
  if (claimed !== gateway) throw unrecognised(`pod ${gateway} speaks for ${claimed}.`)
}

function unrecognised(reason: string): KorProxyError {
  return new KorProxyError('KP-AUTH-010', { reason })
}

function digestOf(token: string | undefined): string {
  return createHash('sha256')
    .update(token ?? '')
    .digest('base64')
}
