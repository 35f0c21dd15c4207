import { findProvider } from '#providers/find-provider.ts'
import { AccountLimits } from '#routing/account-limits.ts'
import { AccountHealth, type HealthSnapshot } from '#routing/health/account-health.ts'
import type { Account, Credential, HealthPolicy } from '#table/routing-table.ts'
import type { CredentialSource, ServingAccount } from './serving-account.ts'

/** `tenant/account` → what an account had learnt when the process ended. */
export type SavedHealth = Readonly<Record<string, HealthSnapshot>>

/** What a table says of one account. */
export interface AccountConfiguration {
  readonly tenant: string
  readonly account: Account
  readonly credential: Credential
  readonly policy: HealthPolicy
}

/** Health, counters and tokens of accounts live here, across tables: an unchanged account loses nothing when a table is applied. */
export class AccountRegistry {
  readonly #accounts = new Map<string, ServingAccount>()
  readonly #saved: Map<string, HealthSnapshot>
  readonly #random: () => number
  readonly #now: () => number
  readonly #credentials: CredentialSource

  constructor(options: {
    readonly random: () => number
    readonly now: () => number
    readonly credentials: CredentialSource
    readonly saved: SavedHealth
  }) {
    this.#random = options.random
    this.#now = options.now
    this.#credentials = options.credentials
    this.#saved = new Map(Object.entries(options.saved))
  }

  /** The serving account for this configuration; makes it at its first appearance. */
  apply({ tenant, account, credential, policy }: AccountConfiguration): ServingAccount {
    const id = `${tenant}/${account.name}`
    const known = this.#accounts.get(id)
    const serving = known ?? this.#create(id, { tenant, account, credential, policy })
    // What was learnt is of the old destination.
    if (!sameDestination(serving.account, account)) serving.health.reset(this.#now())
    serving.account = account
    serving.provider = findProvider(account)
    serving.limits.configure(account.limits)
    serving.health.configure(policy)
    if (serving.credential.version !== credential.version || serving.credential.type !== credential.type) {
      const before = serving.credential
      Object.assign(serving, this.#credentials.open(id, credential), { credential })
      if (!isNextToken(before, credential) || serving.health.state(undefined, this.#now()).cause === 'credential') {
        serving.health.credentialChanged(this.#now())
      }
    }
    if (account.state === 'Enabled') serving.health.enable()
    else serving.health.disable()
    return serving
  }

  #create(id: string, { tenant, account, credential, policy }: AccountConfiguration): ServingAccount {
    const health = new AccountHealth(policy, this.#random)
    const saved = this.#saved.get(id)
    if (saved !== undefined) health.restore(saved, this.#now())
    // An account that goes and comes back later is not what it was at the start of the process.
    this.#saved.delete(id)
    const created: ServingAccount = {
      tenant,
      account,
      provider: findProvider(account),
      credential,
      health,
      limits: new AccountLimits(account.limits),
      inFlight: 0,
      ...this.#credentials.open(id, credential),
    }
    this.#accounts.set(id, created)
    return created
  }

  /** Forgets accounts that no table names any more. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#accounts.keys()) if (!ids.has(id)) this.#accounts.delete(id)
  }

  all(): IterableIterator<ServingAccount> {
    return this.#accounts.values()
  }

  find(tenant: string, name: string): ServingAccount | undefined {
    return this.#accounts.get(`${tenant}/${name}`)
  }

  /** For the next start of the process. */
  save(): SavedHealth {
    return Object.fromEntries([...this.#accounts].map(([id, { health }]) => [id, health.snapshot()]))
  }
}

/** The next access token of an account says nothing about its limits. */
function isNextToken(before: Credential, after: Credential): boolean {
  return before.type === 'AccessToken' && after.type === 'AccessToken'
}

function sameDestination(before: Account, after: Account): boolean {
  return (
    before.provider === after.provider &&
    before.preset === after.preset &&
    before.baseUrl === after.baseUrl &&
    before.proxyUrl === after.proxyUrl
  )
}
