import { join } from 'node:path'
import { AccountRegistry } from '#gateway/account-registry.ts'
import { createCredentialSource } from '#gateway/credential-source.ts'
import { buildServingTable } from '#gateway/serving-table.ts'
import { fetchToken } from '#gateway/upstream/fetch-token.ts'
import { UpstreamPools } from '#gateway/upstream/pools.ts'
import type { ListedAccount } from './list-accounts.ts'
import type { Configuration } from './load-configuration.ts'
import { type AccountTest, testAccount } from './test-account.ts'
import { TokenFiles } from './token-files.ts'

export interface TestAccountsOptions {
  readonly stateDirectory: string
  readonly timeoutMs: number
  readonly model?: string
  /** Told of trouble with stored tokens that does not end the test. */
  readonly report: (account: string, failure: unknown) => void
}

/** Tests accounts one after the other. OAuth 2 accounts share the tokens that a gateway with this state directory has stored. */
export async function testAccounts(
  { table }: Pick<Configuration, 'table'>,
  wanted: readonly ListedAccount[],
  options: TestAccountsOptions,
): Promise<AccountTest[]> {
  const pools = new UpstreamPools({ privateAddresses: 'Allow' })
  const serving = buildServingTable(table, openRegistry(pools, options), undefined)
  const { timeoutMs, model } = options
  const tests: AccountTest[] = []
  try {
    for (const listed of wanted) {
      const tenant = serving.tenants.get(listed.namespace)
      const account = tenant?.accounts.get(listed.name)
      const test =
        tenant === undefined || account === undefined
          ? withoutCredential(listed)
          : await testAccount(tenant, account, { pools, timeoutMs, ...(model === undefined ? {} : { model }) })
      tests.push(test)
    }
  } finally {
    pools.close()
  }
  return tests
}

function openRegistry(pools: UpstreamPools, { stateDirectory, report }: TestAccountsOptions): AccountRegistry {
  const tokens = new TokenFiles(join(stateDirectory, 'tokens'))
  return new AccountRegistry({
    random: Math.random,
    now: Date.now,
    saved: {},
    credentials: createCredentialSource({
      now: Date.now,
      random: Math.random,
      loadTokens: (account, version) => tokens.load(account, version),
      saveTokens: (account, version, saved) => tokens.save(account, version, saved),
      fetch: (request, { caPem }) => fetchToken(pools.ofTokenEndpoint(request.url, caPem), request),
      report,
    }),
  })
}

/** The compiler leaves an account without credential out of the table, and says why. */
function withoutCredential({ namespace, name, provider, problem = '' }: ListedAccount): AccountTest {
  const message = problem.replace(/^KP-CONF-\d+ /, '')
  return { namespace, account: name, provider, result: 'failed', code: 'KP-CONF-206', message }
}
