import type { HeaderMatch, Rule, RuleMatch } from '#table/routing-table.ts'
import { anyGlob } from './glob.ts'
import { type CompiledProfile, compileHeader, type MatchFacts } from './match.ts'

export type RuleVerdict =
  | { readonly rule: string; readonly verdict: 'matched' }
  | {
      readonly rule: string
      readonly verdict: 'failed'
      /** The first condition that does not hold. */
      readonly condition: keyof RuleMatch
      /** What the rule asks for, in words. */
      readonly wanted: string
      /** What the request has; absent = it has none. */
      readonly found: string | undefined
    }

/** For every rule in order: it matched, or the first condition that failed. The first match is the one that routes. */
export function explainRules({ profile }: CompiledProfile, facts: MatchFacts): RuleVerdict[] {
  return profile.rules.map((rule) => explainRule(rule, facts))
}

function explainRule({ name, match }: Rule, facts: MatchFacts): RuleVerdict {
  const failed =
    failedList('requestTypes', match.requestTypes, facts.type) ??
    failedGlobs(match.models, facts.model) ??
    failedList('modelFamilies', match.modelFamilies, facts.family) ??
    failedList('clients', match.clients, facts.client) ??
    failedHeader(match, facts)
  return failed === undefined ? { rule: name, verdict: 'matched' } : { rule: name, verdict: 'failed', ...failed }
}

interface FailedCondition {
  readonly condition: keyof RuleMatch
  readonly wanted: string
  readonly found: string | undefined
}

function failedList(
  condition: keyof RuleMatch,
  wanted: readonly string[] | undefined,
  found: string | undefined,
): FailedCondition | undefined {
  if (wanted === undefined || wanted.length === 0 || (found !== undefined && wanted.includes(found))) return undefined
  return { condition, wanted: wanted.join(', '), found }
}

function failedGlobs(patterns: readonly string[] | undefined, model: string | undefined): FailedCondition | undefined {
  if (patterns === undefined || patterns.length === 0 || (model !== undefined && anyGlob(patterns)(model)))
    return undefined
  return { condition: 'models', wanted: patterns.join(', '), found: model }
}

function failedHeader(match: RuleMatch, facts: MatchFacts): FailedCondition | undefined {
  for (const condition of match.headers ?? []) {
    const found = facts.headers(condition.name)
    if (compileHeader(condition)(found)) continue
    return { condition: 'headers', wanted: `${condition.name}${wantedValue(condition)}`, found }
  }
  return undefined
}

function wantedValue({ type, value = '' }: HeaderMatch): string {
  switch (type) {
    case 'Present':
      return ' present'
    case 'Exact':
      return ` = ${value}`
    case 'Prefix':
      return ` beginning with ${value}`
    case 'Glob':
      return ` like ${value}`
  }
}
