import type { Provider } from '#providers/provider.ts'
import type { AccountRuntime } from '#routing/account-runtime.ts'
import type { Credential } from '#table/routing-table.ts'

/** An account as this gateway serves it: routing's view plus what is needed to call the provider. */
export interface ServingAccount extends AccountRuntime {
  readonly tenant: string
  provider: Provider
  credential: Credential
  /** The secret to send now: the API key, or a fresh access token. @throws KorProxyError KP-PROV-114 */
  secret: () => string | undefined | Promise<string | undefined>
  /** Forces a new access token once, after the provider refused an unexpired one. */
  renew: (() => Promise<void>) | undefined
}

/** Turns a credential into the secret that goes on the wire. */
export interface CredentialSource {
  open(account: string, credential: Credential): Pick<ServingAccount, 'secret' | 'renew'>
}
