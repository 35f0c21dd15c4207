import { type ImportedObject, type ImportNotes, resourceObject } from './import-result.ts'
import type { PlannedAccount } from './litellm-accounts.ts'
import type { Deployment } from './litellm-deployments.ts'
import type { LitellmPolicy } from './litellm-policy.ts'
import { kebabName, ObjectNames } from './object-names.ts'

const MODEL_GLOB = /^[A-Za-z0-9._:/@*+-]{1,128}$/
const MAX_MEMBERS = 128
const MAX_TARGETS = 8
/** Group of all accounts, made where settings are for all of them. */
const EVERYTHING = 'all-models'

interface Member {
  readonly account: string
  readonly deployment: Deployment
}

/**
 * Groups and the profile: a name with several deployments, with fallbacks, or that is a fallback gets a group and a rule. All other names
 * need none: the accounts that serve them are found by their models.
 */
export function groupObjects(
  accounts: readonly PlannedAccount[],
  policy: LitellmPolicy,
  notes: ImportNotes,
): ImportedObject[] {
  const members = membersByName(accounts)
  const targets = fallbacksByName([...members.keys()], policy, notes)
  const grouped = [...members].filter(
    ([name, list]) =>
      list.length > 1 || targets.has(name) || [...targets.values()].some((others) => others.includes(name)),
  )
  const names = new ObjectNames()
  const groupOf = new Map(grouped.map(([name]) => [name, names.take(name, 'group')]))
  const groups = grouped.map(([name, list]) => group(groupOf.get(name) ?? name, list, policy, notes))
  const rules = grouped.flatMap(([name]) => rule({ name, groupOf, targets, policy }, notes))
  const everything = Object.keys(policy.group).length === 0 ? [] : [allModels(accounts, policy, notes)]
  const spec = {
    ...(rules.length === 0 ? {} : { rules: uniqueRules(rules) }),
    ...(everything.length === 0 ? {} : { defaultProviderGroup: { name: EVERYTHING } }),
  }
  const profile = Object.keys(spec).length === 0 ? [] : [resourceObject('RoutingProfile', 'default', spec)]
  return [...groups, ...everything, ...profile]
}

function membersByName(accounts: readonly PlannedAccount[]): ReadonlyMap<string, readonly Member[]> {
  const members = new Map<string, Member[]>()
  const all = accounts.flatMap(({ name: account, deployments }) =>
    deployments.map((deployment) => ({ account, deployment })),
  )
  for (const member of all.toSorted((left, right) => left.deployment.index - right.deployment.index)) {
    const { publicName } = member.deployment
    members.set(publicName, [...(members.get(publicName) ?? []), member])
  }
  return members
}

/** Only fallbacks between names that were imported. */
function fallbacksByName(
  names: readonly string[],
  { fallbacks, fallbacksPath, defaultFallbacks }: LitellmPolicy,
  notes: ImportNotes,
): ReadonlyMap<string, readonly string[]> {
  for (const [name, others] of fallbacks) {
    const unknown = [name, ...others].filter((other) => other !== '*' && !names.includes(other))
    for (const other of unknown) notes.add(fallbacksPath, `${other} is no imported model; this fallback was left out`)
  }
  const pairs = names.map((name): [string, string[]] => {
    const wanted = fallbacks.get(name) ?? defaultFallbacks
    return [name, [...new Set(wanted)].filter((other) => other !== name && names.includes(other))]
  })
  return new Map(pairs.filter(([, others]) => others.length > 0))
}

function group(name: string, list: readonly Member[], policy: LitellmPolicy, notes: ImportNotes): ImportedObject {
  const weights = weightsOf(list, notes)
  const accountRefs = list.slice(0, MAX_MEMBERS).map(({ account, deployment }, index) => {
    const weight = weights?.[index]
    const priority = Math.min(9, (deployment.order ?? 1) - 1)
    return { name: account, ...(weight === undefined ? {} : { weight }), ...(priority === 0 ? {} : { priority }) }
  })
  return resourceObject('ProviderGroup', name, { accountRefs, selectionStrategy: policy.strategy, ...policy.group })
}

/** As LiteLLM's shuffle weighs: by weight, else by requests a minute, else by tokens a minute. In thousandths of the largest. */
function weightsOf(list: readonly Member[], notes: ImportNotes): readonly number[] | undefined {
  for (const field of ['weight', 'requestsPerMinute', 'tokensPerMinute'] as const) {
    const values = list.map(({ deployment }) => deployment[field])
    if (values.every((value) => value === undefined)) continue
    if (list.length < 2) return undefined
    const largest = Math.max(...values.map((value) => value ?? 0))
    if (largest <= 0) return undefined
    const isSmallWhole = values.every((value) => Number.isInteger(value ?? 0) && (value ?? 0) <= 1000)
    const lacking = list.find((_, index) => values[index] === undefined)
    if (lacking !== undefined) {
      notes.add(
        ['model_list', lacking.deployment.index],
        `gives no ${field}, unlike others of its name: it is used only when they are not available`,
      )
    }
    return values.map((value) => (isSmallWhole ? (value ?? 0) : Math.round(((value ?? 0) / largest) * 1000)))
  }
  return undefined
}

interface RulePlan {
  readonly name: string
  readonly groupOf: ReadonlyMap<string, string>
  readonly targets: ReadonlyMap<string, readonly string[]>
  readonly policy: LitellmPolicy
}

function rule({ name, groupOf, targets, policy }: RulePlan, notes: ImportNotes): Record<string, unknown>[] {
  const aliases = [...policy.aliases].flatMap(([alias, target]) => (target === name ? [alias] : []))
  const models = [name, ...aliases].filter((model) => MODEL_GLOB.test(model))
  if (models.length === 0) {
    notes.add(
      ['model_list'],
      `model name ${JSON.stringify(name)} cannot stand in a rule; it is served without group and fallbacks`,
    )
    return []
  }
  const others = (targets.get(name) ?? []).flatMap((other, index) => {
    const groupName = groupOf.get(other)
    return groupName === undefined ? [] : [{ name: groupName, priority: Math.min(9, index + 1), modelOverride: other }]
  })
  if (others.length >= MAX_TARGETS)
    notes.add(policy.fallbacksPath, `${name} has more than ${MAX_TARGETS - 1} fallbacks; the rest was left out`)
  return [
    {
      name: kebabName(name, 'model'),
      match: { models },
      providerGroups: [{ name: groupOf.get(name) }, ...others].slice(0, MAX_TARGETS),
    },
  ]
}

/** Exact names before wildcards: the first rule that matches decides. */
function uniqueRules(rules: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const names = new ObjectNames()
  const isWildcard = ({ match }: Record<string, unknown>): number => Number(JSON.stringify(match).includes('*'))
  return rules
    .toSorted((left, right) => isWildcard(left) - isWildcard(right))
    .map((each) => ({ ...each, name: names.take(String(each['name']), 'model') }))
}

function allModels(accounts: readonly PlannedAccount[], policy: LitellmPolicy, notes: ImportNotes): ImportedObject {
  if (accounts.length > MAX_MEMBERS)
    notes.add(['model_list'], `only the first ${MAX_MEMBERS} accounts are in group ${EVERYTHING}`)
  const accountRefs = accounts.slice(0, MAX_MEMBERS).map(({ name }) => ({ name }))
  return resourceObject('ProviderGroup', EVERYTHING, {
    accountRefs,
    selectionStrategy: policy.strategy,
    ...policy.group,
  })
}
