import type { GroupTarget, HeaderMatch, ModelFamily, Profile, RequestType, Rule } from '#table/routing-table.ts'
import { type BitSet, firstCommonBit } from './bit-set.ts'
import { buildFamilyIndex, type FamilyIndex } from './classify.ts'
import { compileGlob } from './glob.ts'
import { TextIndex } from './text-index.ts'

export interface MatchFacts {
  readonly type: RequestType
  readonly model: string | undefined
  readonly family: string | undefined
  /** Name of the client; undefined = the caller did not authenticate. */
  readonly client: string | undefined
  /** By lower-case name. */
  readonly headers: (name: string) => string | undefined
}

export interface RuleMatched {
  /** Undefined = no rule matched: the profile's default targets. */
  readonly rule: Rule | undefined
  readonly targets: readonly GroupTarget[]
}

/** A profile with its indexes, built when a table is applied. */
export interface CompiledProfile {
  readonly profile: Profile
  readonly families: FamilyIndex
  readonly types: TextIndex
  readonly models: TextIndex
  readonly modelFamilies: TextIndex
  readonly clients: TextIndex
  readonly headers: readonly { readonly name: string; readonly values: TextIndex }[]
  /** Conditions on headers that no index answers, by rule. */
  readonly otherHeaders: readonly (readonly CompiledHeader[])[]
}

interface CompiledHeader {
  readonly condition: HeaderMatch
  readonly matches: (value: string | undefined) => boolean
}

/** An index for a header costs a few steps in every decision: it pays where several rules ask for it. */
const RULES_PER_HEADER_INDEX = 8

export function compileProfile(profile: Profile, families: readonly ModelFamily[] | FamilyIndex): CompiledProfile {
  const { rules } = profile
  const indexedHeaders = commonHeaders(rules)
  return {
    profile,
    families: 'patterns' in families ? families : buildFamilyIndex(families),
    types: indexTexts(rules, ({ match }) => match.requestTypes),
    models: indexGlobs(rules, ({ match }) => match.models),
    modelFamilies: indexTexts(rules, ({ match }) => match.modelFamilies),
    clients: indexTexts(rules, ({ match }) => match.clients),
    headers: indexedHeaders.map((name) => ({ name, values: indexHeader(rules, name) })),
    otherHeaders: rules.map(({ match }) =>
      (match.headers ?? [])
        .filter((condition) => !isIndexed(condition, match.headers ?? [], indexedHeaders))
        .map((condition) => ({ condition, matches: compileHeader(condition) })),
    ),
  }
}

/** The first rule whose conditions all hold. The work hardly grows with the number of rules. */
export function matchRule(compiled: CompiledProfile, facts: MatchFacts): RuleMatched {
  const { profile } = compiled
  const accepted: BitSet[] = [
    compiled.types.lookUp(facts.type),
    compiled.models.lookUp(facts.model),
    compiled.modelFamilies.lookUp(facts.family),
    compiled.clients.lookUp(facts.client),
  ]
  for (const { name, values } of compiled.headers) accepted.push(values.lookUp(facts.headers(name)))
  const index = firstCommonBit(accepted, (candidate) => meetsOtherHeaders(compiled.otherHeaders[candidate], facts))
  const rule = index === undefined ? undefined : profile.rules[index]
  return { rule, targets: rule?.targets ?? profile.defaultTargets }
}

/** What is known of the requests for a model before there is one. */
interface ReachFacts extends Pick<MatchFacts, 'model' | 'family' | 'client'> {
  /** What the model can do; undefined = nobody knows. */
  readonly types: readonly RequestType[] | undefined
}

/** All that `matchRule` may answer to requests for a model, whatever their headers are. */
export function possibleMatches(compiled: CompiledProfile, facts: ReachFacts): RuleMatched[] {
  const { profile } = compiled
  const matches: RuleMatched[] = []
  const accepted: BitSet[] = [
    compiled.models.lookUp(facts.model),
    compiled.modelFamilies.lookUp(facts.family),
    compiled.clients.lookUp(facts.client),
  ]
  const last = firstCommonBit(accepted, (index) => {
    const rule = profile.rules[index]
    if (rule === undefined || !isOpen(rule, facts.types)) return false
    matches.push({ rule, targets: rule.targets })
    return takesAll(rule, facts.types)
  })
  return last === undefined ? [...matches, { rule: undefined, targets: profile.defaultTargets }] : matches
}

function isOpen({ match: { requestTypes = [] } }: Rule, types: ReachFacts['types']): boolean {
  return requestTypes.length === 0 || types === undefined || types.some((type) => requestTypes.includes(type))
}

/** No request gets past this rule. */
function takesAll({ match: { requestTypes = [], headers = [] } }: Rule, types: ReachFacts['types']): boolean {
  if (headers.length > 0) return false
  return requestTypes.length === 0 || types?.every((type) => requestTypes.includes(type)) === true
}

function meetsOtherHeaders(conditions: readonly CompiledHeader[] | undefined, facts: MatchFacts): boolean {
  if (conditions === undefined) return true
  for (const { condition, matches } of conditions) if (!matches(facts.headers(condition.name))) return false
  return true
}

/** Whether a header's value meets a condition; an absent header meets none. */
export function compileHeader({ type, value = '' }: HeaderMatch): (header: string | undefined) => boolean {
  switch (type) {
    case 'Present':
      return (header) => header !== undefined
    case 'Exact':
      return (header) => header === value
    case 'Prefix':
      return (header) => header?.startsWith(value) === true
    case 'Glob': {
      const matches = compileGlob(value)
      return (header) => header !== undefined && matches(header)
    }
  }
}

function indexTexts(rules: readonly Rule[], textsOf: (rule: Rule) => readonly string[] | undefined): TextIndex {
  const index = new TextIndex(rules.length)
  rules.forEach((rule, position) => {
    const texts = textsOf(rule)
    if (texts === undefined || texts.length === 0) index.acceptAll(position)
    else for (const text of texts) index.acceptText(position, text)
  })
  return index
}

function indexGlobs(rules: readonly Rule[], patternsOf: (rule: Rule) => readonly string[] | undefined): TextIndex {
  const index = new TextIndex(rules.length)
  rules.forEach((rule, position) => {
    const patterns = patternsOf(rule)
    if (patterns === undefined || patterns.length === 0) index.acceptAll(position)
    else for (const pattern of patterns) index.acceptGlob(position, pattern)
  })
  return index
}

function indexHeader(rules: readonly Rule[], name: string): TextIndex {
  const index = new TextIndex(rules.length)
  rules.forEach(({ match }, position) => {
    const condition = match.headers?.find((header) => header.name === name)
    if (condition === undefined) index.acceptAll(position)
    else acceptHeader(index, position, condition)
  })
  return index
}

function acceptHeader(index: TextIndex, position: number, { type, value = '' }: HeaderMatch): void {
  switch (type) {
    case 'Present':
      index.acceptPrefix(position, '')
      break
    case 'Exact':
      index.acceptText(position, value)
      break
    case 'Prefix':
      index.acceptPrefix(position, value)
      break
    case 'Glob':
      index.acceptGlob(position, value)
  }
}

function commonHeaders(rules: readonly Rule[]): string[] {
  const counts = new Map<string, number>()
  for (const { match } of rules) {
    for (const name of new Set(match.headers?.map((header) => header.name)))
      counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].filter(([, count]) => count >= RULES_PER_HEADER_INDEX).map(([name]) => name)
}

/** An index holds the first condition of a rule on its header; a second one on the same header is checked by itself. */
function isIndexed(condition: HeaderMatch, conditions: readonly HeaderMatch[], indexed: readonly string[]): boolean {
  return indexed.includes(condition.name) && conditions.find(({ name }) => name === condition.name) === condition
}
