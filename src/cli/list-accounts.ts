import type { Configuration } from './load-configuration.ts'

export interface ListedAccount {
  readonly namespace: string
  readonly name: string
  readonly provider: string
  readonly state: string
  readonly baseURL?: string
  /** Why it serves nothing, if it does not. */
  readonly problem?: string
}

/** The accounts of a folder, by namespace and name. */
export function listAccounts({ set, problems }: Pick<Configuration, 'set' | 'problems'>): ListedAccount[] {
  const accounts = set.resources.flatMap((resource): ListedAccount[] => {
    if (resource.kind !== 'ProviderAccount') return []
    const { name, namespace } = resource.metadata
    const { provider, preset, state, baseURL } = resource.spec
    const problem = problems.find(
      ({ ref }) => ref.kind === 'ProviderAccount' && ref.name === name && ref.namespace === namespace,
    )
    return [
      {
        namespace,
        name,
        provider: preset === undefined ? provider : `${provider}/${preset}`,
        state,
        ...(baseURL === undefined ? {} : { baseURL }),
        ...(problem === undefined ? {} : { problem: `${problem.code} ${problem.message}` }),
      },
    ]
  })
  return accounts.toSorted((left, right) => {
    const [a, b] = [`${left.namespace}/${left.name}`, `${right.namespace}/${right.name}`]
    return a < b ? -1 : Number(a > b)
  })
}
