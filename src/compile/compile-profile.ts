import { parseDuration } from '#resources/duration.ts'
import type { ResourceObject } from '#resources/resource.ts'
import type { GroupTarget, HeaderMatch, Profile, RetryPolicy, Rule, RuleMatch, Timeouts } from '#table/routing-table.ts'
import type { NamespaceObjects } from './namespace-objects.ts'
import type { ProblemList } from './problem-list.ts'

type ProfileObject = ResourceObject<'RoutingProfile'>
type RuleSpec = NonNullable<ProfileObject['spec']['rules']>[number]

/** The profile that always exists (R1.6): no rules, every account. */
export const DEFAULT_PROFILE: Profile = { name: 'default', displayName: 'Default', rules: [], defaultTargets: [] }

export function compileProfile(profile: ProfileObject, objects: NamespaceObjects, problems: ProblemList): Profile {
  const { metadata, spec } = profile
  const rules: Rule[] = []
  for (const [at, rule] of (spec.rules ?? []).entries()) {
    const compiled = compileRule({ profile, at, objects, problems }, rule)
    if (compiled !== undefined) rules.push(compiled)
  }
  return {
    name: metadata.name,
    displayName: spec.displayName ?? metadata.name,
    rules,
    defaultTargets: defaultTargets(profile, objects, problems),
  }
}

interface RulePlace {
  readonly profile: ProfileObject
  readonly at: number
  readonly objects: NamespaceObjects
  readonly problems: ProblemList
}

/** A rule whose groups are all missing is left out: its requests go on to the next rule rather than nowhere. */
function compileRule(place: RulePlace, rule: RuleSpec): Rule | undefined {
  const targets = ruleTargets(place, rule)
  if (targets.length === 0) return undefined
  const retry = ruleRetry(rule)
  const timeouts = ruleTimeouts(rule)
  return {
    name: rule.name,
    match: ruleMatch(rule),
    targets,
    ...(rule.modelOverride === undefined ? {} : { modelOverride: rule.modelOverride }),
    ...(retry === undefined ? {} : { retry }),
    ...(timeouts === undefined ? {} : { timeouts }),
  }
}

function ruleTargets({ profile, at, objects, problems }: RulePlace, rule: RuleSpec): GroupTarget[] {
  const targets: GroupTarget[] = []
  for (const [index, { name, priority, weight, modelOverride }] of rule.providerGroups.entries()) {
    if (objects.find('ProviderGroup', name) === undefined) {
      const path = `spec.rules[${at}].providerGroups[${index}].name`
      problems.add(profile, path, 'KP-CONF-207', objects.absenceOf('ProviderGroup', name))
      continue
    }
    targets.push({ group: name, priority, weight, ...(modelOverride === undefined ? {} : { modelOverride }) })
  }
  return targets.toSorted((a, b) => a.priority - b.priority)
}

function ruleMatch({ match }: RuleSpec): RuleMatch {
  return {
    ...(match.requestTypes === undefined ? {} : { requestTypes: match.requestTypes }),
    ...(match.models === undefined ? {} : { models: match.models }),
    ...(match.modelFamilies === undefined ? {} : { modelFamilies: match.modelFamilies }),
    ...(match.clients === undefined ? {} : { clients: match.clients }),
    ...(match.headers === undefined ? {} : { headers: match.headers.map(headerMatch) }),
  }
}

function headerMatch(header: NonNullable<RuleSpec['match']['headers']>[number]): HeaderMatch {
  const name = header.name.toLowerCase()
  if (header.type === 'Present' || header.value === undefined) return { name, type: 'Present' }
  return { name, type: header.type, value: header.value }
}

function ruleRetry({ retry }: RuleSpec): Partial<RetryPolicy> | undefined {
  if (retry === undefined) return undefined
  return {
    ...(retry.attempts === undefined ? {} : { maxAttempts: retry.attempts + 1 }),
    ...(retry.conditions === undefined ? {} : { conditions: retry.conditions }),
  }
}

function ruleTimeouts({ timeouts }: RuleSpec): Partial<Timeouts> | undefined {
  if (timeouts === undefined) return undefined
  const { connect, firstByte, firstByteWhole, idle, request } = timeouts
  return {
    ...(connect === undefined ? {} : { connectMs: parseDuration(connect) }),
    ...(firstByte === undefined ? {} : { firstByteMs: parseDuration(firstByte) }),
    ...(firstByteWhole === undefined ? {} : { firstByteWholeMs: parseDuration(firstByteWhole) }),
    ...(idle === undefined ? {} : { idleMs: parseDuration(idle) }),
    ...(request === undefined ? {} : { requestMs: parseDuration(request) }),
  }
}

function defaultTargets(profile: ProfileObject, objects: NamespaceObjects, problems: ProblemList): GroupTarget[] {
  const name = profile.spec.defaultProviderGroup?.name
  if (name === undefined) return []
  if (objects.find('ProviderGroup', name) === undefined) {
    problems.add(profile, 'spec.defaultProviderGroup.name', 'KP-CONF-207', objects.absenceOf('ProviderGroup', name))
    return []
  }
  return [{ group: name, priority: 0, weight: 100 }]
}
