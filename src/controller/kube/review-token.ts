import { isRecord } from '#resources/finding.ts'
import type { ApiClient } from './api-client.ts'
import { TOKEN_REVIEWS } from './api-resource.ts'

/** Whose token it is, as the API server says. */
export interface TokenIdentity {
  /** e.g. `system:serviceaccount:korproxy:korproxy-gateway`. */
  readonly username: string
  /** Pod that the token is bound to; absent for tokens that are bound to none. */
  readonly pod?: { readonly name: string; readonly uid: string }
}

const POD_NAME = 'authentication.kubernetes.io/pod-name'
const POD_UID = 'authentication.kubernetes.io/pod-uid'

/**
 * @returns undefined for a token that is not valid, not for this audience, or whose pod is gone.
 * @throws KP-SYS-530 and KP-SYS-531 when the API server cannot say.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
 */
export async function reviewToken(
  client: Pick<ApiClient, 'ask'>,
  token: string,
  audience: string,
): Promise<TokenIdentity | undefined> {
  const answer = await client.ask(
    { resource: TOKEN_REVIEWS },
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [audience] } },
  )
  const status = isRecord(answer) && isRecord(answer['status']) ? answer['status'] : {}
  const { authenticated, audiences, user } = status
  if (authenticated !== true || !isRecord(user) || typeof user['username'] !== 'string') return undefined
  // An API server that knows no audiences names none, and would take the token for one of its own.
  if (!Array.isArray(audiences) || !audiences.includes(audience)) return undefined
  const extra = isRecord(user['extra']) ? user['extra'] : {}
  const name = firstText(extra[POD_NAME])
  const uid = firstText(extra[POD_UID])
  return { username: user['username'], ...(name !== undefined && uid !== undefined && { pod: { name, uid } }) }
}

function firstText(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : undefined
  return typeof first === 'string' ? first : undefined
}
